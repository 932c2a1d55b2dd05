from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import FolderError
from attendna.tasks.resplit import resplit
from attendna.tasks.spec import TaskSpec
from attendna.tasks.split_rule import SplitRule
from attendna.tasks.store import open_task, write_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    texts = ["".join(letters) for letters in random.choice(list("ACGT"), (90, 50))]
    frame = pl.DataFrame(
        {"id": [f"r{i}" for i in range(90)], "sequence": texts, "label": [0, 1] * 45, "note": texts}
    )
    frames = {"train": frame[:60], "valid": frame[60:70], "test": frame[70:]}
    spec = TaskSpec(name="first", label_kind="binary", classes=("no", "yes"))
    write_task(tmp_path / "first", spec, frames)
    return tmp_path / "first"


def test_rows_keep_their_columns_and_the_folder_tells_how(folder: Path, tmp_path: Path) -> None:
    rule = SplitRule(split_by="sequence", test_fraction=0.2)
    made = resplit(folder, tmp_path / "second", rule)
    task = open_task(tmp_path / "second")
    assert task.spec.rows == {"train": 62, "valid": 10, "test": 18}
    frame = pl.concat([task.read(split).frame for split in task.splits])
    assert frame["note"].to_list() == frame["sequence"].to_list()
    assert set(frame["id"]) == {f"r{i}" for i in range(90)}
    assert task.spec.splits == rule.told
    assert made.record.left_out == 0
    assert "split_by: sequence" in (tmp_path / "second" / "split.yaml").read_text()


def test_nothing_is_replaced_unasked(folder: Path) -> None:
    with pytest.raises(FolderError, match="exists"):
        resplit(folder, folder, SplitRule(split_by="sequence"))
