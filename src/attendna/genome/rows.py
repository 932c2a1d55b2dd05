"""Text of rows and columns as typed tables, with a complaint for every row that does not fit.

Lines that are blank, begin with ``#``, or set a browser (``track``, ``browser``) are no rows.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from attendna.core.delimited import MISSING, column_names, header_start
from attendna.core.errors import DataError
from attendna.core.formats import DELIMITERS, ending_of
from attendna.genome.preflight import Rule, judge, no_complaints

# A row may have many names, of which the first that is known is taken.
_LABELS = ("name", "id")
_WIDTH = "columns in this row"
_MARKS = (b"#", b"track", b"browser")
_NO_ROW = r"^\s*$|^#|^(track|browser)(\s|$)"


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are."""

    fields: tuple[str | None, ...]
    """The name of each column; columns without a name are not read."""
    separator: str | None
    """What stands between columns; by default any run of blanks."""
    whole: tuple[str, ...] = ()
    real: tuple[str, ...] = ()
    """Columns that hold whole and real numbers, if they are there; the others hold text."""
    required: tuple[str, ...] = ()
    """Columns that no row may leave empty."""
    quoted: bool = False
    """Whether a field in double quotes may hold the separator."""
    missing: tuple[str, ...] = MISSING
    """What stands for a value that is not known."""


def first_row(text: bytes, begin: int = 0) -> tuple[int, int]:
    """Where the first row from ``begin`` on starts and ends; at the end of the text without one."""
    while begin < len(text):
        end = text.find(b"\n", begin)
        end = len(text) if end < 0 else end
        if not re.match(_NO_ROW, text[begin:end].decode()):
            return begin, end
        begin = end + 1
    return len(text), len(text)


def split_row(text: bytes) -> tuple[list[str], str | None]:
    """The columns of a row, and what separates them: a tab if there is one, or else blanks."""
    row = text.decode()
    return (row.split("\t"), "\t") if "\t" in row else (row.split(), None)


