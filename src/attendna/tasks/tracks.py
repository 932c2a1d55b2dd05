"""The folder of a task of tracks: sequences and the signal along them, read record by record.

A folder holds ``task.yaml``, ``targets.parquet`` (one row a track) and for every split
``SPLIT.parquet`` (one row a record: its id, place, N and masked values) and ``SPLIT.zarr`` with the
arrays ``sequence`` (uint8 codes) and ``target``. A record is one chunk of either, with a checksum:
what is damaged or missing is noticed where it is read. The folder appears whole or not at all.

Shapes: ``b`` records, ``s`` bases, ``l`` bins, ``t`` tracks.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Integer, UInt8
from numpy import ndarray

import attendna
from attendna.core.config import parse, read_yaml
from attendna.core.errors import ConfigError, DataError, FolderError, MissingExtraError
from attendna.core.files import sha256
from attendna.core.parquet import read_parquet
from attendna.genome.alphabet import N
from attendna.tasks.spec import FORMAT, SPLITS, SplitName, refuse_changed
from attendna.tasks.store import SPEC_FILE
from attendna.tasks.track_spec import TRACKS, TrackSpec
from attendna.tasks.track_transforms import Pooling, pool_bins, pool_factor

TARGETS_FILE = "targets.parquet"
ABSENT = 255
"""Code of a base in a chunk that is not there."""

_REBUILD = "make the folder again with `attendna data build tracks`"
_ARRAYS = ("sequence", "target")


@dataclass(frozen=True, eq=False)
class TrackBatch:
    """Some records; masked values of the targets are NaN."""

    sequences: UInt8[ndarray, "b s"]
    targets: Float[ndarray, "b l t"]


class TrackSplit:
    """The records of one split, read when they are asked for.

    Holds no open file: it may be used after a fork and be sent to other processes.
    """

    def __init__(
        self, path: Path, spec: TrackSpec, frame: pl.DataFrame, factor: int, pooling: Pooling
    ) -> None:
        self.path = path
        self.spec = spec
        """The task's, with the bins that are read."""
        self.frame = frame
        """One row a record: ``id``, ``chrom, start, end`` (null where unknown), ``unknown`` bases,
        ``masked`` values, ``digest``."""
        self._factor = factor
        self._pooling: Pooling = pooling

    def __len__(self) -> int:
        return self.frame.height

    @cached_property
    def _group(self) -> Any:
        return open_arrays(self.path)

    def sequences(self, rows: Sequence[int] | Integer[ndarray, " b"]) -> UInt8[ndarray, "b s"]:
        """Codes of the sequences of some records.

        Raises
        ------
        DataError
            A record is damaged or missing.
        """
        codes = self._chosen("sequence", rows)
        bad = (codes > N).any(axis=1)
        if bad.any():
            row = int(np.asarray(rows)[np.argmax(bad)])
            raise DataError(self.path, "the record is missing", _REBUILD, row=row + 1)
        return codes

    def targets(self, rows: Sequence[int] | Integer[ndarray, " b"]) -> Float[ndarray, "b l t"]:
        """Values of the tracks of some records, as they are stored unless bins are pooled.

        Raises
        ------
        DataError
            A record is damaged.
        """
        values = self._chosen("target", rows)
        return values if self._factor == 1 else pool_bins(values, self._factor, self._pooling)

    def read(self, rows: Sequence[int] | Integer[ndarray, " b"]) -> TrackBatch:
        """Sequences and targets of some records."""
        return TrackBatch(self.sequences(rows), self.targets(rows))

    def batches(
        self, size: int, order: Integer[ndarray, " b"] | None = None
    ) -> Iterator[TrackBatch]:
        """All records, ``size`` at a time, in the order of the folder or in one that is given."""
        rows = np.arange(len(self)) if order is None else order
        for first in range(0, len(rows), size):
            yield self.read(rows[first : first + size])

    def _chosen(self, name: str, rows: Sequence[int] | Integer[ndarray, " b"]) -> Any:
        wanted = np.asarray(rows, dtype=np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"rows 0 to {len(self) - 1} are there")
        array = self._group[name]
        found = np.empty((wanted.size, *array.shape[1:]), dtype=array.dtype)
        for place, row in enumerate(wanted.tolist()):
            try:
                # One by one: Zarr gathers what is chosen by an array of rows base by base.
                found[place] = array[row]
            except Exception as error:
                # Codecs raise errors of many kinds.
                raise DataError(
                    self.path / name, "the record is damaged", _REBUILD, row=row + 1
                ) from error
        return found


