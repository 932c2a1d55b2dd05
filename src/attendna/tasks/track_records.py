"""Training records of Basenji, Enformer, Borzoi and baskerville: a folder of TFRecord files.

A folder holds ``statistics.json`` (shapes), ``targets.txt`` (tracks), where it is known
``sequences.bed`` (places, in the order of the records) and ``tfrecords/GROUP-N[-M].tfr``. A group
is a split or a fold. The sequence is bytes: one index a base (0 to 3, 4 is N), or four bytes of a
base of which one is 1 (none for N). Which it is tells its length.

Shapes: ``s`` bases, ``l`` bins, ``t`` tracks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, UInt8
from numpy import ndarray

from attendna.core.content import read_json
from attendna.core.errors import DataError, FolderError
from attendna.genome.alphabet import N
from attendna.genome.intervals import read_intervals
from attendna.tasks.tfrecord import Feature

Layout = Literal["one_hot", "indices"]
"""How a sequence is written: four bytes a base, or one."""

STATISTICS_FILE = "statistics.json"
TARGETS_TABLE = "targets.txt"
SEQUENCES_FILE = "sequences.bed"

_NAME = re.compile(r"(?P<group>[A-Za-z]+\d*)(?P<numbers>(-\d+)+)\.tfr(ecord)?s?")


@dataclass(frozen=True)
class Shape:
    """What ``statistics.json`` says of every record."""

    window: int
    bins: int
    bin_size: int
    crop: int
    tracks: int
    counts: Mapping[str, int]
    """Records of each group, where they are told."""


@dataclass(frozen=True)
class RecordFile:
    """One file of records."""

    path: Path
    group: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class RecordFolder:
    """The files of a folder, group by group in the order of their numbers."""

    folder: Path
    files: tuple[RecordFile, ...]

    @cached_property
    def shape(self) -> Shape:
        """Shapes of all records, from ``statistics.json``."""
        return read_shape(self.folder / STATISTICS_FILE)

    def places(self, counts: Mapping[str, int]) -> dict[str, pl.DataFrame] | None:
        """Windows of the records of each group from ``sequences.bed``, none where there is none.

        Raises
        ------
        DataError
            Its intervals are not of the records, by their number or width.
        """
        path = self.folder / SEQUENCES_FILE
        if not path.is_file():
            return None
        frame, shape = read_intervals(path).frame, self.shape
        flanks = {shape.window: 0, shape.window - 2 * shape.crop: shape.crop}
        widths = (frame["end"] - frame["start"]).unique().to_list()
        if len(widths) != 1 or widths[0] not in flanks:
            raise DataError(
                path,
                f"intervals of {min(widths):,} to {max(widths):,} bases, not {shape.window:,}",
                "give the table of these records, or remove it",
            )
        flank = flanks[widths[0]]
        frame = frame.select("chrom", pl.col("start") - flank, pl.col("end") + flank, "name")
        found = {group: frame.filter(pl.col("name") == group).drop("name") for group in counts}
        for group, count in counts.items():
            if found[group].height != count:
                raise DataError(
                    path,
                    f"{found[group].height:,} {group} intervals, but {count:,} records",
                    "give the table of these records, or remove it",
                )
        return found


def find_records(folder: str | Path) -> RecordFolder:
    """Find the files of a folder of records.

    Raises
    ------
    FolderError
        There is no such folder, or no file of records in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder", "name one with tfrecords/train-0.tfr")
    names = {
        path: _NAME.fullmatch(path.name)
        for place in (folder, folder / "tfrecords")
        for path in (place.iterdir() if place.is_dir() else ())
    }
    files = [
        RecordFile(path, name["group"], tuple(map(int, name["numbers"].split("-")[1:])))
        for path, name in names.items()
        if name is not None
    ]
    if not files:
        raise FolderError(
            f"{folder} holds no records", "name a folder with files like tfrecords/train-0.tfr"
        )
    return RecordFolder(folder, tuple(sorted(files, key=lambda file: (file.group, file.numbers))))


