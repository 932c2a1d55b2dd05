"""The task folder: labelled sequences on disk, checked whenever they are written or opened.

A folder holds ``task.yaml`` and one Parquet file a split, with the columns ``id``, ``sequence``
(upper case A, C, G, T, N) and ``label`` (see ``labels``), of a paired task ``alternative`` (the
sequence with the other allele), then ``chrom, start, end, strand`` where they are known, and
whatever else its maker added. It appears whole or not at all.

Shapes: ``b`` rows of a split.
"""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from jaxtyping import Int64, Integer, Shaped, UInt8
from numpy import ndarray

import attendna
from attendna.core.config import parse, read_yaml, to_yaml
from attendna.core.errors import DataError, FolderError
from attendna.core.files import publish_folder, refuse_existing, sha256
from attendna.core.parquet import parquet_writer, read_arrow, read_parquet, to_frame
from attendna.genome.sequences import SequenceBatch, SequenceError
from attendna.tasks.labels import STORED, Labels, check_labels, read_labels
from attendna.tasks.spec import FORMAT, SPLITS, TASK, SplitName, TaskSpec, refuse_changed
from attendna.tasks.track_spec import TRACKS

SPEC_FILE = "task.yaml"
ALTERNATIVE = "alternative"
ROWS_A_GROUP = 1 << 18
"""Rows of a Parquet row group: many small ones are slow to read."""

_REBUILD = "make the folder again with `attendna data`"


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of one split; ``frame`` has all columns of the file, in the same order."""

    ids: tuple[str, ...]
    sequences: SequenceBatch
    labels: Shaped[ndarray, "..."]
    """Class numbers int8[b], or track values float32[b, t]; see :class:`~.labels.Labels`."""
    frame: pl.DataFrame
    offsets: Int64[ndarray, " o"] | None = None
    """Of multilabel rows, where the positive tracks of each begin in ``labels``."""
    alternatives: SequenceBatch | None = None
    """Of paired rows, the sequence of each with the other allele."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Int64[ndarray, " k"]) -> "Split":
        """Some of the rows, in that order."""
        labels = Labels(self.labels, self.offsets).take(rows)
        others = None if self.alternatives is None else self.alternatives.take(rows)
        ids = tuple(self.ids[row] for row in rows.tolist())
        return Split(
            ids, self.sequences.take(rows), labels.values, self.frame[rows], labels.offsets, others
        )

    def labels_of_all(self, tracks: int) -> Shaped[ndarray, "..."]:
        """Labels row by row: class numbers, or a table with a column a track."""
        if self.offsets is None:
            return self.labels
        return self.label_table(np.arange(len(self)), tracks)

    def label_table(self, rows: Integer[ndarray, " k"], tracks: int) -> UInt8[ndarray, "k t"]:
        """0 and 1 for every track of some rows of a multilabel task."""
        return Labels(self.labels, self.offsets).dense(rows, tracks)


