"""What is encoded, when, and where it is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.words import spell, vocabulary

from attendna.genome.sequences import SequenceBatch
from attendna.tokens import bpe_store
from attendna.tokens.bpe_store import BPEStore


class Counting:
    """The encoder, with a count of the sequences it was asked for."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.asked = 0

    def encode_batch_fast(self, texts: list[str], **options: Any) -> Any:
        self.asked += len(texts)
        return self.encoder.encode_batch_fast(texts, **options)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BPEStore:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    return counting()


def counting() -> BPEStore:
    store = BPEStore(vocabulary())
    store.encoder = Counting(store.encoder)
    return store


def random(count: int, seed: int = 0) -> SequenceBatch:
    generator = np.random.default_rng(seed)
    bounds = np.concatenate([[0], generator.integers(0, 60, count).cumsum()])
    return SequenceBatch(generator.integers(0, 4, bounds[-1], dtype=np.uint8), bounds)


def read(store: BPEStore, batch: SequenceBatch) -> list[list[int]]:
    ids, counts = store.read(*batch.padded())
    assert ids.dtype == np.int32
    assert (ids[np.arange(ids.shape[1]) >= counts[:, None]] == store.padding).all()
    return [row[:count].tolist() for row, count in zip(ids, counts, strict=True)]


def expected(batch: SequenceBatch) -> list[list[int]]:
    words = vocabulary()
    return [[words.ids[w] for w in spell(t, list(words.merges))] for t in batch.to_text()]


def test_ids_equal_the_merges_done_by_hand(store: BPEStore) -> None:
    batch = random(80)
    assert read(store, batch) == expected(batch)


def test_a_sequence_is_encoded_once(store: BPEStore) -> None:
    batch = random(60)
    for start in (0, 20, 40, 10, 0):
        rows = np.arange(start, start + 20)
        assert read(store, batch.take(rows)) == expected(batch.take(rows))
    assert store.encoder.asked == len(set(batch.to_text()))
    # Kept in few tables, however many batches there were.
    assert len(store._met) <= 3


def test_what_is_kept_has_a_bound(store: BPEStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpe_store, "IDS_KEPT", 100)
    batch = random(60)
    assert read(store, batch) == read(store, batch) == expected(batch)
    assert not store._met


def test_read_ahead_lies_on_disk_for_the_next_process(store: BPEStore, tmp_path: Path) -> None:
    batch = random(50)
    both = SequenceBatch.joined([batch, batch.reverse_complement()])
    store.read_ahead(batch, both_strands=True)
    asked = store.encoder.asked
    assert asked == len(set(both.to_text()))
    assert read(store, both) == expected(both)
    store.read_ahead(batch, both_strands=True)
    other = counting()
    other.read_ahead(batch, both_strands=True)
    assert read(other, both) == expected(both)
    assert (store.encoder.asked, other.encoder.asked) == (asked, 0)
    (folder,) = (tmp_path / "cache" / "tokens").iterdir()
    assert folder.name == store.digest
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1


def test_one_strand_and_other_sequences_are_other_files(store: BPEStore, tmp_path: Path) -> None:
    store.read_ahead(random(5), both_strands=True)
    store.read_ahead(random(5), both_strands=False)
    store.read_ahead(random(5, seed=1), both_strands=False)
    store.read_ahead(random(0), both_strands=False)
    (folder,) = (tmp_path / "cache" / "tokens").iterdir()
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 3


def test_a_damaged_cache_is_made_anew(store: BPEStore, tmp_path: Path) -> None:
    store.read_ahead(random(30), both_strands=False)
    (file,) = (tmp_path / "cache").rglob("ids.npy")
    file.write_bytes(file.read_bytes()[:-3])
    other = counting()
    other.read_ahead(random(30), both_strands=False)
    assert other.encoder.asked == store.encoder.asked
    assert read(other, random(30)) == expected(random(30))


def test_without_a_cache_folder_it_stays_in_memory(
    store: BPEStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "file"))
    store.read_ahead(random(30), both_strands=False)
    asked = store.encoder.asked
    assert read(store, random(30)) == expected(random(30))
    assert store.encoder.asked == asked


def test_large_vocabularies_need_wider_numbers() -> None:
    words = vocabulary()
    assert BPEStore(words).dtype == np.uint16
