"""Tables of methylation, one cytosine a row, in the forms that the common callers write.

bedMethyl (ENCODE), coverage files of Bismark, tables of gemBS and of methylKit are told apart by
what they hold. Positions are 0-based here, whatever they are in the file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.rows import Layout, first_row, read_rows, split_row

Form = Literal["bedmethyl", "bismark", "gembs", "methylkit"]


@dataclass(frozen=True)
class _Reading:
    """How a form is read: its columns, and the expressions of ours over them."""

    fields: tuple[str | None, ...]
    start: pl.Expr
    reads: pl.Expr
    percent: pl.Expr
    strand: pl.Expr
    header: bool = False


_METHYLATED, _OTHER = pl.col("methylated"), pl.col("unmethylated")
_READS = _METHYLATED + _OTHER
_COUNTED = 100 * _METHYLATED / pl.when(_READS > 0).then(_READS)
_NO_STRAND = pl.lit(None, pl.String)

_FORMS: dict[Form, _Reading] = {
    "bedmethyl": _Reading(
        ("chrom", "start", None, None, None, "strand", None, None, None, "reads", "percent"),
        pl.col("start"),
        pl.col("reads"),
        pl.col("percent"),
        pl.col("strand"),
    ),
    "bismark": _Reading(
        ("chrom", "start", None, "percent", "methylated", "unmethylated"),
        pl.col("start") - 1,
        _READS,
        _COUNTED,
        _NO_STRAND,
    ),
    "gembs": _Reading(
        ("chrom", "start", None, None, None, None, None, "methylated", "unmethylated"),
        pl.col("start"),
        _READS,
        _COUNTED,
        _NO_STRAND,
        header=True,
    ),
    "methylkit": _Reading(
        (None, "chrom", "start", "strand", "reads", "percent"),
        pl.col("start") - 1,
        pl.col("reads"),
        pl.col("percent"),
        pl.col("strand").replace({"F": "+", "R": "-"}),
        header=True,
    ),
}


def read_calls(path: str | Path) -> pl.DataFrame:
    """Columns ``chrom``, ``start``, ``strand`` (``+``, ``-`` or null), ``reads`` and ``percent``.

    Where counts of reads are given, the percentage is theirs. Positions without a read are left
    out, for nothing is known of them.

    Raises
    ------
    BadRowsError
        A row is bad.
    DataError
        The file is missing, empty, damaged or of none of these forms.
    """
    path = Path(path)
    text = plain_text(path, read_content(path))
    begin, end = first_row(text)
    form, header = _form_of(path, text[begin:end])
    if header:
        begin, end = first_row(text, end + 1)
    reading = _FORMS[form]
    fields, separator = split_row(text[begin:end])
    named = reading.fields + (None,) * max(0, len(fields) - len(reading.fields))
    present = tuple(name for name in reading.fields if name)
    layout = Layout(
        fields=named,
        separator=separator,
        whole=tuple(n for n in ("start", "reads", "methylated", "unmethylated") if n in present),
        real=("percent",) if "percent" in present else (),
        # Both strands of a CpG may be one row, whose strand is a dot.
        required=tuple(name for name in present if name != "strand"),
    )
    rows, complaints = read_rows(
        path, text[begin:], layout, first_line=text.count(b"\n", 0, begin) + 1
    )
    rows = rows.select(
        "line",
        "chrom",
        start=reading.start,
        strand=pl.when(reading.strand.is_in(["+", "-"])).then(reading.strand),
        reads=reading.reads,
        percent=reading.percent,
    )
    good, found = judge(rows, _RULES)
    complaints = pl.concat([complaints, found]).sort("line")
    if complaints.height:
        raise BadRowsError(path, complaints)
    return good.filter(pl.col("reads") > 0).drop("line")


_RULES = (
    Rule(
        pl.col("start") < 0,
        pl.lit("the position lies before the chromosome"),
        "correct the position",
    ),
    Rule(
        pl.col("reads") < 0,
        pl.format("the number of reads {} is negative", "reads"),
        "correct the number",
    ),
    Rule(
        (pl.col("percent") < 0) | (pl.col("percent") > 100),
        pl.format("{} is no percentage", "percent"),
        "give the methylated share of the reads from 0 to 100",
    ),
)


def _form_of(path: Path, row: bytes) -> tuple[Form, bool]:
    """The form of a file by its first row, and whether that row names the columns."""
    fields, _ = split_row(row)
    names = [field.lower() for field in fields]
    if names[:2] == ["contig", "pos0"] and len(fields) >= 9:
        return "gembs", True
    if names[:1] == ["chrbase"] and len(fields) >= 6:
        return "methylkit", True
    header = len(fields) > 1 and not fields[1].lstrip("-").isdecimal()
    if len(fields) >= 11:
        return "bedmethyl", header
    if len(fields) == 6 and not header and fields[3].replace(".", "", 1).isdecimal():
        return "bismark", False
    raise DataError(
        path,
        f"a table of {len(fields)} columns, which no known caller of methylation writes",
        "give bedMethyl, a Bismark coverage file, or a table of gemBS or methylKit",
    )