def read_shape(path: Path) -> Shape:
    """Read ``statistics.json``.

    Raises
    ------
    DataError
        It is missing, no JSON, or its numbers are missing or contradict each other.
    """
    try:
        tree: Any = read_json(path)
    except FileNotFoundError:
        raise DataError(
            path, "no such file", "copy it from where the records are: it tells their shape"
        ) from None
    except (ValueError, OSError):
        raise DataError(path, "not a JSON file", "copy it again") from None
    if not isinstance(tree, dict):
        raise DataError(path, "not a JSON object", "copy it again")

    def number(key: str, least: int, default: int | None = None) -> int:
        value = tree.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 31:
            raise DataError(path, f"{key} is {value}", f"give a whole number of at least {least}")
        return value

    shape = Shape(
        window=number("seq_length", 1),
        bins=number("target_length", 1),
        bin_size=number("pool_width", 1),
        crop=number("crop_bp", 0, 0),
        tracks=number("num_targets", 1),
        counts={
            key.removesuffix("_seqs"): number(key, 0)
            for key in tree
            if isinstance(key, str) and key.endswith("_seqs")
        },
    )
    if shape.bins * shape.bin_size + 2 * shape.crop != shape.window:
        raise DataError(
            path,
            f"{shape.bins} bins of {shape.bin_size} bases and twice {shape.crop} of crop are not "
            f"{shape.window}",
            "correct it",
        )
    return shape


def decode(
    example: Mapping[str, Feature], shape: Shape, path: Path, row: int, layout: Layout | None = None
) -> tuple[UInt8[ndarray, " s"], Float[ndarray, "l t"]]:
    """Codes and targets of one record; targets are of the type they were written in.

    Parameters
    ----------
    layout
        The only one that is admitted; by default either is.

    Raises
    ------
    DataError
        It is of another shape or layout, or holds what is no base or infinite.
    """
    for name in ("sequence", "target"):
        if name not in example:
            told = ", ".join(sorted(example))
            raise DataError(
                path, f"there is no {name}, only {told}", "give training records", row=row
            )
    codes = _codes(example["sequence"], shape, path, row, layout)
    return codes, _targets(example["target"], shape, path, row)


def _codes(
    sequence: Feature, shape: Shape, path: Path, row: int, layout: Layout | None
) -> UInt8[ndarray, " s"]:
    content = np.frombuffer(sequence, dtype=np.uint8) if isinstance(sequence, bytes) else sequence
    lengths: dict[int, Layout] = {shape.window: "indices", 4 * shape.window: "one_hot"}
    found = lengths.get(content.size)
    if found is None:
        raise DataError(
            path,
            f"a sequence of {content.size:,} bytes; {shape.window:,} bases have that or 4 times "
            "as many",
            f"give the {STATISTICS_FILE} of these records",
            row=row,
        )
    if layout is not None and found != layout:
        raise DataError(
            path,
            f"the sequence is written as {found}, not {layout}",
            f"add --layout {found}",
            row=row,
        )
    if found == "indices":
        bad = (content > N) | (content < 0)
        if bad.any():
            what = (
                f"{content[np.argmax(bad)]} at base {int(np.argmax(bad)) + 1} is no index of a base"
            )
            raise DataError(path, what, "indices are 0 to 3, and 4 for N", row=row)
        return content.astype(np.uint8)
    table = content.reshape(shape.window, 4)
    bad = (table > 1).any(axis=1) | (table.sum(axis=1) > 1) | (table < 0).any(axis=1)
    if bad.any():
        what = f"base {int(np.argmax(bad)) + 1} is {table[np.argmax(bad)].tolist()}"
        raise DataError(path, what, "a base has one 1 and three 0, and N has none", row=row)
    return np.where(table.any(axis=1), table.argmax(axis=1), N).astype(np.uint8)


def _targets(target: Feature, shape: Shape, path: Path, row: int) -> Float[ndarray, "l t"]:
    values = shape.bins * shape.tracks
    if isinstance(target, bytes):
        kind = {2 * values: "<f2", 4 * values: "<f4"}.get(len(target))
        found = len(target) / 2
        target = np.frombuffer(target, dtype=kind) if kind else np.zeros(0)
    else:
        found = target.size
    if target.size != values or target.dtype.kind != "f":
        told = f"{found / shape.bins:g} tracks of {shape.bins:,} bins"
        raise DataError(
            path,
            f"the target has {told}, not {shape.tracks}",
            f"give the {STATISTICS_FILE} of these records",
            row=row,
        )
    table = target.reshape(shape.bins, shape.tracks)
    if np.isinf(table).any():
        where = np.argwhere(np.isinf(table))[0].tolist()
        what = f"track {where[1]} is infinite in bin {where[0]}"
        raise DataError(path, what, "clip it, or make it NaN to mask it", row=row)
    return table
