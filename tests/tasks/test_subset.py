from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.planted import plant

from attendna.core.errors import ConfigError, DataError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import TaskSpec
from attendna.tasks.splits import group_by_sequence
from attendna.tasks.store import write_task
from attendna.tasks.subset import SubsetRule, draw_evenly, subset


def test_as_many_of_each_class_are_drawn() -> None:
    labels = np.array([0] * 50 + [1] * 3 + [2] * 20)
    rows = draw_evenly(labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [10, 3, 10]
    assert (np.diff(rows) > 0).all()
    again = draw_evenly(labels, 10, np.random.default_rng(0))
    assert (rows == again).all()
    assert (rows != draw_evenly(labels, 10, np.random.default_rng(1))).any()


def test_a_small_task_is_split_as_published(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    task.path("test").unlink()
    task.path("valid").unlink()
    made = subset(task.folder, tmp_path / "small", SubsetRule(rows_a_class=50, valid_share=0.2))
    assert made.spec.rows == {"train": 80, "valid": 20}
    ids = set(task.read("train").ids)
    for split, each in (("train", 40), ("valid", 10)):
        rows = made.read(split)
        assert np.bincount(rows.labels).tolist() == [each, each]
        assert set(rows.ids) <= ids
    assert "50 training rows of each class (seed 42)" in made.spec.splits


def test_the_validation_rows_may_stay(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    made = subset(task.folder, tmp_path / "small", SubsetRule(rows_a_class=10))
    assert made.read("valid").ids == task.read("valid").ids
    assert made.splits == ("train", "valid")


def test_twins_share_a_split(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACGT"), 20)) for _ in range(20)]
    twins = SequenceBatch.from_text(texts).reverse_complement().to_text()
    frame = pl.DataFrame(
        {
            "id": [str(row) for row in range(40)],
            "sequence": [*texts, *twins],
            "label": [row % 2 for row in range(20)] * 2,
        }
    )
    spec = TaskSpec(name="twins", label_kind="binary", classes=("no", "yes"))
    write_task(tmp_path / "task", spec, {"train": frame})
    rule = SubsetRule(rows_a_class=20, valid_share=0.3)
    made = subset(tmp_path / "task", tmp_path / "small", rule)
    parts = [made.read(split) for split in ("train", "valid")]
    both = SequenceBatch.from_text([text for part in parts for text in part.sequences.to_text()])
    groups = group_by_sequence(both)
    count = len(parts[0])
    assert not set(groups[:count]) & set(groups[count:])


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    with pytest.raises(DataError, match="'background' has 120 rows, not 500"):
        subset(task.folder, tmp_path / "small", SubsetRule(rows_a_class=500))
    spec = TaskSpec(name="shares", label_kind="regression", classes=("a",))
    frame = pl.DataFrame({"id": ["1"], "sequence": ["ACGT"], "label": [[0.5]]})
    write_task(
        tmp_path / "numbers", spec, {"train": frame, "valid": frame.with_columns(id=pl.lit("2"))}
    )
    with pytest.raises(ConfigError, match="regression labels"):
        subset(tmp_path / "numbers", tmp_path / "small", SubsetRule(rows_a_class=2))
    assert not (tmp_path / "small").exists()
