"""Sequences to predict for, read from people's files and from task folders.

Shapes: ``N`` sequences.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.genome.alphabet import LetterPolicy, N
from attendna.genome.sequences import SequenceBatch, SequenceError
from attendna.tasks.ingest import ID_NAMES, NUMBERED, SEQUENCE_NAMES
from attendna.tasks.spec import SplitName
from attendna.tasks.store import open_task
from attendna.tasks.table import looks_like_dna, read_table

LONGEST_TIMES = 10
"""A sequence may have so many times the bases of the longest that a model was trained on."""


@dataclass(frozen=True, eq=False)
class Input:
    """Sequences with their ids, and what else a task knows of them."""

    source: Path
    """The file that was read, for messages."""
    ids: tuple[str, ...]
    sequences: SequenceBatch
    alternatives: SequenceBatch | None = None
    """Of a task of pairs, the sequence of each with the other allele."""
    classes: tuple[str, ...] = ()
    labels: Int64[ndarray, " N"] | None = None
    """Of a task of classes, the number of the class of each."""

    def refuse_pairs(self) -> None:
        """Raise :class:`FolderError` where each row has two sequences."""
        if self.alternatives is not None:
            raise FolderError(
                f"{self.source.parent} has pairs of sequences",
                "choose a task of single sequences, or a file",
            )


def read_input(
    path: str | Path,
    letters: LetterPolicy = "unknown",
    *,
    split: SplitName = "test",
    sequence_column: str | None = None,
    id_column: str | None = None,
) -> Input:
    """The sequences of a file, see :func:`read_sequences`, or of a split of a task folder.

    Raises
    ------
    UserError
        The file, the folder or a row cannot be used; a task of tracks has no sequences to give; or
        a column is named, while those of a task folder are known.
    """
    path = Path(path)
    if not path.is_dir():
        return Input(
            path,
            *read_sequences(path, letters, sequence_column=sequence_column, id_column=id_column),
        )
    for option, column in (("--sequence-column", sequence_column), ("--id-column", id_column)):
        if column is not None:
            raise ConfigError(
                f"{option} {column}: {path} is a folder", f"name a file, or leave out {option}"
            )
    task = open_task(path, (split,))
    source, rows = task.path(split), task.read(split)
    if letters == "error":
        for alleles in (rows.sequences, rows.alternatives):
            if alleles is not None:
                refuse_unknown_bases(alleles, rows.ids, source)
    if task.spec.label_kind not in ("binary", "multiclass"):
        return Input(source, rows.ids, rows.sequences, rows.alternatives)
    labels = rows.labels.astype(np.int64)
    return Input(source, rows.ids, rows.sequences, rows.alternatives, task.spec.classes, labels)


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
        given = read_input(path, letters, sequence_column=sequence_column, id_column=id_column)
        given.refuse_pairs()
        return given.ids, given.sequences
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
