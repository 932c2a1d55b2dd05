from pathlib import Path

import numpy as np
import pytest
from tests.planted import plant

from attendna.core.errors import DataError, FolderError
from attendna.tasks.crop import CropRule, crop
from attendna.tasks.store import open_task


def test_a_fixed_stretch_is_kept(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    made = crop(task.folder, tmp_path / "out", CropRule(length=10, start=3))
    for split in task.splits:
        before, after = task.read(split).frame, made.read(split).frame
        assert after["sequence"].to_list() == before["sequence"].str.slice(3, 10).to_list()
        assert after.drop("sequence").equals(before.drop("sequence"))
    assert open_task(tmp_path / "out").spec.window == 10
    assert "start: 3" in (tmp_path / "out" / "crop.yaml").read_text()


def test_random_stretches_are_drawn_from_all_of_the_sequence(tmp_path: Path) -> None:
    task = plant(tmp_path / "task", lengths=(40, 40))
    rule = CropRule(length=30, seed=1)
    made = crop(task.folder, tmp_path / "out", rule)
    pairs = zip(
        task.read("train").frame["sequence"], made.read("train").frame["sequence"], strict=True
    )
    starts = [whole.find(part) for whole, part in pairs]
    assert np.unique(starts).tolist() == list(range(11))
    again = crop(task.folder, tmp_path / "again", rule)
    assert again.read("train").frame.equals(made.read("train").frame)


def test_what_cannot_be_cropped_is_refused(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    with pytest.raises(DataError, match=r"row 1: the sequence has 45 bases, not 48"):
        crop(task.folder, tmp_path / "out", CropRule(length=48))
    assert not (tmp_path / "out").exists()
    with pytest.raises(FolderError, match="exists"):
        crop(task.folder, task.folder, CropRule(length=5))
