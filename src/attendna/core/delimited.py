"""Delimited tables with a header line, every column as text, and what is missing in them."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs

from attendna.core.errors import DataError, printable

MISSING = (
    "", ".", "NA", "N/A", "n/a", "#N/A", "<NA>",
    "NaN", "nan", "NAN", "-nan", "None", "null", "NULL",
)  # fmt: skip
"""How R, pandas, Excel, SQL and C write that a value is not known. It is missing in every column of
a table, be it a label, an id, a number or a sequence; a record of a FASTA file may be named so."""


def known(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with blanks around its text removed, and null for every value that is missing."""
    text = cs.string().str.strip_chars()
    frame = frame.with_columns(pl.when(~text.is_in(MISSING)).then(text))
    return frame.with_columns(cs.float().fill_nan(None))


def header_start(text: bytes) -> int:
    """Where the header of a table begins: behind blank lines and comments, which begin with ``#``.

    The comment right before the first row is the header if it has as many columns: ``#chrom``.
    """
    begin, comment = 0, None
    while begin < len(text):
        end = text.find(b"\n", begin) + 1 or len(text)
        line = text[begin:end].strip()
        if line and not line.startswith(b"#"):
            named = comment is not None and _names_columns(text[comment:begin], line)
            return (comment or 0) if named else begin
        if line:
            comment = None if line.startswith(b"##") else text.index(line.lstrip(b"# \t"), begin)
        begin = end
    return comment or 0


def _names_columns(comment: bytes, row: bytes) -> bool:
    """Whether a comment is the header of the row below it: as many columns, each one word."""
    names, delimiter = column_names(comment, "\t")
    words = [name.split() for name in names]
    return len(words) == len(column_names(row, delimiter)[0]) > 1 and max(map(len, words)) == 1


_AGAIN = "resume the training, or train again"


def column_names(text: bytes, delimiter: str) -> tuple[list[str], str]:
    """Names in the header line, and the delimiter they are really separated by."""
    header = text.partition(b"\n")[0].decode()
    if delimiter not in header:
        delimiter = max((",", "\t", ";", delimiter), key=header.count)
    return next(csv.reader([header], delimiter=delimiter), []), delimiter


def parse_delimited(path: Path, text: bytes, delimiter: str) -> pl.DataFrame:
    """Read plain text, without comments before the header; missing values are null.

    Raises
    ------
    DataError
        A row has more fields than the header, or the text is no table; ``path`` is named.
    """
    text = text[header_start(text) :]
    _, delimiter = column_names(text, delimiter)
    try:
        return known(pl.read_csv(text, separator=delimiter, infer_schema=False))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _describe_misfit(path, text.decode(), delimiter) from error


def read_numbers(path: Path, columns: Sequence[str] = ()) -> pl.DataFrame:
    """The log of a training, in which all is a number or ``nan``; empty fields are null.

    Parameters
    ----------
    columns
        What must be there, in every row and finite.

    Raises
    ------
    DataError
        It is no such table.
    """
    try:
        # Inference would take `nan` for text.
        table = pl.read_csv(path, infer_schema=False).cast(pl.Float64)
        found = table.select(columns)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        wanted = f" with {', '.join(columns)}" if columns else ""
        raise DataError(path, f"damaged: no table of numbers{wanted}", _AGAIN) from error
    for name in columns:
        wrong = ~found[name].is_finite().fill_null(value=False)
        if wrong.any():
            row = int(wrong.arg_max() or 0) + 1
            raise DataError(path, f"damaged: {name} is no number", _AGAIN, row=row)
    return table


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


_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """A table as text files hold it: no cell is a formula to a spreadsheet or a code to a terminal.

    Text that begins with ``=``, ``+``, ``-`` or ``@`` and is no number gets an apostrophe before
    it, control characters become escapes. A lone sign, such as of a strand, stays.
    """

    def shown(column: pl.Series) -> pl.Series:
        return column.map_elements(
            lambda text: re.sub(r"[\t\r\n]", lambda m: repr(m[0])[1:-1], printable(text)),
            return_dtype=pl.String,
        )

    texts = pl.col(pl.String)
    formula = texts.str.contains(r"^[=+@-].") & ~texts.str.contains(_NUMBER)
    headings = shown(pl.Series(frame.columns, dtype=pl.String))
    marked = headings.to_frame("text").select(
        pl.when(formula).then(pl.lit("'") + texts).otherwise(texts)
    )
    frame = frame.rename(dict(zip(frame.columns, marked.to_series(), strict=True)))
    return frame.with_columns(
        shown(frame[name]) for name, kind in frame.schema.items() if kind == pl.String
    ).with_columns(pl.when(formula).then(pl.lit("'") + texts).otherwise(texts).name.keep())
