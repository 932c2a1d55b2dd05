"""The opposite strand on the device, against the one the genome floor computes."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.strand import complement, reverse_complement


@given(st.lists(st.text("ACGTN", max_size=30), min_size=1, max_size=6), st.integers(0, 9))
def test_equals_the_reverse_complement_of_each_sequence(sequences: list[str], extra: int) -> None:
    batch = SequenceBatch.from_text(sequences)
    codes, lengths = batch.padded()
    # Padding may hold anything and must come out as N.
    codes = np.pad(codes, ((0, 0), (0, extra)), constant_values=3)
    codes[np.arange(codes.shape[1]) >= lengths[:, None]] = 3
    opposite = reverse_complement(torch.tensor(codes), torch.tensor(lengths)).numpy()
    for row, expected in enumerate(batch.reverse_complement().to_text()):
        letters = "".join("ACGTN"[code] for code in opposite[row])
        assert letters == expected.ljust(codes.shape[1], "N")


def test_complement_pairs_the_bases() -> None:
    codes = torch.tensor([0, 1, 2, 3, 4], dtype=torch.uint8)
    assert complement(codes).tolist() == [3, 2, 1, 0, 4]
    assert codes.tolist() == [0, 1, 2, 3, 4]
