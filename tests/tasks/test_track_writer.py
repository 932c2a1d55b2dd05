"""Writing folders of tracks: whole or not at all, with values as they were given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy import ndarray
from tests.tasks.track_folders import TABLE, write_track_task

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.tasks.track_spec import TrackSpec
from attendna.tasks.track_targets import read_targets
from attendna.tasks.track_writer import Records, Slot, track_writer
from attendna.tasks.tracks import open_track_task

pytest.importorskip("zarr")


def spec(**settings: object) -> TrackSpec:
    shape = {"name": "t", "window": 16, "bin_size": 4, "bins": 3, "crop": 2, "tracks": 3}
    return TrackSpec(**({"rows": {"train": 2}} | shape | settings))


def test_what_is_told_of_records_is_kept(tmp_path: Path) -> None:
    task = write_track_task(tmp_path / "t")
    frame = open_track_task(task.folder).read("train").frame
    assert frame.columns == ["id", "chrom", "start", "end", "unknown", "masked", "digest"]
    assert frame["id"].to_list() == [f"train{n}" for n in range(5)]
    assert frame["digest"].n_unique() == 5


def test_masked_and_unknown_are_counted_and_kept(tmp_path: Path) -> None:
    (tmp_path / "targets.txt").write_text(TABLE)
    targets = read_targets(tmp_path / "targets.txt")
    codes, values = np.full(16, 4, np.uint8), np.ones((3, 3))
    values[1, 2] = np.nan
    half = half_written(tmp_path / "t", targets, codes, values)
    with pytest.raises(RuntimeError, match="not all records"):
        half()
    assert not list(tmp_path.glob("**/*.zarr"))


def half_written(
    folder: Path, targets: pl.DataFrame, codes: ndarray, values: ndarray
) -> Callable[[], None]:
    def write() -> None:
        with track_writer(folder, spec(), targets) as writer:
            (told,) = writer.records.write([(Slot("train", 1), codes, values)])
            assert (told.unknown, told.masked) == (16, 1)
            writer.tell([told])
            assert writer.counts == {"unknown bases": 16, "masked values": 1}
            writer.finish({})

    return write


def test_a_value_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "targets.txt").write_text(TABLE)
    targets = read_targets(tmp_path / "targets.txt")
    record = [(Slot("train", 0), np.zeros(16, np.uint8), np.full((3, 3), 7e4))]
    with (
        pytest.raises(ConfigError, match="70,000 does not fit float16; add --target-type float32"),
        track_writer(tmp_path / "t", spec(), targets) as writer,
    ):
        writer.records.write(record)
    with track_writer(tmp_path / "u", spec(target_type="float32"), targets) as writer:
        assert isinstance(writer.records, Records)
        assert len(writer.records.write(record)) == 1
        other = [(Slot("train", 1), *record[0][1:])]
        writer.tell(writer.records.write(other + record))
        frame = pl.DataFrame({"id": ["a", "b"], "chrom": "c", "start": 0, "end": 1})
        writer.finish({"train": frame})
    assert open_track_task(tmp_path / "u").read("train").targets([0])[0, 0, 0] == 7e4


def test_impossible_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "targets.txt").write_text(TABLE)
    targets = read_targets(tmp_path / "targets.txt")
    for settings, kind in (({"rows": {}}, FolderError), ({"tracks": 2}, DataError)):
        with pytest.raises(kind), track_writer(tmp_path / "t", spec(**settings), targets):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["targets.txt"]
