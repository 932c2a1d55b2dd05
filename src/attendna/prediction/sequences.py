"""Sequences to predict for, read from people's files."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from attendna.core.errors import DataError, FolderError
from attendna.genome.alphabet import LetterPolicy, N
from attendna.genome.sequences import SequenceBatch, SequenceError
from attendna.tasks.ingest import ID_NAMES, NUMBERED, SEQUENCE_NAMES
from attendna.tasks.store import open_task
from attendna.tasks.table import looks_like_dna, read_table

LONGEST_TIMES = 10
"""A sequence may have so many times the bases of the longest that a model was trained on."""


def read_sequences(
    path: str | Path,
    letters: LetterPolicy = "unknown",
    *,
    sequence_column: str | None = None,
    id_column: str | None = None,
) -> tuple[tuple[str, ...], SequenceBatch]:
    """The ids and sequences of a FASTA, CSV, TSV or Parquet file, gzipped or not, or of the test
    rows of a task folder.

    The columns are detected by their names where they are not given, the sequences also by their
    letters; without a column of ids, or where it is called ``none``, rows are numbered from 1.

    Raises
    ------
    DataError
        The file, one of its columns or one of its rows cannot be used.
    FolderError
        A folder is not a task of single sequences with test rows.
    """
    path = Path(path)
    if path.is_dir():
        path = _test_rows(path)
    table = read_table(path)
    named = sequence_column or _named(table, SEQUENCE_NAMES) or _only_bases(table)
    if named is None or named not in table.columns:
        raise DataError(
            path,
            f"there is no {sequence_column or 'sequence'} column among {', '.join(table.columns)}",
            "name it with --sequence-column",
        )
    own = None if id_column == NUMBERED else id_column or _named(table, ID_NAMES)
    if own is not None and own not in table.columns:
        raise DataError(
            path,
            f"there is no {own} column among {', '.join(table.columns)}",
            "name another with --id-column",
        )
    ids = table[own] if own else pl.int_range(1, table.height + 1, eager=True).cast(pl.String)
    for what, column in (("sequence", table[named]), ("id", ids)):
        empty = column.is_null() | (column == "")
        if empty.any():
            row = int(empty.arg_max() or 0) + 1
            remedy = "fill it in or remove the row"
            remedy += "; or number the rows with --id-column none" if what == "id" else ""
            raise DataError(path, f"the {what} is missing", remedy, row=row)
    return tuple(ids.to_list()), _encode(path, table[named], letters)


def _test_rows(folder: Path) -> Path:
    """The file of the rows that a model trained on this task has not seen."""
    task = open_task(folder, ("test",))
    if task.spec.paired:
        raise FolderError(
            f"{folder} has pairs of sequences", "choose a task of single sequences, or a file"
        )
    return task.path("test")


def _named(table: pl.DataFrame, known: Iterable[str]) -> str | None:
    there = {name.strip().lower(): name for name in reversed(table.columns)}
    return next((there[name] for name in known if name in there), None)


def _only_bases(table: pl.DataFrame) -> str | None:
    """The only column that holds bases."""
    bases = [name for name in table.columns if looks_like_dna(table[name], 8)]
    return bases[0] if len(bases) == 1 else None


def _encode(path: Path, sequences: pl.Series, letters: LetterPolicy) -> SequenceBatch:
    try:
        return SequenceBatch.from_text(sequences, letters)
    except SequenceError as error:
        raise DataError(
            path,
            f"the character {error.letter!r} at position {error.position + 1} is not a base",
            "correct it" if letters == "unknown" else "correct it; the model refuses unknown bases",
            row=error.row + 1,
        ) from None


def refuse_short(
    sequences: SequenceBatch, ids: tuple[str, ...], needed: int, source: str | Path
) -> None:
    """Raise :class:`DataError` at the first sequence that has fewer bases than a token needs."""
    short = sequences.lengths < needed
    if short.any():
        row = int(np.argmax(short))
        raise DataError(
            source,
            f"the sequence {ids[row]!r} has {sequences.lengths[row]} bases, the model's tokens "
            f"need {needed}",
            "remove it, or train with shorter tokens",
            row=row + 1,
        )


def refuse_long(
    sequences: SequenceBatch, ids: tuple[str, ...], longest: int, source: str | Path
) -> None:
    """Raise :class:`DataError` at the first sequence of more than :data:`LONGEST_TIMES` the bases
    of the longest that the model was trained on: what it predicts there has no meaning."""
    long = sequences.lengths > LONGEST_TIMES * longest
    if long.any():
        row = int(np.argmax(long))
        raise DataError(
            source,
            f"the sequence {ids[row]!r} has {sequences.lengths[row]:,} bases, more than "
            f"{LONGEST_TIMES} times the {longest:,} that the model was trained on "
            f"({int(long.sum()):,} such rows)",
            f"cut it into windows of {longest:,} bases, e.g. with bedtools makewindows, getfasta",
            row=row + 1,
        )


def refuse_unknown_bases(
    sequences: SequenceBatch, ids: tuple[str, ...], source: str | Path
) -> None:
    """Raise :class:`DataError` at the first base that is not A, C, G or T."""
    unknown = sequences.codes >= N
    if unknown.any():
        place = int(np.argmax(unknown))
        row = int(np.searchsorted(sequences.offsets, place, side="right")) - 1
        position = place - int(sequences.offsets[row]) + 1
        raise DataError(
            source,
            f"the sequence {ids[row]!r} has an unknown base at position {position}",
            "remove it, or train with letters: unknown",
            row=row + 1,
        )
