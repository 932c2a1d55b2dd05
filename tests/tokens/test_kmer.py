"""k-mers against a reading of the letters, one word at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.kmer import KmerConfig

SEQUENCES = st.lists(st.text("ACGTN", max_size=40), min_size=1, max_size=5)


def words(sequence: str, k: int, stride: int) -> list[str]:
    return [sequence[i : i + k] for i in range(0, len(sequence) - k + 1, stride)]


def word_id(word: str) -> int:
    if "N" in word:
        return 4 ** len(word)
    return sum("ACGT".index(base) * 4**place for place, base in enumerate(reversed(word)))


def tokenize(config: KmerConfig, sequences: list[str]):
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    return config.build()(torch.tensor(codes), torch.tensor(lengths))


@given(SEQUENCES, st.integers(1, 8), st.integers(1, 9))
def test_ids_masks_and_spans_are_those_of_the_letters(
    sequences: list[str], k: int, stride: int
) -> None:
    tokens = tokenize(KmerConfig(k=k, stride=stride), sequences)
    for row, sequence in enumerate(sequences):
        expected = words(sequence, k, stride)
        count = int(tokens.mask[row].sum())
        assert tokens.mask[row, :count].all()
        assert tokens.ids[row, :count].tolist() == [word_id(word) for word in expected]
        spans = tokens.spans[row, :count].tolist()
        assert spans == [[i * stride, i * stride + k] for i in range(len(expected))]
        assert (tokens.spans[row, count:] == 0).all()


@pytest.mark.parametrize("k", range(1, 9))
def test_ids_follow_the_lexical_order(k: int) -> None:
    digits = np.arange(4**k)[:, None] >> (2 * np.arange(k)[::-1])
    codes = torch.from_numpy((digits & 3).astype(np.uint8))
    tokens = KmerConfig(k=k).build()(codes, torch.full((4**k,), k))
    assert torch.equal(tokens.ids[:, 0], torch.arange(4**k, dtype=torch.int32))


def test_the_first_base_counts_most() -> None:
    assert tokenize(KmerConfig(k=3), ["AAC", "CAA", "NAA"]).ids.tolist() == [[1], [16], [64]]


@pytest.mark.parametrize("k", range(1, 9))
def test_any_number_of_unknown_bases_gives_the_one_unknown_id(k: int) -> None:
    for unknown in range(1, k + 1):
        for start in range(k - unknown + 1):
            sequence = "T" * start + "N" * unknown + "T" * (k - start - unknown)
            assert tokenize(KmerConfig(k=k), [sequence]).ids.tolist() == [[4**k]]


def test_spans_without_padding_are_one_row_seen_many_times() -> None:
    tokens = tokenize(KmerConfig(k=4), ["ACGTACGTAC"] * 64)
    assert tokens.spans.stride(0) == 0
    assert tokens.spans.shape == (64, 7, 2)


def test_ids_are_int32() -> None:
    tokens = tokenize(KmerConfig(k=8), ["ACGTACGTAC"])
    assert (tokens.ids.dtype, tokens.spans.dtype) == (torch.int32, torch.int32)