@dataclass(frozen=True)
class Task:
    """An opened task folder. Only the splits it was opened with can be read."""

    folder: Path
    spec: TaskSpec
    splits: tuple[SplitName, ...]

    def path(self, split: SplitName) -> Path:
        """The Parquet file of a split."""
        return self.folder / f"{split}.parquet"

    def read(self, split: SplitName) -> Split:
        """Read one split.

        Raises
        ------
        FolderError
            The task was not opened with this split.
        DataError
            The file is damaged, or a sequence holds something that is not a base.
        """
        if split not in self.splits:
            raise FolderError(
                f"{self.folder} is open for {', '.join(self.splits)} only, not {split}",
                "open it with that split, or choose another",
            )
        table = read_arrow(self.path(split), _REBUILD)
        frame = to_frame(self.path(split), table, _REBUILD)
        _check_columns(self.path(split), frame, self.spec)
        sequences, *others = (
            _encode(self.path(split), table.column(name).combine_chunks())
            for name in _sequence_columns(self.spec)
        )
        column = frame.get_column("label")
        labels = read_labels(column, self.spec.label_kind, len(self.spec.classes))
        ids = tuple(frame.get_column("id").to_list())
        return Split(ids, sequences, labels.values, frame, labels.offsets, *others)

    def split_hash(self) -> str:
        """SHA-256 over the training and validation files: which rows a model may have seen."""
        digests = [f"{s} {sha256(self.path(s))}" for s in self.splits if s != "test"]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def open_task(folder: str | Path, splits: Sequence[SplitName] | None = None) -> Task:
    """Open a task folder and check the splits that are asked for; no other file is touched.

    Parameters
    ----------
    splits
        What may be read; by default everything the folder has. Training opens ``("train",
        "valid")`` and so cannot reach the test rows.

    Raises
    ------
    FolderError
        Not a task folder, of another format version, or a split is missing.
    DataError
        A file is damaged or its rows contradict ``task.yaml``.
    """
    folder = Path(folder)
    spec = _read_spec(folder)
    # A folder written by hand has no `rows`: it holds what files it has.
    held: list[SplitName] = [
        split for split in SPLITS if split in spec.rows or (folder / f"{split}.parquet").is_file()
    ]
    wanted = held if splits is None else splits
    task = Task(folder, spec, splits=tuple(split for split in SPLITS if split in wanted))
    for split in task.splits:
        if split not in held:
            raise FolderError(
                f"{folder} has no {split} split, only {', '.join(held)}",
                "import it again with that split",
            )
        if not task.path(split).is_file():
            raise FolderError(f"{task.path(split)} is missing", _REBUILD)
        refuse_changed(task.path(split), spec.sha256)
    keys: dict[SplitName, pl.DataFrame] = {}
    for split in task.splits:
        path = task.path(split)
        columns = ("id", *_sequence_columns(spec), "label")
        keys[split] = read_parquet(path, _REBUILD, columns)
        rows = keys[split].height
        if rows != spec.rows.get(split, rows):
            raise DataError(path, f"{rows} rows, but {SPEC_FILE} says {spec.rows[split]}", _REBUILD)
    _check_rows({task.path(split): keys[split] for split in keys}, spec)
    return task


def write_task(
    folder: str | Path,
    spec: TaskSpec,
    frames: Mapping[SplitName, pl.DataFrame],
    *,
    force: bool = False,
    complete: Callable[[Path], None] | None = None,
) -> Task:
    """Check rows and publish them as a task folder, whole or not at all.

    Sequences are stored in upper case, with U as T and IUPAC ambiguity letters as N. The number of
    rows and, where all sequences have one length, the window are entered into the spec.

    Parameters
    ----------
    frames
        Rows of each split with at least ``id``, ``sequence`` and ``label``.
    force
        Replace an existing folder.
    complete
        Called with the folder before it is published, to write further files into it.

    Raises
    ------
    DataError
        A row, a label or a split that cannot be used; nothing is written then.
    FolderError
        The folder exists.
    """
    folder = Path(folder)
    refuse_existing(folder, TASK, force=force)
    ordered: dict[SplitName, pl.DataFrame] = {s: frames[s] for s in SPLITS if s in frames}
    paths = {split: folder / f"{split}.parquet" for split in ordered}
    for split, frame in ordered.items():
        _check_columns(paths[split], frame, spec)
    _check_rows({paths[split]: frame for split, frame in ordered.items()}, spec)
    with task_writer(folder, spec, force=force, complete=complete) as writer:
        for split, frame in ordered.items():
            writer.add(split, frame)
    return writer.task


