"""What is audited: the rows of all splits, from a task folder or a folder of interval files.

Shapes: ``n`` rows of all splits together, ``t`` tracks.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from attendna.core.errors import FolderError
from attendna.genome.contigs import plain_names
from attendna.genome.intervals import read_intervals
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.labels import read_labels
from attendna.tasks.spec import SPLITS, SplitName
from attendna.tasks.splits import group_by_sequence
from attendna.tasks.store import ALTERNATIVE, SPEC_FILE, open_task
from attendna.tasks.tracks import is_track_task, open_track_task

_PLACE = ("chrom", "start", "end", "strand")
_INTERVALS = "*.csv.gz"
_AT_A_TIME = 64

RECORD = "record"
"""What the rows of a task of tracks are called: they have no classes."""

MEASURED = "measured"
"""What the rows are called whose labels are numbers: they have no classes."""

MARKED = "marked"
"""What the rows are called whose labels are lists of tracks: they have no classes."""


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of a data set.

    ``frame`` has the columns ``split``, ``label`` (class number) and, where they are known,
    ``chrom, start, end, strand``; ``sequences`` holds the same rows in the same order.
    """

    name: str
    classes: tuple[str, ...]
    frame: pl.DataFrame
    sequences: SequenceBatch | None
    tracks: tuple[str, ...] = ()
    """Of a regression task, what ``label`` holds a number of; all rows are then of one class."""
    paired: bool = False
    """Whether ``frame`` has the column ``alternative``, a second sequence of each row."""

    @property
    def splits(self) -> list[SplitName]:
        """Splits that hold rows, in their usual order."""
        there = set(self.frame["split"].unique())
        return [split for split in SPLITS if split in there]

    @property
    def placed(self) -> bool:
        """Whether the rows have coordinates."""
        return "chrom" in self.frame.columns

    @cached_property
    def labels(self) -> Int64[ndarray, " n"]:
        """Class numbers; 0 where labels are numbers or lists of tracks."""
        if len(self.classes) == 1:
            return np.zeros(self.frame.height, dtype=np.int64)
        return self.frame["label"].to_numpy().astype(np.int64)

    @cached_property
    def values(self) -> Float32[ndarray, "n t"]:
        """The numbers of each row of a regression task, NaN where they are missing."""
        found = read_labels(self.frame["label"], "regression", len(self.tracks)).values
        return found.astype(np.float32, copy=False)

    @cached_property
    def alternatives(self) -> SequenceBatch | None:
        """The second sequences of paired rows."""
        return SequenceBatch.from_text(self.frame[ALTERNATIVE]) if self.paired else None

    def inside(self, split: str) -> Bool[ndarray, " n"]:
        """Which rows are of a split."""
        return (self.frame["split"] == split).to_numpy()

    @cached_property
    def identity(self) -> Int64[ndarray, " n"]:
        """The same number for rows that are the same molecule: the same interval on either strand,
        or the same sequence or its reverse complement where there are sequences."""
        if self.sequences is not None:
            return group_by_sequence(self.sequences, self.alternatives)
        places = self.frame.select(plain_names(self.frame["chrom"]), "start", "end")
        return places.select(pl.struct(pl.all()).rank("dense"))["chrom"].to_numpy().astype(np.int64)

    @cached_property
    def lengths(self) -> Int64[ndarray, " n"]:
        """Bases of each row."""
        if self.sequences is not None:
            return self.sequences.lengths
        return (self.frame["end"] - self.frame["start"]).to_numpy().astype(np.int64)

    def joined(self, other: "Rows") -> "Rows":
        """These rows and then others of the same data set."""
        sequences = None
        if self.sequences is not None and other.sequences is not None:
            sequences = SequenceBatch.joined([self.sequences, other.sequences])
        return replace(self, frame=pl.concat([self.frame, other.frame]), sequences=sequences)

    def take(self, chosen: Int64[ndarray, " _"]) -> "Rows":
        """Some of the rows."""
        sequences = None if self.sequences is None else self.sequences.take(chosen)
        return replace(self, frame=self.frame[chosen], sequences=sequences)


def read_rows(folder: str | Path) -> Rows:
    """Read a task folder, or a folder ``{split}/{class}.csv.gz`` of interval tables.

    Raises
    ------
    FolderError
        It is neither.
    DataError
        A file is damaged or a row is bad.
    """
    folder = Path(folder)
    if is_track_task(folder):
        return _of_tracks(folder)
    if (folder / SPEC_FILE).is_file():
        return _of_task(folder)
    files: dict[SplitName, list[Path]] = {
        split: sorted((folder / split).glob(_INTERVALS)) for split in SPLITS
    }
    if not any(files.values()):
        raise FolderError(
            f"{folder} is no task folder and holds no train/CLASS.csv.gz",
            "name a folder that `attendna data` made, or one of interval tables",
        )
    return _of_intervals(folder, files)


def _of_task(folder: Path) -> Rows:
    task = open_task(folder)
    parts = {split: task.read(split) for split in task.splits}
    frames = [
        part.frame.drop("sequence").with_columns(split=pl.lit(split))
        for split, part in parts.items()
    ]
    frame = pl.concat(frames, how="diagonal")
    if not all(name in frame.columns and not frame[name].has_nulls() for name in _PLACE[:3]):
        frame = frame.drop([name for name in _PLACE if name in frame.columns])
    sequences = SequenceBatch.joined([part.sequences for part in parts.values()])
    numbers = task.spec.label_kind == "regression"
    called = {"regression": (MEASURED,), "multilabel": (MARKED,)}
    return Rows(
        task.spec.name,
        called.get(task.spec.label_kind, task.spec.classes),
        frame,
        sequences,
        tracks=task.spec.classes if numbers else (),
        paired=task.spec.paired,
    )


def _of_tracks(folder: Path) -> Rows:
    """Records of tracks: they have no classes, and places where all are known."""
    task = open_track_task(folder)
    parts = {split: task.read(split) for split in task.splits}
    frame = pl.concat(
        [
            part.frame.select("id", *_PLACE[:3], split=pl.lit(split), label=pl.lit(0, pl.Int8))
            for split, part in parts.items()
        ]
    )
    if frame["chrom"].has_nulls():
        frame = frame.drop(_PLACE[:3])
    batches = [
        SequenceBatch(codes.ravel(), np.arange(len(codes) + 1, dtype=np.int64) * task.spec.window)
        for part in parts.values()
        for codes in (part.sequences(rows) for rows in _runs(len(part)))
    ]
    return Rows(task.spec.name, (RECORD,), frame, SequenceBatch.joined(batches))


def _runs(rows: int) -> list[Int64[ndarray, " _"]]:
    return [np.arange(first, min(first + _AT_A_TIME, rows)) for first in range(0, rows, _AT_A_TIME)]


def _of_intervals(folder: Path, files: dict[SplitName, list[Path]]) -> Rows:
    names = {file.name.removesuffix(".csv.gz") for listed in files.values() for file in listed}
    classes = tuple(sorted(names))
    frames = [
        read_intervals(file)
        .frame.select(*_PLACE, id="name")
        .with_columns(
            split=pl.lit(split),
            label=pl.lit(classes.index(file.name.removesuffix(".csv.gz")), pl.Int8),
        )
        for split, listed in files.items()
        for file in listed
    ]
    return Rows(folder.name, classes, pl.concat(frames), None)
