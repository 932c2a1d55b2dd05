from pathlib import Path

import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.core.errors import DataError, FolderError
from attendna.tasks.audit.rows import read_rows
from attendna.tasks.store import Task


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
