"""Intervals of every common format as one table; what is wrong with a file is listed row by row.

BED3 to BED12, narrowPeak, broadPeak, tables with named columns, and GTF (the transcription start
sites of its genes) are read, each also gzipped. Coordinates are 0-based and half-open; what counts
from 1 (GTF, and tables that say so) is converted here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import DELIMITERS, parse_delimited
from attendna.core.errors import DataError
from attendna.genome.contigs import ContigNames

Format = Literal["bed", "narrowPeak", "broadPeak", "gtf", "table"]
BadRows = Literal["error", "drop"]
"""What becomes of bad rows: the file is refused, or they are left out and listed."""

SCHEMA = {
    "chrom": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "name": pl.String,
    "score": pl.Float64,
    "strand": pl.String,
    "signal": pl.Float64,
    "summit": pl.Int64,
}
"""Columns of every table of intervals. ``strand`` is ``+``, ``-`` or ``.``; ``signal`` is the
enrichment of a peak and ``summit`` its highest base, as a position on the chromosome; what a file
does not tell is null."""

COMPLAINTS = {"line": pl.Int64, "problem": pl.String, "fix": pl.String}
"""Columns of the list of bad rows; ``line`` is the line of the file."""

TABLE_NAMES: Mapping[str, tuple[str, ...]] = {
    "chrom": ("chrom", "chr", "#chrom", "#chr", "chromosome", "seqnames", "contig", "region"),
    "start": ("start", "chromstart", "start_position", "begin"),
    "end": ("end", "chromend", "end_position", "stop"),
    "name": ("name", "id", "gene_id"),
    "score": ("score",),
    "strand": ("strand",),
    "signal": ("signal", "signalvalue"),
}
"""Column names, in lower case, that are understood in tables."""

_BED = ("chrom", "start", "end", "name", "score", "strand")
_PEAK = (*_BED, "signal", "p_value", "q_value")
_FIELDS: Mapping[Format, tuple[str, ...]] = {
    "bed": _BED,
    "narrowPeak": (*_PEAK, "offset"),
    "broadPeak": _PEAK,
    "gtf": ("chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"),
}
_BED12 = (*_BED, "thick_start", "thick_end", "rgb", "block_count", "block_sizes", "block_starts")
_NEEDED: Mapping[Format, int] = {"bed": 3, "narrowPeak": 10, "broadPeak": 9, "gtf": 9, "table": 3}
_WHOLE = ("start", "end", "offset", "block_count")
_REAL = ("score", "signal")
_LONGEST = 1 << 40
_TOLD = 3


@dataclass(frozen=True, eq=False)
class Intervals:
    """The good rows of a file, in its order, and a list of the bad ones."""

    frame: pl.DataFrame
    complaints: pl.DataFrame
    lost_summits: int = 0
    """Peaks whose summit is given as a place outside of them, as real files do; it is null here."""


class BadRowsError(DataError):
    """A file with bad rows; ``complaints`` lists every one with its fix."""

    def __init__(self, path: Path, complaints: pl.DataFrame) -> None:
        self.complaints = complaints
        first = complaints.head(_TOLD).rows()
        told = [f"line {line}: {problem} ({fix})" for line, problem, fix in first]
        more = f"; and {len(complaints) - _TOLD} more" if len(complaints) > _TOLD else ""
        rows = "1 bad row" if len(complaints) == 1 else f"{len(complaints)} bad rows"
        super().__init__(path, f"{rows}: {'; '.join(told)}{more}")


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
        The table counts from 1 and includes the end.

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
    base = 1 if chosen == "gtf" or (chosen == "table" and one_based) else 0
    if chosen == "table":
        read = _convert(_read_table(path, text, columns or {}), base)
    else:
        chosen, read = _read_positional(path, text, chosen)
    frame, complaints = _check(*read, base)
    if contigs is not None:
        frame, elsewhere = _place(frame, contigs)
        complaints = pl.concat([complaints, elsewhere])
    if chosen == "gtf":
        frame, nameless = _start_sites(frame)
        complaints = pl.concat([complaints, nameless])
    complaints = complaints.sort("line")
    if bad == "error" and complaints.height:
        raise BadRowsError(path, complaints)
    finished = _finish(frame)
    return Intervals(finished, complaints, _count_given_summits(frame) - finished["summit"].count())


def centered(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """Windows of one width around the summit of each interval, or its middle where it has none.

    The middle of ``start`` to ``end`` is base ``(start + end) // 2``; a window begins
    ``width // 2`` bases before it, so that an even window has one base more on its left. A window
    may reach over the start of its chromosome.
    """
    middle = pl.coalesce("summit", (pl.col("start") + pl.col("end")) // 2)
    start = middle - width // 2
    return frame.with_columns(start=start, end=start + width)


def _format_of(path: Path) -> Format:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".bgz")]
    ending = suffixes[-1] if suffixes else ""
    known: dict[str, Format] = {
        ".bed": "bed",
        ".narrowpeak": "narrowPeak",
        ".broadpeak": "broadPeak",
        ".gtf": "gtf",
    }
    if ending in known:
        return known[ending]
    if ending in DELIMITERS:
        return "table"
    raise DataError(
        path,
        f"the ending {ending!r} is no format of intervals" if ending else "the file has no ending",
        "name it .bed, .narrowPeak, .broadPeak, .gtf, .csv or .tsv (each may be followed by .gz)",
    )


def _read_positional(
    path: Path, text: bytes, chosen: Format
) -> tuple[Format, tuple[pl.DataFrame, pl.DataFrame]]:
    """Typed rows of a format without column names, and a complaint for each that has no type."""
    lines, start = _skip_header(text)
    first = text[start:].partition(b"\n")[0].decode()
    fields = first.split("\t") if "\t" in first else first.split()
    if chosen == "bed" and _looks_like_peak(fields):
        chosen = "narrowPeak"
    base = 1 if chosen == "gtf" else 0
    if "\t" in first:
        typed = _read_fast(text[start:], chosen, len(fields), base)
        if typed is not None:
            return chosen, (typed.with_columns(pl.col("line") + lines), _no_complaints())
    raw = _split_lines(text, chosen, len(fields), tabs="\t" in first)
    if not raw.height:
        raise DataError(path, "there is no interval in it", "check that the file is complete")
    return chosen, _convert(raw, base)


def _looks_like_peak(fields: list[str]) -> bool:
    """Whether a row has the ten columns of narrowPeak, the last a whole number."""
    return len(fields) == _NEEDED["narrowPeak"] and fields[9].lstrip("-").isdigit()


def _skip_header(text: bytes) -> tuple[int, int]:
    """How many lines stand before the first row, and where it begins."""
    lines, start = 0, 0
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        if not _is_header(text[start:end].decode()):
            break
        lines, start = lines + 1, end + 1
    return lines, min(start, len(text))


def _is_header(line: str) -> bool:
    """Whether a line is blank, a comment, a browser's setting or names of columns."""
    fields = line.lower().split()
    return (
        not fields
        or line.startswith("#")
        or fields[0] in ("track", "browser")
        or all(field in TABLE_NAMES[name] for field, name in zip(fields, _BED[:3], strict=False))
    )


