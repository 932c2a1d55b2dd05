"""Records in the order of their files, in units of work."""

from pathlib import Path

import polars as pl
from tests.tasks.track_folders import write_records

from attendna.tasks.track_plan import record_rows, record_units, window_units
from attendna.tasks.track_records import find_records
from attendna.tasks.track_splits import with_slots


def test_each_file_is_a_unit(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    folder = find_records(tmp_path / "r")
    counts = {"train": 5, "valid": 2, "test": 2}
    held = [2, 2, 2, 1, 2]
    rows = record_rows(folder, held, folder.places(counts))
    assert rows["id"].to_list()[2:5] == ["train-0:1", "train-0:2", "train-1:1"]
    assert rows["start"].to_list()[:3] == [7 * 96, 8 * 96, 0]
    units = list(record_units(folder, held, with_slots(rows, rows["group"].to_list())))
    assert [unit.path.name for unit in units][3:] == ["train-2.tfr", "valid-0.tfr"]
    assert units[3].slots == (("train", 4),)
    assert units[4].places.rows() == [("chr1", 480, 576), ("chr1", 576, 672)]
    assert record_rows(folder, held, None)["chrom"].null_count() == 9


def test_windows_are_taken_a_few_at_a_time() -> None:
    rows = pl.DataFrame({"chrom": ["a"] * 5, "start": range(5), "end": range(1, 6)})
    units = list(window_units(with_slots(rows, ["train", "test", "train", "test", "test"]), 2))
    assert [len(unit.slots) for unit in units] == [2, 2, 1]
    assert units[2].slots == (("test", 2),)
