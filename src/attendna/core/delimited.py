"""Delimited tables with a header line, every column as text."""

import csv
import io
from pathlib import Path

import polars as pl

from attendna.core.errors import DataError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
"""What separates the columns of a file, by its ending."""


def column_names(text: bytes, delimiter: str) -> tuple[list[str], str]:
    """Names in the header line, and the delimiter they are really separated by."""
    header = text.partition(b"\n")[0].decode()
    if delimiter not in header:
        delimiter = max((",", "\t", ";", delimiter), key=header.count)
    return next(csv.reader([header], delimiter=delimiter), []), delimiter


def parse_delimited(path: Path, text: bytes, delimiter: str) -> pl.DataFrame:
    """Read plain text; empty fields are null.

    Raises
    ------
    DataError
        A row has more fields than the header, or the text is no table; ``path`` is named.
    """
    _, delimiter = column_names(text, delimiter)
    try:
        return pl.read_csv(text, separator=delimiter, infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _describe_misfit(path, text.decode(), delimiter) from error


def _describe_misfit(path: Path, text: str, delimiter: str) -> DataError:
    """Find, slowly, the row that could not be read."""
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    width = len(next(lines))
    try:
        for row, fields in enumerate(lines, start=1):
            if len(fields) > width:
                return DataError(
                    path,
                    f"{len(fields)} fields where the header has {width}",
                    "quote fields that hold the delimiter, or correct the row",
                    row=row,
                )
    except csv.Error as error:
        return DataError(path, f"not a table: {error}", "save it again as CSV or TSV")
    return DataError(path, "not a table that can be read", "save it again as CSV or TSV")