class TaskWriter:
    """Takes the rows of a task part by part; made by :func:`task_writer`."""

    def __init__(self, folder: Path, partial: Path, spec: TaskSpec) -> None:
        self.folder = folder
        self.partial = partial
        """Where further files of the task may be written."""
        self.spec = spec
        self.rows: dict[SplitName, int] = {}
        self.chromosomes: dict[str, None] = {}
        """Chromosomes that a row lies on, in the order of the rows."""
        self._files: dict[SplitName, pq.ParquetWriter] = {}
        self._lengths: set[int] = set()

    @property
    def task(self) -> Task:
        """The task as it is published."""
        return Task(self.folder, self.spec, tuple(s for s in SPLITS if s in self.rows))

    def add(self, split: SplitName, frame: pl.DataFrame) -> None:
        """Append rows to a split.

        Raises
        ------
        DataError
            A sequence or label that cannot be used; the row counts within ``frame``.
        """
        path = self.folder / f"{split}.parquet"
        _check_columns(path, frame, self.spec)
        names = _sequence_columns(self.spec)
        batch, *others = (_encode(path, frame.get_column(name)) for name in names)
        stored = STORED[self.spec.label_kind]
        table: Any = (
            frame.with_columns(
                pl.col("label").cast(stored),
                *(
                    part.to_series().alias(name)
                    for name, part in zip(names, (batch, *others), strict=True)
                ),
            )
            .select("id", *names, "label", pl.exclude("id", *names, "label"))
            .to_arrow(compat_level=pl.CompatLevel.oldest())
        )
        if split not in self._files:
            self._files[split] = parquet_writer(self._path(split), table.schema)
        self._files[split].write_table(table, row_group_size=ROWS_A_GROUP)
        self.rows[split] = self.rows.get(split, 0) + frame.height
        if "chrom" in frame.columns:
            self.chromosomes |= dict.fromkeys(frame["chrom"].unique())
        # The shortest and the longest are all that is asked for.
        lengths = {*self._lengths, int(batch.lengths.min()), int(batch.lengths.max())}
        self._lengths = {min(lengths), max(lengths)}

    def _path(self, split: SplitName) -> Path:
        return self.partial / f"{split}.parquet"

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def finish(self) -> None:
        """Write the card, with the number of rows and the window."""
        if not self.rows:
            raise FolderError("a task needs at least one split", "give train, valid or test rows")
        window = _common_length(self.folder, self._lengths, self.spec.window)
        rows = {split: self.rows[split] for split in SPLITS if split in self.rows}
        digests = {path.name: sha256(path) for path in map(self._path, self.rows)}
        self.spec = self.spec.replace(window=window, rows=rows, sha256=digests)
        (self.partial / SPEC_FILE).write_text(to_yaml(self.spec.to_tree()), encoding="utf-8")


@contextlib.contextmanager
def task_writer(
    folder: str | Path,
    spec: TaskSpec,
    *,
    force: bool = False,
    complete: Callable[[Path], None] | None = None,
) -> Generator[TaskWriter, None, None]:
    """Write a task that does not fit into memory, whole or not at all; see :func:`write_task`.

    Ids and labels are checked when the folder is opened, not here.
    """
    folder = Path(folder)
    with publish_folder(folder, TASK, force=force) as partial:
        writer = TaskWriter(folder, partial, spec)
        try:
            yield writer
        finally:
            writer.close()
        writer.finish()
        if complete is not None:
            complete(partial)


def _read_spec(folder: Path) -> TaskSpec:
    path = folder / SPEC_FILE
    if folder.is_file():
        raise FolderError(f"{folder} is a file", "name the folder of a task")
    if not folder.is_dir():
        raise FolderError(
            f"{folder}: no such task folder", "make one with `attendna data get` or `data import`"
        )
    if not path.is_file():
        raise FolderError(f"{folder} is not a task folder: it has no {SPEC_FILE}", "check the path")
    tree = read_yaml(path)
    if tree.get("label_kind") == TRACKS:
        raise FolderError(f"{folder} is a task of tracks", "choose one of sequences with labels")
    if tree.get("format") != FORMAT:
        raise FolderError(
            f"{path} has format {tree.get('format')}, attendna {attendna.__version__} reads "
            f"format {FORMAT}",
            _REBUILD,
        )
    return parse(TaskSpec, tree, path)


def _sequence_columns(spec: TaskSpec) -> tuple[str, ...]:
    return ("sequence", ALTERNATIVE) if spec.paired else ("sequence",)


