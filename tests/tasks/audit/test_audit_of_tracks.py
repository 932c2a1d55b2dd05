"""The audit of records of tracks: what splits share, and nothing about classes."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy import ndarray
from tests.tasks.track_folders import TABLE

from attendna.core.errors import FolderError
from attendna.core.execution import Execution
from attendna.tasks.audit.audit import audit
from attendna.tasks.audit.clean import clean
from attendna.tasks.audit.rows import RECORD, read_rows
from attendna.tasks.builders.tracks import TracksConfig
from attendna.tasks.track_spec import TrackSpec
from attendna.tasks.track_targets import read_targets
from attendna.tasks.track_writer import Slot, track_writer

pytest.importorskip("zarr")

WIDTH = 200


def write(folder: Path, held: dict[str, list[tuple[int | None, ndarray]]]) -> Path:
    """Records of every split: where they begin on chr1, and their codes."""
    (folder.parent / "targets.txt").write_text(TABLE)
    rows = {split: len(records) for split, records in held.items()}
    spec = TrackSpec(name="t", window=WIDTH, bin_size=WIDTH, bins=1, crop=0, tracks=3, rows=rows)
    with track_writer(folder, spec, read_targets(folder.parent / "targets.txt")) as writer:
        places = {}
        for split, records in held.items():
            targets = np.zeros((1, 3), np.float16)
            slots = [(Slot(split, n), codes, targets) for n, (_, codes) in enumerate(records)]
            writer.tell(writer.records.write(slots))
            begins = pl.Series([begin for begin, _ in records], dtype=pl.Int64)
            places[split] = pl.DataFrame(
                {"id": [f"{split}{n}" for n in range(len(records))], "start": begins}
            ).with_columns(
                chrom=pl.when(begins.is_not_null()).then(pl.lit("chr1")),
                end=pl.col("start") + WIDTH,
            )
        writer.finish(places)
    return folder


def test_what_splits_share_is_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    codes = [random.integers(0, 4, WIDTH, dtype=np.uint8) for _ in range(6)]
    reverse = 3 - codes[0][::-1]
    held = {
        "train": [(0, codes[0]), (1000, codes[1])],
        "valid": [(5000, reverse), (6000, codes[2])],
        "test": [(1100, codes[3]), (8000, codes[4]), (9000, codes[5])],
    }
    found = audit(write(tmp_path / "t", held))
    train, valid, test = found.splits
    assert (train.n, valid.n, test.n) == (2, 2, 3)
    assert train.level == "clean"
    assert valid.shared[0].same.count == 1
    assert valid.level == "leaks"
    assert test.shared[0].overlapping is not None
    assert test.shared[0].overlapping.count == 1
    assert not test.rules
    assert test.findings == (f"1 of 3 {RECORD} rows (33.3%) overlap training rows of their class",)


def test_records_without_places_are_compared_by_sequence(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    codes = [random.integers(0, 5, WIDTH, dtype=np.uint8) for _ in range(2)]
    held = {"train": [(None, codes[0])], "test": [(None, codes[1]), (None, codes[0])]}
    folder = write(tmp_path / "t", held)
    rows = read_rows(folder)
    assert not rows.placed
    assert rows.sequences is not None
    assert np.array_equal(rows.sequences[2], codes[0])
    assert audit(folder).splits[1].shared[0].same.count == 1


def test_only_labels_can_be_cleaned(tmp_path: Path) -> None:
    codes = np.zeros(WIDTH, np.uint8)
    folder = write(tmp_path / "t", {"train": [(0, codes)], "test": [(0, codes)]})
    with pytest.raises(FolderError, match="is a task of tracks"):
        clean(folder, tmp_path / "u")


def test_the_real_records_share_nothing(shared: Path, tmp_path: Path) -> None:
    records = shared / "tfrecords" / "hg38"
    TracksConfig(records=records).build(tmp_path / "t", Execution())
    found = audit(tmp_path / "t")
    assert [split.n for split in found.splits] == [45, 10, 10]
    for split in found.splits[1:]:
        everything = split.shared[0]
        assert everything.same.count == 0
        assert everything.overlapping is not None
        assert everything.overlapping.count == 0
        assert everything.near is not None
        assert everything.near.count == 0
    assert found.level == "clean"
