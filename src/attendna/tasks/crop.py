"""The same task with a stretch of each of its sequences.

Shapes: ``n`` rows, ``b`` bases.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import DataError
from attendna.core.files import refuse_existing
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import TASK, SplitName
from attendna.tasks.store import Task, open_task, write_task

RECORD_FILE = "crop.yaml"

_PLACES = ("chrom", "start", "end", "strand")
"""Columns that are not true of a part of a row."""


class CropRule(Config):
    """Which bases are kept."""

    length: int = Field(ge=1)
    start: int | Literal["random"] = "random"
    """The first base kept, from 0; or drawn for each row from all that leave the length."""
    seed: Seed = 0


def crop(folder: str | Path, out: str | Path, rule: CropRule, *, force: bool = False) -> Task:
    """Keep a stretch of every sequence; rows, splits and labels stay as they are.

    Raises
    ------
    DataError
        A sequence is too short, or a row has two of them.
    FolderError
        ``out`` exists.
    """
    refuse_existing(out, TASK, force=force)
    task = open_task(folder)
    if task.spec.paired:
        raise DataError(folder, "its rows have two sequences", "crop a task of single sequences")
    random = np.random.default_rng(rule.seed)
    frames: dict[SplitName, pl.DataFrame] = {}
    for split in task.splits:
        rows = task.read(split)
        starts = _starts(task.path(split), rows.sequences.lengths, rule, random)
        kept = _take(rows.sequences, starts, rule.length)
        places = [name for name in _PLACES if name in rows.frame.columns]
        frames[split] = rows.frame.drop(places).with_columns(sequence=kept.to_series())

    def record_in(partial: Path) -> None:
        (partial / RECORD_FILE).write_text(to_yaml(rule.to_tree()), encoding="utf-8")

    spec = task.spec.replace(rows={}, window=None)
    return write_task(out, spec, frames, force=force, complete=record_in)


def _starts(
    path: Path, lengths: Int64[ndarray, " n"], rule: CropRule, random: np.random.Generator
) -> Int64[ndarray, " n"]:
    """The first base of each row."""
    first = 0 if rule.start == "random" else rule.start
    room = lengths - rule.length - first
    if (room < 0).any():
        row = int(np.argmax(room < 0))
        raise DataError(
            path,
            f"the sequence has {lengths[row]} bases, not {first + rule.length}",
            "crop less",
            row=row + 1,
        )
    if rule.start == "random":
        return random.integers(0, room + 1)
    return np.full(lengths.size, first)


def _take(sequences: SequenceBatch, starts: Int64[ndarray, " n"], length: int) -> SequenceBatch:
    places = (sequences.offsets[:-1] + starts)[:, None] + np.arange(length)
    offsets = np.arange(len(starts) + 1, dtype=np.int64) * length
    return SequenceBatch(sequences.codes[places].ravel(), offsets)
