"""k-mer numbers against int() of the letters in base 4."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.alphabet import decode, encode
from attendna.genome.kmers import all_kmers, kmer_numbers, known_runs


@given(st.text("ACGT", max_size=40), st.integers(1, 15))
def test_numbers_are_the_words_in_base_four(sequence: str, k: int) -> None:
    digits = sequence.translate(str.maketrans("ACGT", "0123"))
    expected = [int(digits[i : i + k], base=4) for i in range(len(digits) - k + 1)]
    assert kmer_numbers(encode(sequence), k).tolist() == expected


def test_rows_are_numbered_one_by_one() -> None:
    rows = np.stack([encode("ACGTA"), encode("TTTTT")])
    assert kmer_numbers(rows, 2).tolist() == [[1, 6, 11, 12], [15] * 4]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_all_kmers_are_in_the_order_of_their_numbers(k: int) -> None:
    words = all_kmers(k)
    assert words == sorted(set(words))
    assert [int(kmer_numbers(encode(word), k)[0]) for word in words] == list(range(4**k))


@given(st.text("ACGTN", max_size=40))
def test_known_runs_are_what_lies_between_the_ns(sequence: str) -> None:
    assert [decode(run) for run in known_runs(encode(sequence))] == [
        part for part in sequence.split("N") if part
    ]