def _check_columns(path: Path, frame: pl.DataFrame, spec: TaskSpec) -> None:
    texts = ("id", *_sequence_columns(spec))
    for name in (*texts, "label"):
        if name not in frame.columns:
            raise DataError(
                path,
                f"the column {name} is missing (there are {', '.join(frame.columns)})",
                f"add it; a task needs {', '.join((*texts, 'label'))}",
            )
        column = frame.get_column(name)
        nulls = column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
        if nulls.any():
            raise DataError(
                path, f"the {name} is missing", "fill it in or remove the row", row=_first(nulls)
            )
    for name in texts:
        if frame[name].dtype != pl.String:
            raise DataError(path, f"the column {name} is {frame[name].dtype}", "make it text")


def _check_rows(frames: Mapping[Path, pl.DataFrame], spec: TaskSpec) -> None:
    """Everything about ids, labels and counts; sequences are checked when they are encoded."""
    if not frames:
        raise FolderError("a task needs at least one split", "give train, valid or test rows")
    for path, frame in frames.items():
        _check_columns(path, frame, spec)
        if not frame.height:
            raise DataError(path, "the split has no rows", "give it rows or leave it out")
        check_labels(path, frame.get_column("label"), spec)
    check_ids(frames)


def find_repeated(frame: pl.DataFrame, classes: Sequence[str]) -> list[str]:
    """A line for each class whose rows are few sequences, repeated."""
    counts = frame.group_by("label").agg(pl.len(), pl.col("sequence").n_unique()).sort("label")
    return [
        f"the {rows:,} rows of the class {classes[label]} are "
        + ("one sequence" if sequences == 1 else f"{sequences:,} sequences")
        + ", repeated"
        for label, rows, sequences in counts.iter_rows()
        if 2 * sequences < rows
    ]


def check_ids(frames: Mapping[Path, pl.DataFrame], remedy: str = "") -> None:
    """Refuse an id that stands twice in the column ``id`` of the files together.

    Parameters
    ----------
    frames
        Rows of each file, with a column ``row`` where they are not all of its rows.
    remedy
        What else can be done about it.
    """
    ids = pl.concat([frame.get_column("id") for frame in frames.values()])
    if ids.n_unique() == len(ids):
        return
    rows = pl.concat(
        [
            frame.select(
                "id",
                row="row" if "row" in frame.columns else pl.int_range(pl.len()) + 1,
                file=pl.lit(str(path)),
            )
            for path, frame in frames.items()
        ]
    )
    again = rows.filter(~pl.col("id").is_first_distinct()).row(0, named=True)
    first = rows.filter(pl.col("id") == again["id"]).row(0, named=True)
    raise DataError(
        again["file"],
        f"the id {again['id']!r} is also row {first['row']} of {Path(first['file']).name}",
        f"give every row an id of its own {remedy}".rstrip(),
        row=again["row"],
    )


def _encode(path: Path, sequences: Any) -> SequenceBatch:
    try:
        batch = SequenceBatch.from_text(sequences)
    except SequenceError as error:
        raise DataError(
            path,
            f"the character {error.letter!r} at position {error.position + 1} is not a base",
            "correct the sequence",
            row=error.row + 1,
        ) from None
    empty = batch.lengths == 0
    if empty.any():
        row = int(np.argmax(empty)) + 1
        raise DataError(path, "the sequence is empty", "remove the row", row=row)
    return batch


def _common_length(folder: Path, lengths: set[int], window: int | None) -> int | None:
    shortest, longest = min(lengths), max(lengths)
    if window is not None and (shortest, longest) != (window, window):
        raise DataError(
            folder,
            f"sequences of {shortest} to {longest} bases, but the window is {window}",
            "correct the window or leave it out",
        )
    return longest if shortest == longest else None


def _first(mask: pl.Series) -> int:
    """Row of the first true value, counted from 1."""
    return int(cast("int", mask.arg_max())) + 1
