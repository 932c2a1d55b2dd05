"""Training records of Basenji, Enformer, Borzoi and baskerville: a folder of TFRecord files.

A folder holds ``statistics.json`` (shapes), ``targets.txt`` (tracks), where it is known
``sequences.bed`` (places, in the order of the records) and files of records: those of baskerville
(``tfrecords/GROUP-N[-M].tfr``), shards as TensorFlow names them (``train-00000-of-00010``), or any
file that ends in ``.tfr`` or ``.tfrecord``. A group is a split or a fold. The sequence is bytes:
one index a base (0 to 3, 4 is N), or four bytes of a base of which one is 1 (none for N). Which it
is shows in its length.

Shapes: ``s`` bases, ``l`` bins, ``t`` tracks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, UInt8
from numpy import ndarray

from attendna.core.content import read_json
from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.genome.alphabet import N
from attendna.genome.intervals import read_intervals
from attendna.tasks.spec import SPLITS
from attendna.tasks.tfrecord import Feature, read_examples

Layout = Literal["one_hot", "indices"]
"""How a sequence is written: four bytes a base, or one."""

STATISTICS_FILE = "statistics.json"
TARGETS_TABLE = "targets.txt"
SEQUENCES_FILE = "sequences.bed"
_FOLDER = "tfrecords"

_ENDING = re.compile(r"\.tfr(ecord)?s?(?=[-.]|$)", re.IGNORECASE)
_SHARD = re.compile(r"-(\d+)-of-(\d+)$")
_NUMBERS = re.compile(r"([-.]\d+)+$")
_NUMBER_OF_SPLIT = re.compile(r"(?<=[a-z])_\d+$")
_PACKED = re.compile(r"\.(gz|zlib|zz)$", re.IGNORECASE)
_SPLIT_WORDS = {
    "train": "train", "training": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What files of each split are called by."""


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
    name: str
    """The name without endings, which no other file of the folder has."""
    group: str
    series: str
    """The name without numbers: files of one series are parts of one whole."""
    numbers: tuple[int, ...]
    shards: int | None = None
    """How many files the series has, where the name includes that."""

    @classmethod
    def of(cls, path: Path, folder: Path) -> "RecordFile | None":
        """What the name of a file says, if it is one of records."""
        plain = _PACKED.sub("", path.name)
        name = _ENDING.sub("", plain)
        shard = _SHARD.search(name)
        if name == plain and shard is None:
            return None
        if shard is not None:
            series, numbers, shards = name[: shard.start()], (int(shard[1]),), int(shard[2])
        else:
            found = _NUMBERS.search(name)
            if found is None and _group(_NUMBER_OF_SPLIT.sub("", name)) in SPLITS:
                found = _NUMBER_OF_SPLIT.search(name)
            series = name[: found.start()] if found else name
            numbers = tuple(map(int, re.findall(r"\d+", found[0]))) if found else ()
            shards = None
        if path.parent not in (folder, folder / _FOLDER):
            name, series = f"{path.parent.name}/{name}", f"{path.parent.name}/{series}"
        return cls(path, name, _group(series), series, numbers, shards)


@dataclass(frozen=True)
class RecordFolder:
    """The files of a folder, group by group in the order of their numbers."""

    folder: Path
    files: tuple[RecordFile, ...]

    @cached_property
    def shape(self) -> Shape:
        """Shapes of all records, from ``statistics.json``."""
        return read_shape(self.folder / STATISTICS_FILE)

    @property
    def missing_shards(self) -> list[str]:
        """Names of shards that other shards of the folder speak of."""
        numbers: dict[tuple[str, int], set[int]] = {}
        for file in self.files:
            if file.shards is not None:
                numbers.setdefault((file.series, file.shards), set()).update(file.numbers)
        return [
            f"{series}-{number:05}-of-{shards:05}"
            for (series, shards), held in numbers.items()
            for number in sorted(set(range(shards)) - held)
        ]

    def measure(self, tracks: int, pool_width: int, crop: int) -> Shape:
        """Shapes where there is no ``statistics.json``, from the sizes of the first record.

        Raises
        ------
        DataError
            There is no record, or it has no shape with these numbers of tracks and bases.
        """
        for file in self.files:
            for example in read_examples(file.path):
                return _measured(example, file.path, tracks, pool_width, crop)
        raise DataError(self.folder, "the files hold no records", "copy them again")

    def places(
        self, counts: Mapping[str, int], shape: Shape | None = None
    ) -> dict[str, pl.DataFrame] | None:
        """Windows of the records of each group from ``sequences.bed``, none where there is none.

        Raises
        ------
        DataError
            Its intervals are not of the records, by their number or width.
        """
        path = self.folder / SEQUENCES_FILE
        if not path.is_file():
            return None
        shape, frame = shape or self.shape, read_intervals(path).frame
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