def _read_fast(text: bytes, chosen: Format, width: int, base: int) -> pl.DataFrame | None:
    """All rows, typed in one pass; nothing when any line is out of the ordinary."""
    if width < _NEEDED[chosen]:
        return None
    fields = _fields_of(chosen, width)
    names = [*fields[:width], *(f"extra_{i}" for i in range(len(fields), width))]
    try:
        frame = pl.read_csv(
            text,
            separator="\t",
            has_header=False,
            schema={name: _type_of(name) for name in names},
            quote_char=None,
            null_values=["."],
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    # Blank lines, comments and short rows leave a needed place empty.
    needed = ("chrom", "start", "end")
    if any(frame.get_column(name).null_count() for name in needed):
        return None
    if frame.get_column("chrom").str.contains(r"^#|\s|^$").any():
        return None
    line = pl.int_range(1, pl.len() + 1).alias("line")
    return frame.with_columns(line, pl.col("start") - base)


def _fields_of(chosen: Format, width: int) -> tuple[str, ...]:
    """What the columns are, as far as they have a meaning; only BED of twelve has blocks."""
    return _BED12 if chosen == "bed" and width == len(_BED12) else _FIELDS[chosen]


def _type_of(name: str) -> type[pl.Int64] | type[pl.Float64] | type[pl.String]:
    return pl.Int64 if name in _WHOLE else pl.Float64 if name in _REAL else pl.String


def _split_lines(text: bytes, chosen: Format, width: int, *, tabs: bool) -> pl.DataFrame:
    """Every row as text, with the number of its line and of its fields."""
    line = pl.col("text")
    rows = (
        pl.DataFrame({"text": text.decode().split("\n")})
        .with_row_index("line", offset=1)
        .with_columns(pl.col("line").cast(pl.Int64))
        .filter(~line.str.contains(r"^\s*$|^#|^(track|browser)(\s|$)"))
    )
    if rows.height and _is_header(rows.item(0, "text")):
        rows = rows.slice(1)
    fields = line.str.split("\t") if tabs else line.str.extract_all(r"\S+")
    rows = rows.select("line", fields=fields)
    return rows.select(
        "line",
        pl.col("fields").list.len().cast(pl.Int64).alias("width"),
        pl.lit(_NEEDED[chosen]).alias("needed"),
        *(
            pl.col("fields").list.get(i, null_on_oob=True).str.strip_chars().alias(name)
            for i, name in enumerate(_fields_of(chosen, width))
        ),
    )


def _read_table(path: Path, text: bytes, columns: Mapping[str, str]) -> pl.DataFrame:
    """The columns of a table that mean something, as text."""
    ending = next((end for end in map(str.lower, path.suffixes) if end in DELIMITERS), ".csv")
    table = parse_delimited(path, text, DELIMITERS[ending])
    if not table.height:
        raise DataError(path, "there is a header but no row", "check that the file is complete")
    lower = {name.strip().lower(): name for name in reversed(table.columns)}
    found = {
        name: next((lower[alias] for alias in aliases if alias in lower), None)
        for name, aliases in TABLE_NAMES.items()
    } | dict(columns)
    for name in _BED[:3]:
        if found[name] not in table.columns:
            raise DataError(
                path,
                f"there is no {found[name] or name} column among {', '.join(table.columns)}",
                f"name it by columns={{'{name}': ...}}",
            )
    return table.select(
        (pl.int_range(2, pl.len() + 2)).alias("line"),
        pl.lit(3).alias("width"),
        pl.lit(_NEEDED["table"]).alias("needed"),
        *(pl.col(c).str.strip_chars().alias(name) for name, c in found.items() if c is not None),
    )


def _convert(raw: pl.DataFrame, base: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of text as typed rows, and a complaint for each that cannot be."""
    names = [name for name in raw.columns if name not in ("line", "width", "needed")]
    numbers = [name for name in names if _type_of(name) is not pl.String]
    text = raw.with_columns(pl.when(~pl.col(names).is_in([".", ""])).then(pl.col(names)))
    typed = text.with_columns(
        *(pl.col(name).cast(_type_of(name), strict=False) for name in numbers),
        *(pl.col(name).alias(f"{name} as written") for name in numbers),
    )
    rules = [
        _Rule(
            pl.col("width") < pl.col("needed"),
            pl.format("{} fields where {} are needed", "width", "needed"),
            "separate the columns by tabs",
        ),
        _Rule(pl.col("chrom").is_null(), pl.lit("the chromosome is missing"), "fill it in"),
    ]
    for name in numbers:
        written = pl.col(f"{name} as written")
        missing = pl.lit(name in ("start", "end")) | written.is_not_null()
        what = "whole number" if name in _WHOLE else "number"
        problem = pl.format(f"the {name} '{{}}' is no {what}", written.fill_null(""))
        rules.append(_Rule(pl.col(name).is_null() & missing, problem, f"write a {what}"))
    complaints = _apply(typed, rules)
    good = typed.join(complaints, on="line", how="anti", maintain_order="left")
    return good.select("line", *names).with_columns(pl.col("start") - base), complaints


@dataclass(frozen=True)
class _Rule:
    """What is wrong where a condition holds, and what to do about it."""

    broken: pl.Expr
    problem: pl.Expr
    fix: str


def _apply(frame: pl.DataFrame, rules: Iterable[_Rule]) -> pl.DataFrame:
    """The first complaint about each row that breaks a rule."""
    found = [
        frame.lazy()
        .filter(rule.broken.fill_null(value=False))
        .select("line", rule.problem.alias("problem"), pl.lit(rule.fix).alias("fix"))
        for rule in rules
    ]
    together = pl.concat([_no_complaints().lazy(), *found]).unique("line", keep="first")
    return together.sort("line").collect()


def _no_complaints() -> pl.DataFrame:
    return pl.DataFrame(schema=COMPLAINTS)


def _check(
    frame: pl.DataFrame, complaints: pl.DataFrame, base: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that make sense, and the complaints with those about the others added."""
    start, end = pl.col("start"), pl.col("end")
    rules = [
        _Rule(
            start < 0,
            pl.format("the start {} lies before the chromosome", start + base),
            "clip or remove the interval",
        ),
        _Rule(
            end < start,
            pl.format("the end {} lies before the start {}", end, start + base),
            "swap them",
        ),
        _Rule(end == start, pl.lit("the interval is empty"), "move the end or remove the row"),
        _Rule(
            end > _LONGEST,
            pl.format("the end {} lies beyond any chromosome", end),
            "correct the number",
        ),
        _Rule(
            ~pl.col("strand").is_in(["+", "-"]),
            pl.format("the strand '{}' is unknown", pl.col("strand").fill_null("")),
            "write +, - or .",
        ),
        _Rule(
            _blocks_misfit(),
            pl.format("the sizes and starts of {} blocks do not fit", pl.col("block_count")),
            "correct columns 10 to 12",
        ),
    ]
    known = set(frame.columns)
    rules = [rule for rule in rules if set(rule.broken.meta.root_names()) <= known]
    broken = frame.select(pl.any_horizontal(rule.broken for rule in rules).any()).item()
    if not broken:
        return frame, complaints
    worse = _apply(frame, rules)
    good = frame.join(worse, on="line", how="anti", maintain_order="left")
    return good, pl.concat([complaints, worse])


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
    frame = frame.with_columns(contig=chrom, length=length)
    rules = [
        _Rule(
            pl.col("contig").is_null(),
            pl.format("the genome has no chromosome {}", "chrom"),
            "leave the row out, or use the genome it was made with",
        ),
        _Rule(
            pl.col("end") > pl.col("length"),
            pl.format("the end {} lies beyond {} with its {} bases", "end", "contig", "length"),
            "clip the interval, or use the genome it was made with",
        ),
    ]
    complaints = _apply(frame, rules)
    good = frame.join(complaints, on="line", how="anti", maintain_order="left")
    return good.with_columns(chrom="contig").drop("contig", "length"), complaints


def _start_sites(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One base a gene: where its transcription starts.

    Files without gene lines tell a gene's ends by its transcripts and exons.
    """
    genes = frame.filter(pl.col("feature") == "gene")
    rows = genes if genes.height else frame
    gene = pl.col("attributes").str.extract(r'gene_id "?([^";]+)')
    rows = rows.with_columns(name=gene)
    complaints = _apply(
        rows,
        [
            _Rule(
                pl.col("name").is_null(),
                pl.lit("there is no gene_id among the attributes"),
                'write gene_id "NAME";',
            ),
            _Rule(
                pl.col("strand").is_null(),
                pl.lit("the strand is missing, so that the start site is unknown"),
                "write + or -",
            ),
        ],
    )
    sites = (
        rows.join(complaints, on="line", how="anti", maintain_order="left")
        .group_by("chrom", "name", "strand", maintain_order=True)
        .agg(pl.col("start").min(), pl.col("end").max(), pl.col("score").first())
        .with_columns(
            start=pl.when(pl.col("strand") == "+").then("start").otherwise(pl.col("end") - 1)
        )
        .with_columns(end=pl.col("start") + 1)
    )
    return sites, complaints


def _count_given_summits(frame: pl.DataFrame) -> int:
    return int((frame["offset"] != -1).sum()) if "offset" in frame.columns else 0


def _finish(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of the schema, in its order."""
    if "offset" in frame.columns:
        start, offset = pl.col("start"), pl.col("offset")
        inside = (offset >= 0) & (offset < pl.col("end") - start)
        frame = frame.with_columns(summit=pl.when(inside).then(start + offset))
    absent = [pl.lit(None, dtype).alias(n) for n, dtype in SCHEMA.items() if n not in frame.columns]
    frame = frame.with_columns(absent)
    return frame.select(pl.col(list(SCHEMA))).with_columns(pl.col("strand").fill_null("."))
