"""Patches against a cutting of the letters."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.patch import PatchConfig

SEQUENCES = st.lists(st.text("ACGTN", max_size=40), min_size=1, max_size=5)


def tokenize(config: PatchConfig, sequences: list[str]):
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    return config.build()(torch.tensor(codes), torch.tensor(lengths))


def patch_id(patch: str, k: int) -> int:
    if "N" in patch or len(patch) < k:
        return 4**k
    return int(patch.translate(str.maketrans("ACGT", "0123")), base=4)


@given(SEQUENCES, st.integers(1, 8), st.sampled_from(["drop", "pad"]))
def test_patches_are_those_of_the_letters(sequences: list[str], k: int, remainder: str) -> None:
    tokens = tokenize(PatchConfig(k=k, remainder=remainder), sequences)
    for row, sequence in enumerate(sequences):
        patches = [sequence[i : i + k] for i in range(0, len(sequence), k)]
        if remainder == "drop":
            patches = [patch for patch in patches if len(patch) == k]
        count = int(tokens.mask[row].sum())
        assert tokens.ids[row, :count].tolist() == [patch_id(patch, k) for patch in patches]
        spans = tokens.spans[row].tolist()
        assert [sequence[start:end] for start, end in spans[:count]] == patches
        assert all(start == end for start, end in spans[count:])


def test_the_remainder_is_left_out_or_made_one_unknown_token() -> None:
    dropped = tokenize(PatchConfig(k=4), ["ACGTAC"])
    padded = tokenize(PatchConfig(k=4, remainder="pad"), ["ACGTAC"])
    assert dropped.ids.tolist() == [[27]]
    assert padded.ids.tolist() == [[27, 256]]
    assert padded.spans.tolist() == [[[0, 4], [4, 6]]]


@pytest.mark.parametrize(("remainder", "shortest"), [("drop", 4), ("pad", 1)])
def test_the_shortest_sequence_with_a_token(remainder: str, shortest: int) -> None:
    tokenizer = PatchConfig(k=4, remainder=remainder).build()
    assert tokenizer.minimum_length == shortest
    assert tokenizer.count(shortest) == 1
    assert tokenizer.count(shortest - 1) == 0
    assert tokenizer(torch.zeros(1, 2, dtype=torch.uint8), torch.tensor([2])).mask.sum() == (
        remainder == "pad"
    )