def find_records(folder: str | Path, split_of: Sequence[str] = ()) -> RecordFolder:
    """Find the files of a folder of records, or take one file.

    Files lie in the folder, in its folder ``tfrecords``, or in a folder of each split.

    Parameters
    ----------
    split_of
        The split of files, as ``GLOB=SPLIT``; by default their names include it.

    Raises
    ------
    FolderError
        There is no such folder, or no file of records in it.
    ConfigError
        ``split_of`` names no split, no file, or not all files.
    """
    folder = Path(folder)
    if folder.is_file():
        one = RecordFile.of(folder, folder.parent) or RecordFile(
            folder, folder.name, _group(folder.stem), folder.name, ()
        )
        return RecordFolder(folder.parent, _assigned([one], split_of))
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder", "name one with tfrecords/train-0.tfr")
    if folder.name == _FOLDER and (folder.parent / STATISTICS_FILE).is_file():
        folder = folder.parent
    files = [
        file
        for pattern in ("*", "*/*", f"{_FOLDER}/*/*")
        for path in folder.glob(pattern)
        if path.is_file() and (file := RecordFile.of(path, folder)) is not None
    ]
    if not files:
        raise FolderError(
            f"{folder} holds no records",
            "name a folder with files like train-0.tfr, train.tfrecord or train-00000-of-00010",
        )
    _refuse_copies(folder, files)
    files = _assigned(files, split_of)
    return RecordFolder(
        folder, tuple(sorted(files, key=lambda file: (file.group, file.series, file.numbers)))
    )


def _refuse_copies(folder: Path, files: Sequence[RecordFile]) -> None:
    """Refuse two files of one name, and shards of one series that are of two writings."""
    seen: dict[str, Path] = {}
    shards: dict[str, RecordFile] = {}
    for file in files:
        first = seen.setdefault(file.name, file.path)
        if file.shards is not None and file.shards != shards.setdefault(file.series, file).shards:
            first = shards[file.series].path
        if first != file.path:
            raise FolderError(
                f"{folder}: {first.name} and {file.path.name} may hold the same records",
                "keep the files of one of them",
            )


def _group(series: str) -> str:
    """The split that a name includes as a word, or else the name itself: a fold."""
    words = re.split(r"[-._/ ]", series.lower())
    splits = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
    return splits.pop() if len(splits) == 1 else series


def _assigned(files: Sequence[RecordFile], split_of: Sequence[str]) -> tuple[RecordFile, ...]:
    """The files with the splits that the user gives them."""
    rules: list[tuple[str, str]] = []
    for text in split_of:
        pattern, _, split = text.rpartition("=")
        if not pattern or split not in SPLITS:
            raise ConfigError(
                f"--split-of {text}: no files or no split", f"write GLOB={'|'.join(SPLITS)}"
            )
        if not any(file.path.match(pattern) for file in files):
            raise ConfigError(f"--split-of {text}: no file is called so", "correct the name")
        rules.append((pattern, split))
    if not rules:
        return tuple(files)
    found: list[RecordFile] = []
    for file in files:
        split = next((split for pattern, split in rules if file.path.match(pattern)), None)
        if split is None:
            raise ConfigError(
                f"--split-of has no split for {file.path.name}", "add one that fits its name"
            )
        found.append(replace(file, group=split))
    return tuple(found)


def _measured(
    example: Mapping[str, Feature], path: Path, tracks: int, pool_width: int, crop: int
) -> Shape:
    """The only shape that the sizes of a record can have."""
    _refuse_other_records(example, path, 1)
    sequence, target = example["sequence"], example["target"]
    sizes = [len(target) // 2, len(target) // 4] if isinstance(target, bytes) else [target.size]
    for values in sizes:
        bins, rest = divmod(values, tracks)
        window = bins * pool_width + 2 * crop
        if bins and not rest and len(sequence) in (window, 4 * window):
            return Shape(window, bins, pool_width, crop, tracks, {})
    raise DataError(
        path,
        f"a sequence of {len(sequence):,} and a target of {len(target):,} bytes do not fit "
        f"{tracks:,} tracks in bins of {pool_width:,} bases with a crop of {crop:,}",
        "correct --targets, --pool-width or --crop",
        row=1,
    )


def _refuse_other_records(example: Mapping[str, Feature], path: Path, row: int) -> None:
    for name in ("sequence", "target"):
        if name not in example:
            held = ", ".join(sorted(example))
            raise DataError(
                path, f"there is no {name}, only {held}", "give training records", row=row
            )


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
            path,
            "no such file",
            "copy it from where the records are, or give --pool-width, --crop and --targets",
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
    _refuse_other_records(example, path, row)
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
