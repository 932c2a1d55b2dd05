"""The column of labels of each kind of task."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError, DataError
from attendna.tasks.labels import check_labels, read_labels
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import open_task, task_writer, write_task

TRACKS = ("a", "b", "c")
MULTILABEL = TaskSpec(name="peaks", label_kind="multilabel", classes=TRACKS)
REGRESSION = TaskSpec(name="values", label_kind="regression", classes=TRACKS)


def frame(labels: pl.Series) -> pl.DataFrame:
    n = len(labels)
    return pl.DataFrame(
        {"id": [f"r{i}" for i in range(n)], "sequence": ["ACGT"] * n, "label": labels}
    )


def test_positive_tracks_are_read_sparse_and_made_dense(tmp_path: Path) -> None:
    labels = pl.Series([[0, 2], [], [1], [0, 1, 2]], dtype=pl.List(pl.UInt16))
    write_task(tmp_path / "t", MULTILABEL, {"train": frame(labels)})
    split = open_task(tmp_path / "t").read("train")
    assert split.labels.dtype == np.uint16
    assert split.labels.tolist() == [0, 2, 1, 0, 1, 2]
    assert split.offsets is not None
    assert split.offsets.tolist() == [0, 2, 2, 3, 6]
    dense = split.label_table(np.array([3, 1, 0]), 3)
    assert dense.tolist() == [[1, 1, 1], [0, 0, 0], [1, 0, 1]]
    assert len(split) == 4


def test_missing_values_are_null_on_disk_and_nan_in_memory(tmp_path: Path) -> None:
    labels = pl.Series([[0.5, None, 0.0], [None, None, 1.0]], dtype=pl.List(pl.Float32))
    write_task(tmp_path / "t", REGRESSION, {"train": frame(labels)})
    stored = pl.read_parquet(tmp_path / "t" / "train.parquet")["label"]
    assert stored.dtype == pl.List(pl.Float32)
    assert stored.to_list()[0] == [0.5, None, 0.0]
    values = open_task(tmp_path / "t").read("train").labels
    assert values.dtype == np.float32
    assert np.array_equal(
        values, np.array([[0.5, np.nan, 0], [np.nan, np.nan, 1]], np.float32), equal_nan=True
    )


def test_labels_read_alike_from_a_slice() -> None:
    labels = pl.Series([[0], [1, 2], [], [2]], dtype=pl.List(pl.UInt16))
    part = read_labels(labels.slice(1, 2), "multilabel", 3)
    assert part.values.tolist() == [1, 2]
    assert part.dense(np.array([0, 1]), 3).tolist() == [[0, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("spec", "labels", "complaint"),
    [
        (MULTILABEL, pl.Series([[0], [3]]), r"row 2: the label is no rising list"),
        (MULTILABEL, pl.Series([[0], [-1]]), r"row 2: the label is no rising list"),
        (MULTILABEL, pl.Series([[1, 1], [0]]), r"row 1: the label is no rising list"),
        (MULTILABEL, pl.Series([[2, 1], [0]]), r"row 1: the label is no rising list"),
        (MULTILABEL, pl.Series([[0], [None, 1]]), r"row 2: the label is no rising list"),
        (MULTILABEL, pl.Series([0, 1]), r"make it lists of track numbers"),
        (REGRESSION, pl.Series([[0.1, 0.2, 0.3], [0.1]]), r"row 2: .* one value for each of 3"),
        (REGRESSION, pl.Series([["x"], ["y"]]), r"make it lists of numbers"),
    ],
)
def test_labels_of_another_kind_are_refused(
    spec: TaskSpec, labels: pl.Series, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        check_labels(Path("train.parquet"), labels, spec)


def test_a_task_is_written_part_by_part(tmp_path: Path) -> None:
    labels = pl.Series([[0], [1]], dtype=pl.List(pl.UInt16))
    with task_writer(tmp_path / "t", MULTILABEL) as writer:
        writer.add("test", frame(labels).with_columns(id=pl.format("x{}", "id")))
        writer.add("train", frame(labels))
        writer.add("train", frame(labels).with_columns(id=pl.format("y{}", "id")))
    task = open_task(tmp_path / "t")
    assert task == writer.task
    assert task.spec.rows == {"train": 4, "test": 2}
    assert task.spec.window == 4
    assert task.read("train").ids == ("r0", "r1", "yr0", "yr1")


@pytest.mark.parametrize("kind", [float("inf"), -float("inf")])
def test_measurements_may_be_missing_but_not_infinite(kind: float) -> None:
    spec = TaskSpec(name="t", label_kind="regression", classes=("a", "b"))
    labels = pl.Series([[0.5, None], [float("nan"), 1e16]])
    check_labels(Path("train.parquet"), labels, spec)
    assert np.isnan(read_labels(labels, "regression", 2).values).tolist() == [
        [False, True], [True, False]
    ]  # fmt: skip
    with pytest.raises(DataError, match="row 2: a value of the label is infinite"):
        check_labels(Path("train.parquet"), pl.Series([[0.5, None], [1.0, kind]]), spec)


def test_a_task_without_classes_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the task peaks has multilabel labels"):
        _ = MULTILABEL.class_kind


def test_some_rows_of_sparse_lists_are_those_rows() -> None:
    lists = [[0, 2], [], [1], [0, 1, 2]]
    labels = read_labels(pl.Series(lists, dtype=pl.List(pl.UInt16)), "multilabel", 3)
    few = labels.take(np.array([3, 1, 0]))
    assert few.offsets is not None
    assert few.values.tolist() == [0, 1, 2, 0, 2]
    assert few.offsets.tolist() == [0, 3, 3, 5]
