"""Tables and FASTA files of people, read whole: every column as text, every fault one line.

CSV, TSV, Parquet and FASTA are read, each also gzipped. Rows count from 1 without the header; of a
FASTA file, a row is a record.
"""

import re
from pathlib import Path
from typing import cast

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import column_names, header_start, known, parse_delimited
from attendna.core.errors import DataError
from attendna.core.formats import DELIMITERS, FASTA, PARQUET, ending_of
from attendna.core.parquet import read_arrow, to_frame
from attendna.genome.fasta import parse_fasta

_DNA = "^[ACGTUNacgtun]+$"
_SHORTEST_DNA = 4


def kind(path: Path) -> str:
    """The ending that names the format of a file, in lower case and without ``.gz``.

    Raises
    ------
    DataError
        The ending is none of those that can be read.
    """
    if path.is_dir():
        raise DataError(
            path, "this is a folder", "name a file of sequences, e.g. test.parquet in it"
        )
    ending = ending_of(path)
    if ending not in (*DELIMITERS, *FASTA, *PARQUET):
        raise DataError(
            path,
            f"the ending {ending!r} is not known" if ending else "the file has no ending",
            "name it .csv, .tsv, .parquet or .fa (each may be followed by .gz)",
        )
    return ending


def read_table(path: str | Path) -> pl.DataFrame:
    """Read one file; every column is text without blanks around it, missing values are null.

    What is missing is written as in :data:`attendna.core.delimited.MISSING`, or is null or NaN in
    Parquet. FASTA gives the columns ``id`` (first word of the header) and ``sequence``; there only
    what is empty is missing.

    Raises
    ------
    DataError
        The file is missing, empty, truncated, not UTF-8 text, ragged, or of an unknown kind.
    """
    path = Path(path)
    kind(path)
    return parse_table(path, read_content(path))


def parse_table(path: Path, content: bytes) -> pl.DataFrame:
    """The table that ``content`` holds; ``path`` says its kind and stands in messages."""
    ending = kind(path)
    if ending in PARQUET:
        return _parse_parquet(path, content)
    content = plain_text(path, content)
    frame = (
        parse_fasta(path, content)
        if ending in FASTA
        else _parse_delimited(path, content, DELIMITERS[ending])
    )
    if not frame.height:
        raise DataError(path, "there is a header but no row", "check that the file is complete")
    return frame


def looks_like_dna(values: pl.Series, shortest: int = _SHORTEST_DNA) -> bool:
    """Whether the first values, as far as there are any, are all made of bases."""
    some = values.drop_nulls().head(200)
    return (
        len(some) > 0
        and bool(some.str.contains(_DNA).all())
        and cast("int", some.str.len_bytes().min()) >= shortest
    )


def _parse_delimited(path: Path, content: bytes, delimiter: str) -> pl.DataFrame:
    names, _ = column_names(content[header_start(content) :], delimiter)
    if any(re.match(_DNA, name) and len(name) > 2 * _SHORTEST_DNA for name in names):
        raise DataError(
            path,
            "the first line is a row, not column names",
            "put a line such as sequence,label before it",
        )
    return parse_delimited(path, content, delimiter)


def _parse_parquet(path: Path, content: bytes) -> pl.DataFrame:
    remedy = "write or copy it again"
    frame = to_frame(path, read_arrow(path, remedy, content=content), remedy)
    if not frame.height:
        raise DataError(path, "the table has no rows", "give a file with rows")
    plain = [name for name, dtype in frame.schema.items() if not dtype.is_nested()]
    try:
        return known(frame.select(pl.col(plain).cast(pl.String)))
    except pl.exceptions.PolarsError as error:
        raise DataError(path, "a column is not text or numbers", "write it as text") from error
