"""Intervals of every common format as one table; what is wrong with a file is listed row by row.

BED3 to BED12, narrowPeak, broadPeak, tables with named columns, and GTF (the transcription start
sites of its genes) are read, each also gzipped. Coordinates are 0-based and half-open; what counts
from 1 (GTF, and tables that say so) is converted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError
from attendna.core.formats import ANNOTATIONS, DELIMITERS, ending_of
from attendna.genome.annotation import gene_starts
from attendna.genome.contigs import ContigNames
from attendna.genome.preflight import BadRows, BadRowsError, Rule, judge
from attendna.genome.rows import Layout, first_row, read_rows, read_table, split_row

Format = Literal["bed", "narrowPeak", "broadPeak", "gtf", "table"]

SCHEMA = {
    "chrom": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "name": pl.String,
    "score": pl.Float64,
    "strand": pl.String,
    "signal": pl.Float64,
    "summit": pl.Int64,
    "thick_start": pl.Int64,
    "thick_end": pl.Int64,
}
"""Columns of every table of intervals. ``strand`` is ``+``, ``-`` or ``.``; ``signal`` is the
enrichment of a peak and ``summit`` its highest base, as a position on the chromosome;
``thick_start`` to ``thick_end`` is the part that BED draws thick, such as a start site or its
surroundings, and null in BED12 where it is the coding part. What a file does not have is null."""

TABLE_NAMES: Mapping[str, tuple[str, ...]] = {
    "chrom": ("chrom", "chr", "#chrom", "#chr", "chromosome", "seqnames", "contig", "region"),
    "start": ("start", "chromstart", "start_position", "begin"),
    "end": ("end", "chromend", "end_position", "stop"),
    "name": ("name", "id", "gene_id"),
    "score": ("score",),
    "strand": ("strand",),
    "signal": ("signal", "signalvalue"),
    "abs_summit": ("abs_summit",),
    "summit": ("summit",),
    "peak": ("peak",),
    "width": ("width", "length"),
}
"""Column names, in lower case, that are understood in tables. ``abs_summit`` is a position, as
MACS writes it, ``peak`` counts from the start, as narrowPeak does, and ``summit`` is whichever lies
within the peaks. ``width`` shows whether the table counts from 1, as R's and MACS's do."""

_PLACE = ("chrom", "start", "end")
_BED = (*_PLACE, "name", "score", "strand")
_BLOCKS = ("thick_start", "thick_end", "rgb", "block_count", "block_sizes", "block_starts")
_WITH_THICK = (8, 9, 12)
_PEAK = (*_BED, "signal", "p_value", "q_value")
_FIELDS: Mapping[Format, tuple[str, ...]] = {
    "bed": _BED,
    "narrowPeak": (*_PEAK, "offset"),
    "broadPeak": _PEAK,
    "gtf": ("chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"),
}
_UNREAD = ("rgb", "p_value", "q_value", "source", "phase")
_THICK = ("thick_start", "thick_end")
_WHOLE = ("start", "end", "offset", "block_count")
_REAL = ("score", "signal")
_FORMATS: Mapping[str, Format] = {
    ".bed": "bed",
    ".narrowpeak": "narrowPeak",
    ".broadpeak": "broadPeak",
    **dict.fromkeys(ANNOTATIONS, "gtf"),
    **dict.fromkeys(DELIMITERS, "table"),
}
_LONGEST = 1 << 40


@dataclass(frozen=True, eq=False)
class Intervals:
    """The good rows of a file, in its order, and a list of the bad ones."""

    frame: pl.DataFrame
    complaints: pl.DataFrame
    lost_summits: int = 0
    """Peaks whose summit is given as a place outside of them, as real files do; it is null here."""


def read_intervals(
    path: str | Path,
    *,
    format: Format | None = None,  # noqa: A002 - the word users know
    contigs: Mapping[str, int] | None = None,
    columns: Mapping[str, str] | None = None,
    one_based: bool = False,
    bad: BadRows = "error",
) -> Intervals:
    """Read a file of intervals and check every row of it.

    Parameters
    ----------
    format
        What the file is; by default its ending says it. A ``.bed`` file with ten columns is
        narrowPeak, for BED has no ten.
    contigs
        Lengths of a genome's contigs. Chromosomes are then renamed as they are called there
        (``1`` to ``chr1``), and intervals that lie elsewhere are bad rows.
    columns
        Names of a table's columns, keyed as in :data:`SCHEMA`, where they are not the usual ones.
    one_based
        The table counts from 1 and includes the end. Without being told, one does whose column
        ``width`` or ``length`` has one base more than ``end - start``.

    Returns
    -------
    A table of :data:`SCHEMA`, and the rows left out.

    Raises
    ------
    BadRowsError
        A row is bad and ``bad`` is ``"error"``.
    DataError
        The file is missing, empty, no text, of an unknown kind, or lacks a column.
    """
    path = Path(path)
    chosen = format or _format_of(path)
    text = plain_text(path, read_content(path))
    if chosen == "gtf":
        # A GFF3 file may hold the sequences themselves after its rows.
        text = text.partition(b"\n##FASTA")[0]
    if chosen == "table":
        frame, complaints = read_table(
            path, text, TABLE_NAMES, columns or {}, whole=_WHOLE, real=_REAL, required=_PLACE
        )
    else:
        begin, end = first_row(text)
        while _names_columns(text[begin:end]):
            begin, end = first_row(text, end + 1)
        layout = _layout(text[begin:end], chosen)
        lines = text.count(b"\n", 0, begin)
        frame, complaints = read_rows(path, text[begin:], layout, first_line=lines + 1)
    base = 1 if chosen == "gtf" or (chosen == "table" and _from_one(path, frame, one_based)) else 0
    frame, found = _check(frame.with_columns(pl.col("start") - base), base)
    if chosen == "table":
        frame = _with_offsets(path, frame, base)
    listed = [complaints, found]
    if contigs is not None:
        frame, found = _place(frame, contigs)
        listed.append(found)
    if chosen == "gtf":
        frame, found = gene_starts(frame)
        listed.append(found)
    complaints = pl.concat(listed).sort("line")
    if bad == "error" and complaints.height:
        raise BadRowsError(path, complaints)
    finished, lost = _finish(frame)
    return Intervals(finished, complaints, lost)


def centered(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """Windows of one width around the summit of each interval, or its middle where it has none.

    The middle of ``start`` to ``end`` is base ``(start + end) // 2``; a window begins
    ``width // 2`` bases before it, so that an even window has one base more on its left. A window
    may reach over the start of its chromosome.
    """
    middle = (pl.col("start") + pl.col("end")) // 2
    if "summit" in frame.columns:
        middle = pl.coalesce("summit", middle)
    start = middle - width // 2
    return frame.with_columns(start=start, end=start + width)


def _format_of(path: Path) -> Format:
    ending = ending_of(path)
    if ending in _FORMATS:
        return _FORMATS[ending]
    raise DataError(
        path,
        f"the ending {ending!r} is no format of intervals" if ending else "the file has no ending",
        "name it .bed, .narrowPeak, .broadPeak, .gtf, .gff3, .csv, .tsv or .xls (as MACS does); "
        "each may be followed by .gz",
    )


def _names_columns(row: bytes) -> bool:
    """Whether the first row says what the columns are."""
    fields = row.decode().lower().split()[: len(_PLACE)]
    return len(fields) == len(_PLACE) and all(
        field in TABLE_NAMES[name] for field, name in zip(fields, _PLACE, strict=True)
    )


def _layout(row: bytes, chosen: Format) -> Layout:
    """The columns of a format without column names: as many as its first row has."""
    fields, separator = split_row(row)
    if chosen == "bed" and len(fields) == 10 and fields[9].strip().lstrip("-").isdigit():
        chosen = "narrowPeak"
    names = _FIELDS[chosen]
    if chosen == "bed":
        names = (*_BED, *_BLOCKS)[: len(fields)] if len(fields) in _WITH_THICK else _BED
    needed = len(_PLACE) if chosen == "bed" else len(names)
    width = max(len(fields), needed)
    meant = [None if name in _UNREAD else name for name in names]
    return Layout(
        fields=tuple(islice((*meant, *[None] * width), width)),
        separator=separator,
        whole=_WHOLE,
        real=_REAL,
        required=_PLACE,
    )


def _from_one(path: Path, frame: pl.DataFrame, one_based: bool) -> bool:
    """Whether a table counts from 1: as its user says, or its column of widths shows."""
    if one_based or "width" not in frame.columns:
        return one_based
    more = frame.select(_integer("width") - (pl.col("end") - pl.col("start"))).to_series()
    seen = set(more.drop_nulls().to_list())
    if seen == {0, 1}:
        row = int((more != more[0]).arg_max() or 0)
        raise DataError(
            path,
            f"the width is end - start + {more[row]}, but + {more[0]} in row 1: it counts from 0 "
            "and from 1",
            "write all rows in one way",
            row=row + 1,
        )
    # Any other difference is of another length than that of the row.
    return seen == {1}


def _integer(name: str) -> pl.Expr:
    """A column of text as whole numbers, null where it is none; pandas writes 10 as 10.0."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(number == number.round()).then(number.cast(pl.Int64, strict=False))


