"""From people's files of labelled sequences to a task folder; what was detected is printed.

Shapes: ``n`` rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from jaxtyping import Int64, Shaped
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed
from attendna.core.errors import ConfigError, DataError
from attendna.core.files import refuse_existing, sha256
from attendna.core.formats import FASTA
from attendna.genome.alphabet import LetterPolicy
from attendna.genome.sequences import SequenceBatch, SequenceError
from attendna.tasks.labels import MAX_CLASSES
from attendna.tasks.spec import SPLITS, TASK, Source, SplitName, TaskSpec
from attendna.tasks.splits import dealt, group_by_sequence, split_groups, three_shares
from attendna.tasks.store import Task, check_ids, find_repeated, write_task
from attendna.tasks.table import kind, looks_like_dna, read_table

SEQUENCE_NAMES = ("sequence", "seq", "sequences", "dna", "dna_sequence")
LABEL_NAMES = ("label", "labels", "class", "target", "y")
ID_NAMES = ("id", "name", "seq_id", "sequence_id")
NUMBERED = "none"
"""What to give as ``id_column`` to have rows numbered."""

_LARGEST_CLASS = 1e15
_OR_NUMBER = "or number them with --id-column none"
COORDINATES = {"chrom": pl.String, "start": pl.Int64, "end": pl.Int64, "strand": pl.String}


class ImportOptions(Config):
    """How files are read and split; columns and classes are detected where they are not given."""

    sequence_column: str | None = None
    label_column: str | None = None
    id_column: str | None = None
    classes: tuple[str, ...] | None = None
    letters: LetterPolicy = "unknown"
    min_length: int = Field(default=1, ge=1)
    drop_missing: bool = False
    """Leave out rows without a sequence, label or id, and count them; otherwise they are refused.
    What is missing is written as in :data:`attendna.core.delimited.MISSING`."""
    valid_fraction: float = Field(default=0.1, ge=0, lt=1)
    test_fraction: float = Field(default=0.1, ge=0, lt=1)
    seed: Seed = 0

    @property
    def fractions(self) -> dict[SplitName, float]:
        """Share of each split when all three are made."""
        return three_shares(self.valid_fraction, self.test_fraction)


DEFAULTS = ImportOptions()


@dataclass(frozen=True)
class Imported:
    """The new task, what was decided on the way, and what its user must know."""

    task: Task
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass
class _Journal:
    notes: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Rows:
    """One file: the ``row``, ``id``, ``sequence`` and text ``label`` of its rows, and the split it
    was given for."""

    path: Path
    given: SplitName
    frame: pl.DataFrame


@dataclass(frozen=True)
class _Columns:
    sequence: str
    label: str
    id: str | None


def import_tables(
    folder: str | Path,
    files: Mapping[SplitName, str | Path],
    options: ImportOptions = DEFAULTS,
    *,
    force: bool = False,
) -> Imported:
    """Make a task of tables with a sequence and a label column.

    Where ``valid`` or ``test`` is not among the files, it is taken from the training rows, whole
    groups of identical or reverse-complement sequences at a time. A test file alone is kept as it
    is, for evaluation.

    Raises
    ------
    DataError
        A file or row that cannot be used.
    ConfigError
        Options that contradict each other or the files.
    FolderError
        The folder exists.
    """
    refuse_existing(folder, TASK, force=force)
    given: list[SplitName] = [split for split in SPLITS if split in files]
    paths = [Path(files[split]) for split in given]
    _check_files(given, paths)
    journal = _Journal()
    tables = [
        _Rows(path, split, read_table(path)) for split, path in zip(given, paths, strict=True)
    ]
    columns = _choose_columns(tables[0].path, tables[0].frame, options, journal)
    parts = [
        _take_columns(table, columns, options, journal, table.given if given[1:] else "row")
        for table in tables
    ]
    check_ids({part.path: part.frame for part in parts}, _OR_NUMBER)
    return _publish(folder, parts, options, journal, force=force)


def import_fasta_pair(
    folder: str | Path,
    negative: str | Path,
    positive: str | Path,
    options: ImportOptions = DEFAULTS,
    *,
    force: bool = False,
) -> Imported:
    """Make a binary task of two FASTA files, one a class; splits are made by sequence.

    Raises
    ------
    DataError
        A file or record that cannot be used.
    FolderError
        The folder exists.
    """
    refuse_existing(folder, TASK, force=force)
    names = options.classes or ("negative", "positive")
    if len(names) != 2:
        raise ConfigError(f"two FASTA files make two classes, not {len(names)}", "name two")
    journal = _Journal()
    parts: list[_Rows] = []
    for path, label in ((Path(negative), names[0]), (Path(positive), names[1])):
        if kind(path) not in FASTA:
            raise DataError(path, "this is not a FASTA file", "give .fa, .fasta or .fna")
        table = read_table(path).with_columns(label=pl.lit(label))
        own = None if options.id_column == NUMBERED else "id"
        columns = _Columns("sequence", "label", own)
        part = _Rows(path, "train", table)
        parts.append(_take_columns(part, columns, options, journal, label))
    check_ids({part.path: part.frame for part in parts}, _OR_NUMBER)
    return _publish(folder, parts, options.replace(classes=names), journal, force=force)


def _check_files(given: Sequence[SplitName], paths: Sequence[Path]) -> None:
    if not given:
        raise ConfigError("there is nothing to import", "name a file, or --train, --valid, --test")
    if "train" not in given and "valid" in given:
        raise ConfigError("--valid without --train", "give the training rows too")
    for number, path in enumerate(paths):
        if kind(path) in FASTA:
            raise DataError(
                path,
                "a FASTA file has no labels",
                "give one a class with --positive and --negative, or a table",
            )
        if path in paths[:number]:
            first = given[paths.index(path)]
            raise ConfigError(
                f"{path} is given as {first} and as {given[number]}", "give two files"
            )


def _choose_columns(
    path: Path, table: pl.DataFrame, options: ImportOptions, journal: _Journal
) -> _Columns:
    """The named columns; where none is named, one of a usual name, else the only one that fits."""
    own = None if options.id_column == NUMBERED else options.id_column
    for option, name in (
        ("--sequence-column", options.sequence_column),
        ("--label-column", options.label_column),
        ("--id-column", own),
    ):
        if name is not None and name not in table.columns:
            raise _missing(path, table, name, option)
    taken = {options.sequence_column, options.label_column, own}
    sequence = options.sequence_column or _first_name(table, SEQUENCE_NAMES, taken)
    if sequence is None:
        bases = [c for c in table.columns if c not in taken and looks_like_dna(table[c], 8)]
        sequence = _only(bases)
    taken |= {sequence}
    label = options.label_column or _first_name(table, LABEL_NAMES, taken)
    ids = own or _first_name(table, ID_NAMES, taken | {label})
    if label is None:
        label = _only([c for c in table.columns if c not in (*taken, ids, *COORDINATES)])
    if sequence is not None and sequence == label:
        raise ConfigError(
            f"--sequence-column and --label-column are both {sequence}", "name two columns"
        )
    if sequence is None:
        raise _missing(path, table, "sequence", "--sequence-column")
    if label is None:
        raise _missing(path, table, "label", "--label-column")
    columns = _Columns(sequence, label, None if options.id_column == NUMBERED else ids)
    _note_columns(options, columns, table, journal)
    return columns


def _only(names: list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _first_name(
    table: pl.DataFrame, known: Iterable[str], taken: Iterable[str | None]
) -> str | None:
    free = {name.strip().lower(): name for name in table.columns if name not in taken}
    return next((free[name] for name in known if name in free), None)


def _missing(path: Path, table: pl.DataFrame, what: str, option: str) -> DataError:
    return DataError(
        path,
        f"there is no {what} column among {', '.join(table.columns)}",
        f"name it with {option}",
    )


def _note_columns(
    options: ImportOptions, columns: _Columns, table: pl.DataFrame, journal: _Journal
) -> None:
    detected = [
        f"{name} as the {what}"
        for what, name, given in (
            ("sequence", columns.sequence, options.sequence_column),
            ("label", columns.label, options.label_column),
            ("id", columns.id, options.id_column),
        )
        if given is None and name is not None
    ]
    if detected:
        journal.notes.append(f"detected the column {', '.join(detected)}, by names and values")
    if columns.id is None:
        journal.notes.append("numbered the rows: there is no id column")
    used = {columns.sequence, columns.label, columns.id, *COORDINATES}
    unused = [name for name in table.columns if name not in used]
    if unused:
        journal.notes.append(f"left out the column {', '.join(unused)}")


def _take_columns(
    part: _Rows, columns: _Columns, options: ImportOptions, journal: _Journal, prefix: str
) -> _Rows:
    """Pick and check the columns of one file; rows without an id are numbered after ``prefix``."""
    path, table = part.path, part.frame
    for name in (columns.sequence, columns.label, columns.id):
        if name is not None and name not in table.columns:
            raise _missing(path, table, name, "the same name in every file")
    numbered = pl.format(f"{prefix}-{{}}", pl.int_range(1, pl.len() + 1))
    frame = table.select(
        id=numbered if columns.id is None else columns.id,
        sequence=columns.sequence,
        label=columns.label,
        row=pl.int_range(1, pl.len() + 1),
    )
    _refuse_swapped(path, frame, columns)
    frame = frame.hstack(_coordinates(path, table))
    frame = _without_missing(path, frame, options, journal)
    labels = _plain_numbers(frame["label"])
    if options.classes is None:
        _refuse_measurements(path, labels, frame["row"])
    frame = frame.with_columns(_read_letters(path, frame, options, journal), labels)
    return _Rows(path, part.given, frame)


def _without_missing(
    path: Path, frame: pl.DataFrame, options: ImportOptions, journal: _Journal
) -> pl.DataFrame:
    """The rows in which nothing is missing; where no others may be left out, there must be none."""
    for name in ("sequence", "label", "id"):
        missing = frame[name].is_null() | (frame[name] == "")
        if not missing.any():
            continue
        if not options.drop_missing:
            raise DataError(
                path,
                f"the {name} is missing ({missing.sum():,} such rows)",
                "fill it in, remove the row, or add --drop-missing to leave them out"
                + (f"; {_OR_NUMBER}" if name == "id" else ""),
                row=frame["row"][_first(missing) - 1],
            )
        journal.warnings.append(
            f"left out {missing.sum():,} of {frame.height:,} rows of {path.name}: the {name} is "
            "missing"
        )
        frame = frame.filter(~missing)
    if not frame.height:
        raise DataError(path, "no row is left without those that miss something", "fill them in")
    return frame


def _read_letters(
    path: Path, frame: pl.DataFrame, options: ImportOptions, journal: _Journal
) -> pl.Series:
    """Sequences in the letters A, C, G, T, N, all of them long enough."""
    sequences = frame["sequence"]
    try:
        batch = SequenceBatch.from_text(sequences, options.letters)
    except SequenceError as error:
        raise DataError(
            path,
            f"the character {error.letter!r} at position {error.position + 1} is not a base",
            error.remedy,
            row=frame["row"][error.row],
        ) from None
    short = np.flatnonzero(batch.lengths < options.min_length)
    if short.size:
        raise DataError(
            path,
            f"the sequence has {batch.lengths[short[0]]} bases, fewer than {options.min_length} "
            f"({short.size} such rows)",
            "remove the row or lower --min-length",
            row=frame["row"][int(short[0])],
        )
    ambiguous = sequences.str.count_matches("[^ACGTUNacgtun]")
    if ambiguous.sum():
        journal.notes.append(
            f"read {ambiguous.sum()} IUPAC letters as N in {(ambiguous > 0).sum()} sequences of "
            f"{path.name}"
        )
    return batch.to_series().alias("sequence")


def _plain_numbers(labels: pl.Series) -> pl.Series:
    """Labels 0, 0.0 and 00 are one label, if all are whole numbers."""
    values = labels.cast(pl.Float64, strict=False)
    whole = (values == values.round()) & (values.abs() < _LARGEST_CLASS)
    return values.cast(pl.Int64).cast(pl.String) if whole.fill_null(value=False).all() else labels


def _refuse_measurements(path: Path, labels: pl.Series, rows: pl.Series) -> None:
    """Refuse labels that are all numbers, of which some are no numbers of classes."""
    values = labels.cast(pl.Float64, strict=False)
    if values.is_null().any():
        return
    odd = (values != values.round()) | ~(values.abs() < _LARGEST_CLASS)
    if odd.any():
        place = _first(odd) - 1
        fraction = bool(values.is_finite()[place] and values[place] % 1)
        what = "a number with a fraction" if fraction else "too large a number"
        raise DataError(
            path,
            f"the label {labels[place]} is {what}, not a class",
            "turn measurements into classes first",
            row=rows[place],
        )


def _refuse_swapped(path: Path, frame: pl.DataFrame, columns: _Columns) -> None:
    if looks_like_dna(frame["label"]) and not looks_like_dna(frame["sequence"], 1):
        raise DataError(
            path,
            f"the column {columns.sequence} holds {frame['sequence'][0]!r} and the column "
            f"{columns.label} holds bases: the two look swapped",
            f"use --sequence-column {columns.label} --label-column {columns.sequence}",
            row=1,
        )


def _coordinates(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    """The columns chrom, start, end (and strand), if the file has them."""
    held = [name for name in COORDINATES if name in table.columns]
    if not {"chrom", "start", "end"} <= set(held):
        return pl.DataFrame()
    # pandas writes 100 as 100.0 where other rows of the column are missing.
    plain = [pl.col(name).str.replace(r"^(\d+)\.0+$", "${1}") for name in held]
    result = table.select(
        text.cast(COORDINATES[name], strict=False) for text, name in zip(plain, held, strict=True)
    )
    for name in held:
        lost = result[name].is_null() & table[name].is_not_null()
        if lost.any():
            row = _first(lost)
            raise DataError(
                path, f"the {name} {table[name][row - 1]!r} is no number", "correct it", row=row
            )
    return result


def _publish(
    folder: str | Path,
    parts: Sequence[_Rows],
    options: ImportOptions,
    journal: _Journal,
    *,
    force: bool,
) -> Imported:
    """Number the classes, make the splits that are missing, and write the folder."""
    classes, numbers = _name_classes(parts, options)
    journal.notes.append(_tell_classes(classes, numbers))
    frame = pl.concat([_number_labels(part, numbers) for part in parts], how="diagonal")
    groups = group_by_sequence(SequenceBatch.from_text(frame["sequence"]))
    split, told = _make_splits(frame, groups, options)
    frame = frame.with_columns(split=pl.Series(split), group=pl.Series(groups))
    journal.notes.append(f"splits: {told}")
    journal.warnings += [*find_repeated(frame, classes), *_find_shared(frame)]
    frames = dealt(frame.drop("split", "group", "given", "row"), frame["split"].to_numpy())
    paths = [part.path for part in parts]
    spec = TaskSpec(
        name=Path(folder).name,
        title=f"Imported from {', '.join(path.name for path in paths)}",
        sources=tuple(Source(location=path.name, sha256=sha256(path)) for path in paths),
        label_kind="binary" if len(classes) == 2 else "multiclass",
        classes=classes,
        splits=told,
        notes=tuple(journal.warnings),
    )
    task = write_task(folder, spec, frames, force=force)
    return Imported(task, tuple(journal.notes), tuple(journal.warnings))


def _name_classes(
    parts: Sequence[_Rows], options: ImportOptions
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The names of the classes, and the class number of each label as it is written."""
    first = [part for part in parts if part.given == parts[0].given]
    written = pl.concat([part.frame["label"] for part in first]).unique().to_list()
    names = options.classes or _guess_classes(first[0].path, written)
    if len(set(names)) != len(names) or len(names) < 2:
        raise ConfigError(
            f"--classes {','.join(names)} makes no classes", "give two or more different names"
        )
    if not set(written) & set(names) and set(written) <= {str(i) for i in range(len(names))}:
        return names, {str(number): number for number in range(len(names))}
    return names, {name: number for number, name in enumerate(names)}


