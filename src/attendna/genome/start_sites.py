"""Which base of a row is where transcription starts: the one rule for every file of start sites."""

from pathlib import Path
from typing import Literal

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.formats import DELIMITERS, ending_of
from attendna.genome.intervals import read_intervals
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.rows import read_table

Site = Literal["start", "end", "middle", "thick"]
"""Which base of a row is the start site: the first or last on the row's own strand, its middle, or
the first of its thick part."""

SITE = (
    "Which base of a longer row is the start site: its first or last on its own strand (start, "
    "end), its middle, or the first of its thick part. Not needed for rows of one base, GTF and "
    "GFF3, and BED with thick columns that mark a part of the row, as EPDnew's."
)
"""The help text of the option."""

NAMES = {
    "name": ("id", "gene_id", "gene", "name"),
    "chrom": ("chrom", "chr", "#chrom", "seqnames", "chromosome", "contig"),
    "strand": ("strand",),
    "tss": ("tss",),
    "kind": ("type", "gene_type", "biotype", "gene_biotype"),
}
"""Column names, in lower case, that are understood in tables."""


def read_start_sites(
    path: str | Path, *, site: Site | None = None, column: str | None = None
) -> pl.DataFrame:
    """Read start sites: columns ``line, name, chrom, start, end, strand``, one base a row.

    Tables of annotations may give ``kind``, the sort of gene, too.

    Parameters
    ----------
    path
        BED, GTF, GFF3, or a table: with a column ``tss``, which counts from 1 as annotations do, or
        with the columns of an interval.
    site
        Which base of a row it is. By default a row of one base is its site, and a longer one has
        its site where its thick part begins: EPDnew gives 60 bases with the site at ``thickStart``
        on ``+`` and at ``thickEnd - 1`` on ``-``. A thick part that is the whole row, or that is
        the coding part of BED12, marks nothing.
    column
        The column of a table to take the site from, if not ``tss``.

    Raises
    ------
    DataError
        The file is missing or damaged, a row of it is bad, or longer rows do not mark their site
        and ``site`` does not say which base it is.
    """
    path = Path(path)
    frame = _from_table(path, column)
    if frame is None:
        read = read_intervals(path).frame
        frame = _sites(read.with_columns(line=pl.int_range(1, pl.len() + 1)), site)
    rules = [
        Rule(
            ~pl.col("strand").is_in(["+", "-"]),
            pl.format("the strand is '{}'", "strand"),
            "write + or -",
        ),
        Rule(
            pl.col("start").is_null(),
            pl.format("the row has {} bases and marks none of them as the start site", "length"),
            "give rows of one base, or add --site start, end, middle or thick",
        ),
        Rule(
            pl.col("start") < 0,
            pl.format("the TSS {} lies before the chromosome", pl.col("start") + 1),
            "count from 1",
        ),
    ]
    good, complaints = judge(frame, rules)
    if complaints.height:
        raise BadRowsError(path, complaints)
    columns = ["line", "name", "chrom", "start", "strand"]
    columns += ["kind"] if "kind" in good.columns else []
    return good.select(columns).with_columns(end=pl.col("start") + 1)


def _from_table(path: Path, column: str | None) -> pl.DataFrame | None:
    """Rows of a table with a column of sites; nothing if it is none."""
    if ending_of(path) not in DELIMITERS:
        return None
    frame, complaints = read_table(
        path,
        plain_text(path, read_content(path)),
        NAMES,
        {"tss": column} if column else {},
        whole=("tss",),
        required=("chrom", "strand"),
    )
    if "tss" not in frame.columns:
        return None
    missing = Rule(pl.col("tss").is_null(), pl.lit("the tss is missing"), "fill it in")
    frame, found = judge(frame, [missing])
    if complaints.height or found.height:
        raise BadRowsError(path, pl.concat([complaints, found]).sort("line"))
    absent = [] if "name" in frame.columns else [pl.lit(None, pl.String).alias("name")]
    # A column of sites gives one base a row.
    return frame.with_columns(*absent, start=pl.col("tss") - 1, length=pl.lit(1))


def _sites(rows: pl.DataFrame, site: Site | None) -> pl.DataFrame:
    """The rows with ``start`` at their site, null where that is unknown, and their ``length``."""
    start, end = pl.col("start"), pl.col("end")
    first, last = pl.col("thick_start"), pl.col("thick_end")
    forward = pl.col("strand") == "+"
    thick = pl.when((start <= first) & (first < last) & (last <= end)).then(
        pl.when(forward).then(first).otherwise(last - 1)
    )
    whole = (first == start) & (last == end)
    bases = {
        "start": pl.when(forward).then(start).otherwise(end - 1),
        "end": pl.when(forward).then(end - 1).otherwise(start),
        "middle": (start + end) // 2,
        "thick": thick,
        None: pl.when(end - start == 1).then(start).when(~whole).then(thick),
    }
    return rows.with_columns(start=bases[site], length=end - start)