def _with_offsets(path: Path, frame: pl.DataFrame, base: int) -> pl.DataFrame:
    """A table with the ``offset`` of each summit from its start, where a column gives summits.

    A column of words, such as the names of peaks, gives none.
    """
    start, length = pl.col("start"), pl.col("end") - pl.col("start")
    for name in ("abs_summit", "summit", "peak"):
        if name not in frame.columns or not frame.select(_integer(name).count()).item():
            continue
        counted, placed = _integer(name), _integer(name) - base - start
        # Only the offsets of narrowPeak count from 0 in a table that counts from 1.
        counted = counted - base if name == "summit" else counted
        fits = [
            bool(frame.select(((one == -1) | ((one >= 0) & (one < length))).all()).item())
            for one in (counted, placed)
        ]
        if name == "summit" and fits[0] == fits[1] and not frame.select((start == 0).all()).item():
            raise DataError(
                path,
                "the column summit could hold offsets or positions"
                if fits[0]
                else "the column summit holds neither offsets nor positions in the intervals",
                "call it peak if it counts from the start, or abs_summit",
            )
        position = name == "abs_summit" or (fits[1] and not fits[0])
        frame = frame.with_columns(offset=placed if position else counted)
        break
    return frame.drop("abs_summit", "summit", "peak", "width", strict=False)