def _guess_classes(path: Path, written: list[str]) -> tuple[str, ...]:
    if len(written) == 1:
        raise DataError(
            path,
            f"every row has the label {written[0]}",
            "add rows of another class; one class cannot be learned",
        )
    spelled: dict[str, str] = {}
    for label in sorted(written):
        other = spelled.setdefault(label.casefold(), label)
        if other != label:
            raise DataError(
                path,
                f"the labels {other} and {label} differ only in case",
                f"write them alike, or name both by --classes {other},{label},... if they differ",
            )
    values = pl.Series(written).cast(pl.Float64, strict=False)
    numeric = not values.is_null().any()
    if len(written) > MAX_CLASSES:
        raise DataError(
            path,
            f"{len(written)} different labels, more than {MAX_CLASSES}",
            "name the right column with --label-column",
        )
    return tuple(sorted(written, key=int) if numeric else sorted(written))


def _tell_classes(classes: tuple[str, ...], numbers: Mapping[str, int]) -> str:
    told = ", ".join(
        f"{written} -> {number}" + ("" if classes[number] == written else f" ({classes[number]})")
        for written, number in numbers.items()
    )
    return f"labels: {told}" + (
        f"; {classes[1]} is the positive class" if len(classes) == 2 else ""
    )


def _number_labels(part: _Rows, numbers: Mapping[str, int]) -> pl.DataFrame:
    """The rows of a file with labels as class numbers, and the split they were given for."""
    written = part.frame.get_column("label")
    labels = written.replace_strict(dict(numbers), default=None, return_dtype=pl.Int8)
    outside = labels.is_null()
    if outside.any():
        place = _first(outside) - 1
        raise DataError(
            part.path,
            f"the label {written[place]!r} is none of {', '.join(numbers)} "
            f"({int(outside.sum())} such rows)",
            "correct it, or name all classes with --classes",
            row=part.frame["row"][place],
        )
    return part.frame.with_columns(labels.alias("label"), given=pl.lit(part.given))


