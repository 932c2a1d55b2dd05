import numpy as np
import pytest

from attendna.genome.alphabet import reverse_complement
from attendna.genome.occurrences import find_occurrences
from attendna.genome.reference import open_reference
from attendna.genome.sequences import SequenceBatch

RANDOM = np.random.default_rng(0)
GENOME = RANDOM.integers(0, 4, 20_000, dtype=np.uint8)


def changed(codes: np.ndarray, count: int) -> np.ndarray:
    """A copy with so many other bases, in its first half."""
    codes = codes.copy()
    places = np.arange(count) * (codes.size // 2) // max(count, 1)
    codes[places] = (codes[places] + 1) % 4
    return codes


def test_sequences_are_found_on_either_strand() -> None:
    plus, minus = GENOME[500:600], reverse_complement(GENOME[9_000:9_300].copy())
    absent = np.random.default_rng(1).integers(0, 4, 300, dtype=np.uint8)
    found = find_occurrences(GENOME, SequenceBatch.from_codes([plus, minus, absent]))
    assert sorted(map(tuple, found.tolist())) == [(500, 600), (9_000, 9_300)]


def test_a_sequence_is_found_wherever_it_lies() -> None:
    twice = np.concatenate([GENOME, GENOME[100:300], GENOME])
    found = find_occurrences(twice, SequenceBatch.from_codes([GENOME[120:220]]))
    assert sorted(found[:, 0].tolist()) == [120, 20_020, 20_320]


@pytest.mark.parametrize(("changes", "places"), [(0, 1), (10, 1), (25, 0)])
def test_individuals_differ_in_some_bases(changes: int, places: int) -> None:
    sequences = SequenceBatch.from_codes([changed(GENOME[300:500], changes)])
    assert len(find_occurrences(GENOME, sequences)) == places


def test_n_and_short_sequences_are_no_words() -> None:
    short = SequenceBatch.from_codes([GENOME[:20], np.full(100, 4, np.uint8), GENOME[:0]])
    assert len(find_occurrences(GENOME, short)) == 0
    with_n = GENOME[1_000:1_100].copy()
    with_n[5] = 4
    assert len(find_occurrences(GENOME, SequenceBatch.from_codes([with_n]))) == 1


def test_rows_at_the_ends_of_chunks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attendna.genome.occurrences._CHUNK", 128)
    rows = SequenceBatch.from_codes([GENOME[start : start + 60] for start in range(0, 3_000, 97)])
    assert len(find_occurrences(GENOME, rows)) == len(rows)


def test_real_sequences_lie_where_they_were_cut(shared) -> None:
    genome = open_reference(shared / "genome" / "sacCer3.fa.gz")
    starts = np.random.default_rng(0).integers(0, genome.codes.size - 400, 50)
    rows = [np.asarray(genome.codes[start : start + 400]) for start in starts]
    found = {tuple(pair) for pair in find_occurrences(genome.codes, SequenceBatch.from_codes(rows))}
    assert {(int(start), int(start) + 400) for start in starts} <= found
