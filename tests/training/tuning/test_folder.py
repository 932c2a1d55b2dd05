from pathlib import Path
from typing import Any

import pytest

from attendna.core.errors import DataError, FolderError
from attendna.tasks.store import Task, open_task
from attendna.training.tuning.folder import TuneFolder
from attendna.training.tuning.search import Search


def test_a_folder_is_of_one_search(tree: dict[str, Any], task: Task, tmp_path: Path) -> None:
    folder, opened = TuneFolder(tmp_path / "out"), open_task(task.folder, ("train", "valid"))
    first = folder.begin(Search.model_validate(tree), opened, None)
    assert folder.begin(Search.model_validate(tree), opened, None) == first
    tree["base"]["trainer"]["epochs"] = 2
    with pytest.raises(FolderError, match=r"another search\.base\.trainer\.epochs"):
        folder.begin(Search.model_validate(tree), opened, None)


def test_other_folders_are_left_alone(tree: dict[str, Any], task: Task, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    opened = open_task(task.folder, ("train", "valid"))
    with pytest.raises(FolderError, match="not of a search"):
        TuneFolder(tmp_path).begin(Search.model_validate(tree), opened, None)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_small_task_is_drawn_once(tree: dict[str, Any], task: Task, tmp_path: Path) -> None:
    folder, opened = TuneFolder(tmp_path / "out"), open_task(task.folder, ("train", "valid"))
    search = Search.model_validate(tree)
    few = search.replace(subset={"rows_a_class": 10, "valid_share": 0.2, "best": 1})
    folder.subset.mkdir(parents=True)  # What a beginning that was killed leaves.
    folder.begin(few, opened, None)
    time = (folder.subset / "train.parquet").stat().st_mtime_ns
    folder.begin(few, opened, None)
    assert (folder.subset / "train.parquet").stat().st_mtime_ns == time
    assert open_task(folder.subset).spec.rows == {"train": 16, "valid": 4}


def test_nothing_is_begun_with_too_few_rows(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    folder, opened = TuneFolder(tmp_path / "out"), open_task(task.folder, ("train", "valid"))
    search = Search.model_validate(tree)
    with pytest.raises(DataError, match="draw fewer rows"):
        folder.begin(search.replace(subset={"rows_a_class": 500}), opened, None)
    folder.begin(search.replace(subset={"rows_a_class": 5}), opened, None)