def read_rows(
    path: Path, text: bytes, layout: Layout, *, first_line: int = 1
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed rows of a text and the line of each, and complaints about the rest.

    Raises
    ------
    DataError
        There is no row, or the quotes do not pair; ``path`` is named.
    """
    typed = _read_plain(text.strip(b" "), layout, first_line)
    if typed is not None:
        return typed, no_complaints()
    split = _split_quoted if layout.quoted and b'"' in text else _split
    rows = split(path, text, layout, first_line)
    _refuse_commas(path, rows)
    if not rows.height:
        raise DataError(path, "there is no row in it", "check that the file is complete")
    return _convert(rows, layout)


def read_table(
    path: Path,
    text: bytes,
    aliases: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    *,
    whole: tuple[str, ...] = (),
    real: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    keep: Sequence[str] = (),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed rows of a table with column names, as :func:`read_rows` gives them.

    Parameters
    ----------
    aliases
        What each column may be called, in lower case; the others are not read.
    columns
        The name, as it is written, of columns that are called otherwise.
    required
        Columns that must be there, and that no row may leave empty.
    keep
        Names of further columns to read as text.

    Raises
    ------
    DataError
        A column is not there, or there is no row; ``path`` is named.
    """
    header = header_start(text)
    begin = text.find(b"\n", header) + 1 or len(text)
    names, separator = column_names(text[header:begin], DELIMITERS.get(ending_of(path), ","))
    fields: list[str | None] = [None] * len(names)
    columns = {name: name for name in keep} | dict(columns)
    for name, column in _named_columns(path, [n.strip() for n in names], aliases, columns).items():
        if column is not None:
            fields[column] = name
        elif name in required:
            raise DataError(
                path,
                f"there is no {name} column among {', '.join(names)}",
                f"name it by columns={{'{name}': ...}}",
            )
    layout = Layout(tuple(fields), separator, whole, real, required, quoted=True)
    return read_rows(path, text[begin:], layout, first_line=text.count(b"\n", 0, begin) + 1)


def _named_columns(
    path: Path, names: list[str], aliases: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> dict[str, int | None]:
    """Where each column stands in a table, if it is there."""
    for name in columns.values():
        if name not in names:
            raise DataError(
                path, f"there is no {name} column among {', '.join(names)}", "correct the name"
            )
    lower = [name.lower() for name in names]
    found: dict[str, int | None] = {}
    for meaning, known in aliases.items():
        places = [place for alias in known for place, name in enumerate(lower) if name == alias]
        if len(places) > 1 and meaning not in (*_LABELS, *columns):
            raise DataError(
                path,
                f"{' and '.join(names[place] for place in places)} could both be the {meaning}",
                f"say which by columns={{'{meaning}': ...}}, or rename one",
            )
        found[meaning] = places[0] if places else None
    chosen = {meaning: names.index(name) for meaning, name in columns.items()}
    # A column that the user gives a meaning has no other.
    return {m: c for m, c in found.items() if c not in chosen.values()} | chosen


def _read_plain(text: bytes, layout: Layout, first_line: int) -> pl.DataFrame | None:
    """All rows, typed in one pass; nothing when any line is out of the ordinary."""
    if not _is_plain(text, layout):
        return None
    names = [name or f"column {place}" for place, name in enumerate(layout.fields)]
    whole = {name: pl.Int64 for name in layout.whole if name in names}
    real = {name: pl.Float64 for name in layout.real if name in names}
    try:
        frame = pl.read_csv(
            text,
            separator=layout.separator or "\t",
            has_header=False,
            schema=dict.fromkeys(names, pl.String) | whole | real,
            quote_char=None,
            null_values=list(layout.missing),
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if (
        frame.height != text.count(b"\n") + 1
        or any(frame[name].null_count() for name in layout.required)
        or any(frame[name].is_finite().not_().any() for name in real)
    ):
        return None
    frame = frame.select(name for name in layout.fields if name)
    return frame.with_columns(pl.int_range(first_line, pl.len() + first_line).alias("line"))


def _is_plain(text: bytes, layout: Layout) -> bool:
    """Whether there are no comments, blanks around fields, or quotes, and columns enough."""
    if layout.separator is None or (layout.quoted and b'"' in text):
        return False
    if any(mark in text and (text.startswith(mark) or b"\n" + mark in text) for mark in _MARKS):
        return False
    ends = (b"\n", layout.separator.encode())
    if b" " in text and any(end + b" " in text or b" " + end in text for end in ends):
        return False
    # No line can have more columns than Polars is told of, so that none has less if there are as
    # many separators as there should be.
    lines = text.count(b"\n") + 1
    return text.count(ends[1]) == (len(layout.fields) - 1) * lines


def _refuse_commas(path: Path, rows: pl.DataFrame) -> None:
    """Refuse rows of one column that holds commas or semicolons: they are the separator."""
    first = rows["fields"][0].to_list() if rows.height else []
    if len(first) == 1 and max(map(first[0].count, ",;")) > 1:
        raise DataError(
            path,
            "the columns are separated by commas or semicolons, not by tabs",
            "separate them by tabs, or name the columns in a first line and the file .csv",
            row=1,
        )


def _split(path: Path, text: bytes, layout: Layout, first_line: int) -> pl.DataFrame:  # noqa: ARG001
    """The fields of every row, and its line."""
    line = pl.col("text")
    separator = layout.separator
    return (
        pl.DataFrame({"text": text.decode().split("\n")})
        .with_row_index("line", offset=first_line)
        .filter(~line.str.contains(_NO_ROW))
        .select(
            pl.col("line").cast(pl.Int64),
            fields=line.str.extract_all(r"\S+") if separator is None else line.str.split(separator),
        )
    )


def _split_quoted(path: Path, text: bytes, layout: Layout, first_line: int) -> pl.DataFrame:
    """The fields of every row, of which some are quoted, and the line it ends in."""
    reader = csv.reader(
        io.StringIO(text.decode(), newline=""), delimiter=layout.separator or "\t", strict=True
    )
    rows: list[tuple[int, list[str]]] = []
    try:
        rows += (
            (reader.line_num + first_line - 1, fields)
            for fields in reader
            if any(fields) and not fields[0].startswith("#")
        )
    except csv.Error as error:
        line = reader.line_num + first_line - 1
        raise DataError(path, f"line {line}: {error}", "close every quote that is opened") from None
    schema = {"line": pl.Int64, "fields": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _convert(rows: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of text as typed rows, and a complaint for each that cannot be."""
    width = len(layout.fields)
    places = {name: place for place, name in enumerate(layout.fields) if name}
    fields = pl.col("fields")
    text = rows.select(
        "line",
        fields.list.len().cast(pl.Int64).alias(_WIDTH),
        *(
            fields.list.get(place, null_on_oob=True).str.strip_chars(" ").alias(name)
            for name, place in places.items()
        ),
    ).with_columns(pl.when(~pl.col(list(places)).is_in(layout.missing)).then(pl.col(list(places))))
    whole = [name for name in layout.whole if name in places]
    real = [name for name in layout.real if name in places]
    numbers = [*whole, *real]
    typed = text.with_columns(
        pl.col(whole).cast(pl.Int64, strict=False),
        *(
            pl.when(pl.col(name).cast(pl.Float64, strict=False).is_finite())
            .then(pl.col(name).cast(pl.Float64, strict=False))
            .alias(name)
            for name in real
        ),
        *(pl.col(name).alias(f"{name} as written") for name in numbers),
    )
    rules = [
        Rule(
            pl.col(_WIDTH) != width,
            pl.format(
                f"it has {{}} {{}} where there should be {width}",
                _WIDTH,
                pl.when(pl.col(_WIDTH) == 1).then(pl.lit("column")).otherwise(pl.lit("columns")),
            ),
            "complete the row, and separate columns as in the first row",
        ),
        *(
            Rule(pl.col(name).is_null(), pl.lit(f"the {name} is missing"), "fill it in")
            for name in layout.required
            if name not in numbers
        ),
        *(_numeric(name, "whole number", name in layout.required) for name in whole),
        *(_numeric(name, "number", name in layout.required) for name in real),
    ]
    good, complaints = judge(typed, rules)
    return good.select(*places, "line"), complaints


def _numeric(name: str, what: str, required: bool) -> Rule:
    written = pl.col(f"{name} as written")
    return Rule(
        pl.col(name).is_null() & (pl.lit(required) | written.is_not_null()),
        pl.when(written.is_null())
        .then(pl.lit(f"the {name} is missing"))
        .otherwise(pl.format(f"the {name} '{{}}' is no {what}", written.fill_null(""))),
        f"write a {what}" if required else f"write a {what}, or . where it is not known",
    )
