"""A small task of rows that a task has, to try things on.

Shapes: ``n`` rows, ``k`` rows that are kept.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64, Integer
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed
from attendna.core.errors import DataError
from attendna.tasks.spec import SplitName
from attendna.tasks.splits import group_by_sequence, split_groups
from attendna.tasks.store import Task, open_task, write_task


class SubsetRule(Config):
    """Which rows are taken."""

    rows_a_class: int = Field(ge=2)
    """Training rows of each class, drawn at random."""
    valid_share: float | None = Field(default=None, gt=0, lt=1)
    """Share of the rows drawn that becomes the validation split, each class in proportion; none to
    keep the validation split there is."""
    seed: Seed = 42


def draw_evenly(
    labels: Integer[ndarray, " n"], most: int, random: np.random.Generator
) -> Int64[ndarray, " k"]:
    """Rows drawn at random, at most so many of each class, in their order."""
    drawn = [
        random.permutation(np.flatnonzero(labels == label))[:most] for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(drawn))


def subset(folder: str | Path, out: str | Path, rule: SubsetRule) -> Task:
    """Write a task of some of the training rows; the test split is not opened.

    Twins, also on the other strand, share a split.

    Raises
    ------
    ConfigError
        The rows have no classes.
    DataError
        A class has too few rows.
    FolderError
        There is no such task, or ``out`` exists.
    """
    task = open_task(folder, ("train", "valid") if rule.valid_share is None else ("train",))
    _ = task.spec.class_kind
    train = task.read("train")
    counts = np.bincount(train.labels, minlength=len(task.spec.classes))
    if (counts < rule.rows_a_class).any():
        scarce = int(counts.argmin())
        raise DataError(
            task.path("train"),
            f"the class {task.spec.classes[scarce]!r} has {counts[scarce]:,} rows, "
            f"not {rule.rows_a_class:,}",
            "draw fewer rows a class",
        )
    rows = draw_evenly(train.labels, rule.rows_a_class, np.random.default_rng(rule.seed))
    frame = train.frame[rows]
    frames: dict[SplitName, pl.DataFrame]
    if rule.valid_share is None:
        frames = {"train": frame, "valid": task.read("valid").frame}
    else:
        shares = {"train": 1 - rule.valid_share, "valid": rule.valid_share}
        groups = group_by_sequence(train.sequences.take(rows))
        dealt: Any = split_groups(groups, train.labels[rows], shares, rule.seed)
        frames = {"train": frame.filter(dealt == "train"), "valid": frame.filter(dealt == "valid")}
    how = f"{rule.rows_a_class:,} training rows of each class (seed {rule.seed}); "
    spec = task.spec.replace(rows={}, window=None, splits=how + f"was: {task.spec.splits}")
    return write_task(out, spec, frames)
