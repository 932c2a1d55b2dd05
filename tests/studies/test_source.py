from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError
from tests.planted import plant

from attendna.core.errors import UserError
from attendna.studies.source import TaskSource
from attendna.tasks.store import open_task


def test_tables_are_imported_split_and_cropped(tmp_path: Path) -> None:
    task = plant(tmp_path / "planted", lengths=(40, 40))
    task.read("train").frame.select("sequence", "label").write_csv(tmp_path / "rows.csv")
    source = TaskSource.model_validate(
        {
            "tables": {"files": {"train": "$data/rows.csv"}},
            "split": {"split_by": "sequence", "test_fraction": 0.25},
            "crop": {"length": 30, "start": 5},
        }
    )
    made = source.make(tmp_path / "out" / "task", {"data": str(tmp_path)})
    spec = open_task(made).spec
    assert (spec.name, spec.window) == ("task", 30)
    assert spec.rows["test"] == 60
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["task"]
    whole = set(task.read("train").frame["sequence"].str.slice(5, 30))
    parts = pl.concat([open_task(made).read(split).frame for split in spec.rows])
    assert set(parts["sequence"]) == whole
    # What is there is left as it is, even where its source is gone.
    assert source.make(made, {"data": "gone"}) == made


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    source = TaskSource(folder="$data/task")
    assert source.make(tmp_path / "out", {"data": "/d"}) == Path("/d/task")
    assert not (tmp_path / "out").exists()


def test_a_builder_is_run(tmp_path: Path) -> None:
    source = TaskSource.model_validate({"build": {"name": "promoters", "tss": "$data/gone.bed"}})
    with pytest.raises(UserError):
        source.make(tmp_path / "out", {"data": str(tmp_path)})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "tree", [{}, {"folder": "a", "get": "b"}, {"build": {"name": "promotors"}}]
)
def test_a_task_has_one_source(tree: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"give one of|build\.name is one of"):
        TaskSource.model_validate(tree)