def _make_splits(
    frame: pl.DataFrame, groups: Int64[ndarray, " n"], options: ImportOptions
) -> tuple[Shaped[ndarray, " n"], str]:
    """The split of each row, and how it came about: what is not given is dealt out of train."""
    split = frame.get_column("given").to_numpy().astype("<U5")
    held: set[SplitName] = set(split.tolist())
    if "train" not in held or held == set(SPLITS):
        return split, "as given"
    fractions = options.fractions
    for name in held - {"train"}:
        del fractions[name]
    train = split == "train"
    labels = frame.get_column("label").to_numpy()[train]
    split[train] = split_groups(groups[train], labels, fractions, options.seed)
    for name, share in fractions.items():
        for number in np.unique(labels):
            mine = labels == number
            if share and not ((split[train] == name) & mine).any():
                rows, different = int(mine.sum()), np.unique(groups[train][mine]).size
                are = "are one sequence" if different == 1 else f"are {different:,} sequences"
                repeated = "" if different == rows else f", which {are} on either strand,"
                raise ConfigError(
                    f"a class of {rows:,} row{'' if rows == 1 else 's'}{repeated} is too small for "
                    f"a {name} split",
                    "give more rows, other fractions, or the splits themselves",
                )
    total = sum(fractions.values())
    shares = ", ".join(f"{name} {share / total:.3g}" for name, share in fractions.items())
    whole = "" if len(fractions) == len(SPLITS) else " of the training rows"
    return split, (
        f"{shares}{whole}, by sequence (identical and reverse-complement ones together), "
        f"classes in proportion, seed {options.seed}"
    )


def _find_shared(frame: pl.DataFrame) -> list[str]:
    """A line a split whose sequences are also in an earlier one."""
    lines: list[str] = []
    for later, earlier in (("valid", ["train"]), ("test", ["train", "valid"])):
        rows = frame.filter(pl.col("split") == later)
        seen = frame.filter(pl.col("split").is_in(earlier)).get_column("group").unique()
        shared = rows.get_column("group").is_in(seen.implode()).sum() if rows.height else 0
        if shared:
            lines.append(
                f"{shared} of {rows.height} {later} rows ({shared / rows.height:.1%}) have a "
                f"sequence that is also in {' or '.join(earlier)}, on this or the other strand; "
                "they were kept, and scores on them say nothing about new sequences"
            )
    return lines


def _first(mask: pl.Series) -> int:
    """Row of the first true value, counted from 1."""
    return int(cast("int", mask.arg_max())) + 1
