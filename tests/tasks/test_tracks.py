"""Reading folders of tracks: lazily, only what was opened, and never what is damaged."""

import pickle
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.track_folders import BINS, TRACKS, WINDOW, write_records, write_track_task

from attendna.core.errors import ConfigError, DataError, FolderError, MissingExtraError, UserError
from attendna.tasks.store import open_task
from attendna.tasks.tracks import is_track_task, open_track_task

pytest.importorskip("zarr")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_track_task(tmp_path / "t").folder


def test_records_come_back_in_any_order(folder: Path) -> None:
    task = open_track_task(folder)
    assert task.splits == ("train", "valid", "test")
    assert task.targets["assay"].to_list() == ["CAGE", "CAGE", "histone ChIP"]
    train = task.read("train")
    assert len(train) == 5
    found = train.read([4, 0, 4])
    assert found.sequences.dtype == np.uint8
    assert found.targets.dtype == np.float16
    assert found.sequences[:, 0].tolist() == [0, 0, 0]
    assert found.targets.shape == (3, BINS, TRACKS)
    assert found.targets[:, 0, 0].tolist() == [4, 0, 4]
    parts = list(train.batches(2, np.array([3, 1, 2])))
    assert [part.targets[:, 0, 0].tolist() for part in parts] == [[3, 1], [2]]
    assert sum(len(part.sequences) for part in train.batches(2)) == 5
    again = pickle.loads(pickle.dumps(train))
    assert again.sequences([1])[0].tolist() == [1] * WINDOW
    with pytest.raises(IndexError):
        train.read([5])


def test_bins_are_pooled_on_reading(folder: Path) -> None:
    task = open_track_task(folder)
    wide = task.read("train", bin_size=16)
    assert (wide.spec.bins, wide.spec.bin_size, wide.spec.crop) == (4, 16, 16)
    assert wide.targets([3]).tolist() == [[[3.0] * 3] * 4]
    assert task.read("train", bin_size=64, pooling="sum").targets([3]).tolist() == [[[24.0] * 3]]
    for bin_size in (4, 12, 48, 128):
        with pytest.raises(ConfigError, match="choose a multiple of 8 that divides 64"):
            task.read("train", bin_size=bin_size)


def test_training_cannot_reach_the_test_records(folder: Path) -> None:
    shutil.rmtree(folder / "test.zarr")
    (folder / "test.parquet").unlink()
    task = open_track_task(folder, splits=("train", "valid"))
    assert task.splits == ("train", "valid")
    with pytest.raises(FolderError, match="open for train, valid only, not test"):
        task.read("test")
    with pytest.raises(DataError):
        open_track_task(folder)


def test_a_split_that_is_not_there_is_named(folder: Path) -> None:
    card = folder / "task.yaml"
    card.write_text(card.read_text().replace("  valid: 2\n", ""))
    with pytest.raises(FolderError, match="has no valid split, only train, test"):
        open_track_task(folder, ("train", "valid"))
    assert open_track_task(folder).splits == ("train", "test")


def test_the_hash_is_of_the_records_of_training_and_validation(tmp_path: Path) -> None:
    one, other = (write_track_task(tmp_path / name) for name in "ab")
    assert one.split_hash() == other.split_hash()
    assert open_track_task(one.folder, ("train", "valid")).split_hash() == one.split_hash()
    assert open_track_task(one.folder, ("train",)).split_hash() != one.split_hash()


def test_folders_that_are_none_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    assert is_track_task(folder)
    assert not is_track_task(tmp_path)
    with pytest.raises(FolderError, match="is not a task folder"):
        open_track_task(tmp_path)
    with pytest.raises(FolderError, match="is a task of tracks; choose one of sequences"):
        open_task(folder)
    card = folder / "task.yaml"
    for old, new in (
        ("format: 1", "format: 9"),
        ("bins: 8", "bins: 9"),
        ("tracks: 3", "tracks: 4"),
        ("train: 5", "train: 6"),
        ("target_type: float16", "target_type: float32"),
    ):
        text = card.read_text()
        card.write_text(text.replace(old, new))
        with pytest.raises(UserError) as caught:
            open_track_task(folder)
        assert "\n" not in str(caught.value)
        card.write_text(text)
    open_track_task(folder)


def test_without_zarr_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[tracks\]"):
        open_track_task(folder)


def test_a_record_that_is_missing_or_damaged_is_never_read(folder: Path) -> None:
    """A flipped bit or a lost end anywhere in a chunk is an error, and no other record suffers."""
    train = open_track_task(folder).read("train")
    random_ = random.Random(0)
    for name, chunk in (("sequence", "c.2.0"), ("target", "c.2.0.0")):
        path = folder / "train.zarr" / name / chunk
        content = path.read_bytes()
        for turn in range(60):
            damaged = bytearray(content)
            damaged[random_.randrange(len(damaged))] ^= 1 << random_.randrange(8)
            if turn % 3 == 0:
                damaged = damaged[: random_.randrange(len(damaged))]
            path.write_bytes(damaged)
            with pytest.raises(DataError, match="row 3: the record is damaged"):
                train.read([1, 2])
            assert train.read([1, 3]).targets[:, 0, 0].tolist() == [1, 3]
        path.unlink()
        with pytest.raises(DataError, match=f"1 records of {name} are missing"):
            open_track_task(folder)
        if name == "sequence":
            with pytest.raises(DataError, match="row 3: the record is missing"):
                train.sequences([1, 2])
        path.write_bytes(content)
    assert train.read([2]).targets[0, 0, 0] == 2


@pytest.mark.parametrize("name", ["train.parquet", "targets.parquet", "train.zarr/zarr.json"])
def test_damage_of_tables_is_one_line(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    for size in (0, 10, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(DataError) as caught:
            open_track_task(folder)
        assert "\n" not in str(caught.value)


def test_the_helper_writes_what_it_says(tmp_path: Path) -> None:
    held = write_records(tmp_path / "records")
    assert {split: len(records) for split, records in held.items()} == {
        "train": 5,
        "valid": 2,
        "test": 2,
    }
