"""The column ``label`` of each kind of task: its type, its check, and the arrays it becomes.

Shapes: ``b`` rows, ``t`` tracks, ``p`` positive tracks of all rows together, ``o`` = b + 1 bounds,
``k`` rows asked for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
from jaxtyping import Float32, Int8, Int64, Integer, UInt8, UInt16
from numpy import ndarray

from attendna.core.errors import DataError
from attendna.tasks.spec import LabelKind, TaskSpec

MAX_CLASSES = 127
"""Classes are stored as int8."""

MAX_TRACKS = 1 << 16
"""Positive tracks are stored as uint16."""

STORED: dict[LabelKind, Any] = {
    "binary": pl.Int8,
    "multiclass": pl.Int8,
    "multilabel": pl.List(pl.UInt16),
    "regression": pl.List(pl.Float32),
}
"""The type of the column in a task folder. A missing value of a regression is null there."""

_WANTED: dict[LabelKind, str] = {
    "binary": "class numbers",
    "multiclass": "class numbers",
    "multilabel": "lists of track numbers",
    "regression": "lists of numbers",
}


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a split, as its kind of task has them.

    values
        Class numbers int8[b]; track values float32[b, t], NaN where missing; or, of a multilabel
        task, the positive tracks uint16[p] of all rows end to end, between ``offsets``.
    """

    values: Int8[ndarray, " b"] | Float32[ndarray, "b t"] | UInt16[ndarray, " p"]
    offsets: Int64[ndarray, " o"] | None = None

    def dense(self, rows: Integer[ndarray, " k"], tracks: int) -> UInt8[ndarray, "k t"]:
        """0 and 1 for every track of some rows of a multilabel task."""
        few = self.take(rows)
        if few.offsets is None:
            raise ValueError("only multilabel labels are sparse")
        table = np.zeros((rows.size, tracks), dtype=np.uint8)
        table[np.repeat(np.arange(rows.size), np.diff(few.offsets)), few.values] = 1
        return table

    def take(self, rows: Integer[ndarray, " k"]) -> "Labels":
        """The labels of some rows, in that order."""
        if self.offsets is None:
            return Labels(self.values[rows])
        counts = self.offsets[rows + 1] - self.offsets[rows]
        offsets = np.zeros(rows.size + 1, dtype=np.int64)
        np.cumsum(counts, out=offsets[1:])
        place = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], counts)
        return Labels(self.values[place], offsets)


def read_labels(column: pl.Series, kind: LabelKind, tracks: int) -> Labels:
    """The arrays of a column that :func:`check_labels` has passed."""
    if kind == "regression":
        flat = column.explode(empty_as_null=False).cast(pl.Float32).fill_null(float("nan"))
        return Labels(flat.to_numpy().reshape(len(column), tracks))
    if kind == "multilabel":
        offsets = np.zeros(len(column) + 1, dtype=np.int64)
        np.cumsum(column.list.len().to_numpy(), out=offsets[1:])
        flat = column.explode(empty_as_null=False)
        return Labels(flat.cast(pl.UInt16).to_numpy(), offsets)
    return Labels(column.to_numpy().astype(np.int8, copy=False))


def check_labels(path: Path, column: pl.Series, spec: TaskSpec) -> None:
    """Refuse labels that are not of the task's kind.

    Raises
    ------
    DataError
        Naming the first row that is wrong.
    """
    kind, size = spec.label_kind, len(spec.classes)
    if not _is_of_type(column.dtype, kind):
        raise DataError(
            path, f"the column label is {column.dtype}", f"make it {_WANTED[kind]} for {kind}"
        )
    if kind in ("binary", "multiclass"):
        _refuse_outside(path, column, spec)
    elif kind == "multilabel":
        flat = column.list
        # Null numbers compare as wrong, too.
        wrong = (flat.max() >= min(size, MAX_TRACKS)) | (flat.min() < 0) | _unsorted(column)
        _refuse(
            path,
            wrong.fill_null(value=False),
            f"the label is no rising list of track numbers from 0 to {size - 1}",
            "sort the numbers, or correct the tracks",
        )
    else:
        _refuse(
            path,
            column.list.len() != size,
            f"the label has not one value for each of {size} tracks",
            "write null where a value is missing",
        )
        _refuse(
            path,
            column.list.eval(pl.element().is_infinite()).list.any().fill_null(value=False),
            "a value of the label is infinite",
            "clip it, or write null where it is not known",
        )


def _is_of_type(dtype: Any, kind: LabelKind) -> bool:
    if kind in ("binary", "multiclass"):
        return dtype.is_integer()
    if not isinstance(dtype, pl.List):
        return False
    inner: Any = dtype.inner
    return inner.is_integer() if kind == "multilabel" else inner.is_numeric()


def _refuse_outside(path: Path, column: pl.Series, spec: TaskSpec) -> None:
    outside = (column < 0) | (column >= min(len(spec.classes), MAX_CLASSES + 1))
    if outside.any():
        value = column[int(cast("int", outside.arg_max()))]
        _refuse(
            path,
            outside,
            f"the label {value} is none of 0 to {len(spec.classes) - 1} "
            f"({', '.join(spec.classes)})",
            "correct the label or the classes",
        )
    if path.stem == "train" and column.n_unique() < 2:
        raise DataError(
            path,
            f"every row has the label {column[0]} ({spec.classes[column[0]]})",
            "add rows of another class; one class cannot be learned",
        )


def _unsorted(column: pl.Series) -> pl.Series:
    """Whether a list holds a null, or a number that is not above the one before."""
    steps = column.list.eval(pl.element().cast(pl.Int64).diff().drop_nulls())
    nulls = column.list.eval(pl.element().is_null()).list.any()
    return (steps.list.min() <= 0).fill_null(value=False) | nulls.fill_null(value=False)


def _refuse(path: Path, wrong: pl.Series, problem: str, remedy: str) -> None:
    if wrong.any():
        raise DataError(path, problem, remedy, row=int(cast("int", wrong.arg_max())) + 1)