def _check(frame: pl.DataFrame, base: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that make sense, and complaints about the others; ``base`` is what the file has."""
    start, end, strand = pl.col("start"), pl.col("end"), pl.col("strand")
    rules = [
        Rule(
            start < 0,
            pl.format("the start {} lies before the chromosome", start + base),
            "clip or remove the interval",
        ),
        Rule(
            end < start,
            pl.format("the end {} lies before the start {}", end, start + base),
            "swap them",
        ),
        Rule(end == start, pl.lit("the interval is empty"), "move the end or remove the row"),
        Rule(
            end > _LONGEST,
            pl.format("the end {} lies beyond any chromosome", end),
            "correct the number",
        ),
        Rule(
            ~strand.is_in(["+", "-", "*"]),
            pl.format("the strand '{}' is unknown", strand.fill_null("")),
            "write +, - or .",
        ),
        Rule(
            _blocks_misfit(),
            pl.format("the sizes and starts of {} blocks do not fit", pl.col("block_count")),
            "correct columns 10 to 12",
        ),
    ]
    good, complaints = judge(frame, rules)
    if "strand" in good.columns:
        # R writes * for no strand.
        good = good.with_columns(strand=pl.when(strand != "*").then(strand))
    return good, complaints


def _blocks_misfit() -> pl.Expr:
    """Whether a BED12 row has more or fewer block sizes or starts than blocks."""
    count = pl.col("block_count")
    listed = [
        pl.col(name).str.strip_chars_end(",").str.count_matches(",", literal=True) + 1
        for name in ("block_sizes", "block_starts")
    ]
    return (listed[0] != count) | (listed[1] != count)


def _place(frame: pl.DataFrame, contigs: Mapping[str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows on contigs of the genome, called as there, and complaints about the others."""
    known, lookup = list(contigs), ContigNames(list(contigs))
    used = frame.get_column("chrom").unique().to_list()
    names = {name: known[number] for name in used if (number := lookup.number(name)) >= 0}
    chrom = pl.col("chrom").replace_strict(names, default=None, return_dtype=pl.String)
    length = chrom.replace_strict(dict(contigs), default=None, return_dtype=pl.Int64)
    rules = [
        Rule(
            pl.col("contig").is_null(),
            pl.format("the genome has no chromosome {}", "chrom"),
            "leave the row out, or use the genome it was made with",
        ),
        Rule(
            pl.col("end") > pl.col("length"),
            pl.format("the end {} lies beyond {} with its {} bases", "end", "contig", "length"),
            "clip the interval, or use the genome it was made with",
        ),
    ]
    good, complaints = judge(frame.with_columns(contig=chrom, length=length), rules)
    return good.with_columns(chrom="contig").drop("contig", "length"), complaints


def _finish(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The columns of the schema, in its order, and how many summits lie outside of their peak."""
    lost = 0
    if "offset" in frame.columns:
        start, offset = pl.col("start"), pl.col("offset")
        inside = (offset >= 0) & (offset < pl.col("end") - start)
        lost = int(frame.select(((offset != -1) & ~inside).sum()).item())
        frame = frame.with_columns(summit=pl.when(inside).then(start + offset))
    if "thick_start" in frame.columns:
        thick = [pl.col(name).cast(pl.Int64, strict=False) for name in _THICK]
        marks = pl.lit(value=True)
        if "block_count" in frame.columns:
            marks = thick[1] - thick[0] == 1
        frame = frame.with_columns(pl.when(marks).then(column) for column in thick)
    absent = [pl.lit(None, dtype).alias(n) for n, dtype in SCHEMA.items() if n not in frame.columns]
    frame = frame.with_columns(absent)
    return frame.select(pl.col(list(SCHEMA))).with_columns(pl.col("strand").fill_null(".")), lost
