"""Tables of ids by sequence."""

from pathlib import Path

import numpy as np
from numpy import ndarray

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.encoded import SEQUENCES_A_CHUNK, Encoded, all_keys

CALLS: list[int] = []


def doubled(batch: SequenceBatch) -> tuple[ndarray, ndarray]:
    """Every base twice, as ids: as good as any encoding."""
    CALLS.append(len(batch))
    return np.repeat(batch.codes, 2).astype(np.uint16), 2 * batch.lengths


def some(count: int, seed: int = 0, longest: int = 30) -> SequenceBatch:
    random = np.random.default_rng(seed)
    lengths = random.integers(0, longest, count)
    bounds = np.concatenate([[0], lengths.cumsum()])
    return SequenceBatch(random.integers(0, 5, bounds[-1], dtype=np.uint8), bounds)


def rows(held: Encoded, batch: SequenceBatch) -> list[list[int]]:
    places = held.find(all_keys(batch))
    assert (places >= 0).all()
    counts = held.counts(places)
    table = np.full((len(batch), int(counts.max())), 99, dtype=np.int32)
    held.fill(table, np.arange(len(batch)), places, 99)
    assert (table[np.arange(table.shape[1]) >= counts[:, None]] == 99).all()
    return [row[:count].tolist() for row, count in zip(table, counts, strict=True)]


def test_every_sequence_is_encoded_once_and_found() -> None:
    batch = some(200)
    CALLS.clear()
    held = Encoded.of(SequenceBatch.joined([batch, batch]), doubled)
    distinct = len(set(batch.to_text()))
    assert sum(CALLS) == len(held) == distinct < 200
    assert rows(held, batch) == [np.repeat(one, 2).tolist() for one in batch]
    other = SequenceBatch.from_text(["ACGT" * 30, "N"])
    assert (held.find(all_keys(other)) == -1).any()


def test_more_than_a_chunk() -> None:
    batch = some(SEQUENCES_A_CHUNK + 100, longest=12)
    CALLS.clear()
    held = Encoded.of(batch, doubled)
    assert rows(held, batch) == [np.repeat(one, 2).tolist() for one in batch]
    assert max(CALLS) <= SEQUENCES_A_CHUNK


def test_tables_join() -> None:
    batch = SequenceBatch.from_text(["ACG", "", "TT", "GATTACA", "N", "CCCC"])
    parts = [Encoded.of(batch.take(places), doubled) for places in ([0, 1], [2], [3, 4, 5])]
    whole = Encoded.of(batch, doubled)
    joined = Encoded.joined(parts)
    for name in ("first", "second", "bounds", "ids"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_nothing_is_an_empty_table() -> None:
    held = Encoded.of(some(0), doubled)
    assert len(held) == 0
    assert (held.find(all_keys(some(3))) == -1).all()


def test_a_saved_table_is_mapped_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    batch = some(50)
    assert Encoded.open(tmp_path) is None
    Encoded.of(batch, doubled).save(tmp_path)
    held = Encoded.open(tmp_path)
    assert held is not None
    assert rows(held, batch) == [np.repeat(one, 2).tolist() for one in batch]
    np.save(tmp_path / "ids.npy", held.ids[:-1])
    assert Encoded.open(tmp_path) is None
    (tmp_path / "ids.npy").write_bytes(b"cut")
    assert Encoded.open(tmp_path) is None
