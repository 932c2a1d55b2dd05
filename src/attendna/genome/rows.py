"""Text of rows and columns as typed tables, with a complaint for every row that does not fit.

Lines that are blank, begin with ``#``, or set a browser (``track``, ``browser``) are no rows.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from attendna.core.errors import DataError
from attendna.genome.preflight import Rule, judge, no_complaints

MISSING = (".", "")
"""How files write that a value is not known."""

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
    if not rows.height:
        raise DataError(path, "there is no row in it", "check that the file is complete")
    return _convert(rows, layout)


def _read_plain(text: bytes, layout: Layout, first_line: int) -> pl.DataFrame | None:
    """All rows, typed in one pass; nothing when any line is out of the ordinary."""
    width, lines = len(layout.fields), text.count(b"\n") + 1
    if layout.separator is None or (layout.quoted and b'"' in text):
        return None
    # Comments are left out, and blanks around a field cut off, on the other way.
    ends = (b"\n", layout.separator.encode())
    if (b"#" in text and (text.startswith(b"#") or b"\n#" in text)) or (
        b" " in text and any(end + b" " in text or b" " + end in text for end in ends)
    ):
        return None
    # No line can have more columns than Polars is told of, so that none has less if there are as
    # many separators as there should be.
    if text.count(layout.separator.encode()) != (width - 1) * lines:
        return None
    names = [name or f"column {place}" for place, name in enumerate(layout.fields)]
    whole = {name: pl.Int64 for name in layout.whole if name in names}
    real = {name: pl.Float64 for name in layout.real if name in names}
    try:
        frame = pl.read_csv(
            text,
            separator=layout.separator,
            has_header=False,
            schema=dict.fromkeys(names, pl.String) | whole | real,
            quote_char=None,
            null_values=["."],
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if frame.height != lines or any(frame[name].null_count() for name in layout.required):
        return None
    frame = frame.select(name for name in layout.fields if name)
    return frame.with_columns(pl.int_range(first_line, pl.len() + first_line).alias("line"))


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
        fields.list.len().cast(pl.Int64).alias("width"),
        *(
            fields.list.get(place, null_on_oob=True).str.strip_chars(" ").alias(name)
            for name, place in places.items()
        ),
    ).with_columns(pl.when(~pl.col(list(places)).is_in(MISSING)).then(pl.col(list(places))))
    whole = [name for name in layout.whole if name in places]
    real = [name for name in layout.real if name in places]
    numbers = [*whole, *real]
    typed = text.with_columns(
        pl.col(whole).cast(pl.Int64, strict=False),
        pl.col(real).cast(pl.Float64, strict=False),
        *(pl.col(name).alias(f"{name} as written") for name in numbers),
    )
    rules = [
        Rule(
            pl.col("width") != width,
            pl.format(f"it has {{}} columns where there should be {width}", "width"),
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