@dataclass(frozen=True, eq=False)
class TrackTask:
    """An opened folder of tracks. Only the splits it was opened with can be read."""

    folder: Path
    spec: TrackSpec
    splits: tuple[SplitName, ...]
    targets: pl.DataFrame
    """One row a track; see ``track_targets``."""

    def path(self, split: SplitName) -> Path:
        """The arrays of a split."""
        return self.folder / f"{split}.zarr"

    def read(
        self, split: SplitName, *, bin_size: int | None = None, pooling: Pooling = "mean"
    ) -> TrackSplit:
        """One split, whose records are read when they are asked for.

        Parameters
        ----------
        bin_size
            Bases of the bins of the targets, by default those that are stored.
        pooling
            What wider bins tell of the stored ones: their mean or their sum.

        Raises
        ------
        FolderError
            The task was not opened with this split.
        ConfigError
            Such bins cannot be made of those that are stored.
        """
        if split not in self.splits:
            raise FolderError(
                f"{self.folder} is open for {', '.join(self.splits)} only, not {split}",
                "open it with that split, or choose another",
            )
        spec, factor = self.spec, 1
        if bin_size is not None and bin_size != spec.bin_size:
            factor = pool_factor(spec.bin_size, bin_size, spec.bins)
            spec = spec.replace(bin_size=bin_size, bins=spec.bins // factor)
        frame = _read_table(self.folder / f"{split}.parquet", self.spec)
        return TrackSplit(self.path(split), spec, frame, factor, pooling)

    def split_hash(self) -> str:
        """SHA-256 over the records of training and validation, by their digests."""
        tables = {s: self.folder / f"{s}.parquet" for s in self.splits if s != "test"}
        lines = [f"{split} {sha256(path)}" for split, path in tables.items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def is_track_task(folder: str | Path) -> bool:
    """Whether a folder holds a task of tracks, as its card says."""
    path = Path(folder) / SPEC_FILE
    return path.is_file() and read_yaml(path).get("label_kind") == TRACKS


def refuse_other_kind(run: str | Path, folder: str | Path, *, of_tracks: bool) -> None:
    """Refuse a task of tracks for a run that predicts labels, and the other way round.

    Raises
    ------
    ConfigError
        The folder holds a task of the other kind.
    """
    if not (Path(folder) / SPEC_FILE).is_file() or is_track_task(folder) == of_tracks:
        return
    mine, other = ("tracks", "labels") if of_tracks else ("labels", "tracks")
    raise ConfigError(
        f"{run} predicts {mine}, {folder} is a task of {other}", f"name a task of {mine}"
    )


def open_track_task(folder: str | Path, splits: Sequence[SplitName] | None = None) -> TrackTask:
    """Open a folder of tracks and check the splits that are asked for; no other file is touched.

    Parameters
    ----------
    splits
        What may be read; by default everything the folder has. Training opens ``("train",
        "valid")`` and so cannot reach the test records.

    Raises
    ------
    FolderError
        Not a folder of tracks, of another format version, or a split is missing.
    DataError
        A file is damaged, or contradicts ``task.yaml``.
    """
    folder = Path(folder)
    spec = _read_spec(folder)
    for split in splits or ():
        if split not in spec.rows:
            raise FolderError(
                f"{folder} has no {split} split, only {', '.join(spec.rows)}",
                "build it again with that split",
            )
    chosen = spec.rows if splits is None else splits
    targets = _read_table(folder / TARGETS_FILE, spec)
    if targets.height != spec.tracks:
        raise DataError(
            folder / TARGETS_FILE, f"{targets.height} tracks, not {spec.tracks}", _REBUILD
        )
    task = TrackTask(folder, spec, tuple(s for s in SPLITS if s in chosen), targets)
    for split in task.splits:
        _check_split(task, split)
    return task


def open_arrays(path: Path, mode: Literal["r", "r+"] = "r") -> Any:
    """The Zarr group of a split.

    Raises
    ------
    MissingExtraError
        The package zarr is not installed.
    DataError
        There is none, or it is damaged.
    """
    try:
        import zarr
    except ImportError:
        raise MissingExtraError("zarr", "tracks", "reading tracks") from None
    try:
        group: Any = zarr.open_group(path, mode=mode, zarr_format=3)
        for name in _ARRAYS:
            _ = group[name].shape
    except Exception as error:
        raise DataError(path, "missing, or no whole Zarr group", _REBUILD) from error
    return group


def missing_chunks(path: Path, name: str, rows: int) -> int:
    """How many records of an array have no chunk; Zarr would read them as empty."""
    behind = ".0" if name == "sequence" else ".0.0"
    there = {entry.name for entry in (path / name).iterdir()}
    return sum(f"c.{row}{behind}" not in there for row in range(rows))


def _check_split(task: TrackTask, split: SplitName) -> None:
    spec, path = task.spec, task.path(split)
    rows = _read_table(task.folder / f"{split}.parquet", spec).height
    group = open_arrays(path)
    shapes = {"sequence": (spec.window,), "target": (spec.bins, spec.tracks)}
    kinds = {"sequence": "uint8", "target": spec.target_type}
    for name, shape in shapes.items():
        array = group[name]
        if array.shape != (spec.rows[split], *shape) or str(array.dtype) != kinds[name]:
            raise DataError(path, f"{name} is {array.shape}, not what {SPEC_FILE} says", _REBUILD)
        missing = missing_chunks(path, name, spec.rows[split])
        if missing:
            raise DataError(path, f"{missing} records of {name} are missing", _REBUILD)
    if rows != spec.rows[split]:
        raise DataError(
            task.folder / f"{split}.parquet", f"{rows} rows, not {spec.rows[split]}", _REBUILD
        )


def _read_table(path: Path, spec: TrackSpec) -> pl.DataFrame:
    if path.is_file():
        refuse_changed(path, spec.sha256)
    return read_parquet(path, _REBUILD)


def _read_spec(folder: Path) -> TrackSpec:
    path = folder / SPEC_FILE
    if not path.is_file():
        raise FolderError(
            f"{folder} is not a task folder: it has no {SPEC_FILE}",
            "make one with `attendna data build tracks`",
        )
    tree = read_yaml(path)
    if tree.get("label_kind") != TRACKS:
        raise FolderError(
            f"{folder} is a task of sequences with labels, not of tracks",
            "choose a task of tracks, as data build tracks makes",
        )
    if tree.get("format") != FORMAT:
        raise FolderError(
            f"{path} has format {tree.get('format')}, attendna {attendna.__version__} reads "
            f"format {FORMAT}",
            _REBUILD,
        )
    return parse(TrackSpec, tree, path)
