from pathlib import Path

import polars as pl
import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.core.errors import DataError, FolderError
from attendna.tasks.audit.audit import audit
from attendna.tasks.audit.rows import MARKED, read_rows
from attendna.tasks.resplit import resplit
from attendna.tasks.spec import TaskSpec
from attendna.tasks.split_rule import SplitRule
from attendna.tasks.store import Task, write_task


def test_a_task_is_read_with_its_sequences(planted: Task) -> None:
    rows = read_rows(planted.folder)
    assert (rows.splits, rows.placed) == (["train", "valid", "test"], False)
    assert rows.sequences is not None
    assert rows.inside("test").sum() == 60
    assert rows.sequences.to_text()[-60:] == planted.read("test").sequences.to_text()
    some = rows.take(rows.inside("valid").nonzero()[0])
    assert some.splits == ["valid"]
    assert some.joined(some).labels.tolist() == some.labels.tolist() * 2


def test_intervals_are_the_same_whatever_their_strand_or_order(tmp_path: Path) -> None:
    tables = {"train/a": apart(3), "train/b": apart(2, 9), "test/a": apart(1)}
    rows = read_rows(write_intervals(tmp_path / "set", tables))
    assert rows.classes == ("a", "b")
    assert rows.labels.tolist() == [0, 0, 0, 1, 1, 0]
    assert rows.lengths.tolist() == [100] * 6
    identity = rows.identity
    assert identity[5] == identity[0]
    assert len(set(identity.tolist())) == 5


def test_other_folders_and_bad_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is no task folder and holds no train/CLASS"):
        read_rows(tmp_path)
    folder = write_intervals(tmp_path / "set", {"train/a": [("chr1", 9, 2)]})
    with pytest.raises(DataError, match=r"a\.csv\.gz"):
        read_rows(folder)


def marked(folder: Path) -> Task:
    """Rows with lists of tracks; a training row is there again, on the other strand, in test."""
    sequences = ["AACCGGTTAC", "ACGTACGTTT", "TTTGGGCCCA", "GTAACCGGTT"]
    frame = pl.DataFrame(
        {
            "id": list("abcd"),
            "sequence": sequences,
            "label": pl.Series([[0, 2], [], [1], [2]], dtype=pl.List(pl.UInt16)),
        }
    )
    spec = TaskSpec(name="peaks", label_kind="multilabel", classes=("x", "y", "z"))
    return write_task(folder, spec, {"train": frame[:2], "valid": frame[2:3], "test": frame[3:]})


def test_lists_of_tracks_are_rows_of_no_class(tmp_path: Path) -> None:
    task = marked(tmp_path / "task")
    rows = read_rows(task.folder)
    assert rows.classes == (MARKED,)
    assert rows.labels.tolist() == [0] * 4
    found = audit(task.folder)
    test = next(split for split in found.splits if split.split == "test")
    assert test.level == "leaks"
    assert not test.rules
    assert "rules and contradictions: the rows have tracks, not classes" in test.left_out
    rule = SplitRule(split_by="sequence", valid_fraction=0.3, test_fraction=0.3)
    dealt = resplit(task.folder, tmp_path / "dealt", rule).task
    there = {name: set(dealt.read(name).ids) for name in dealt.splits}
    assert any({"a", "d"} <= ids for ids in there.values())
    train = {row: lists for name in dealt.splits for row, lists in
             dealt.read(name).frame.select("id", "label").iter_rows()}  # fmt: skip
    assert train == {"a": [0, 2], "b": [], "c": [1], "d": [2]}
