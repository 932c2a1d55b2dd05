"""Where the transcription of genes starts, from tables of annotations, BED or GTF."""

from pathlib import Path

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import DELIMITERS
from attendna.genome.intervals import read_intervals
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.rows import read_table

SCHEMA = {"gene": pl.String, "chrom": pl.String, "start": pl.Int64, "strand": pl.String}
"""Columns of every table of start sites; ``start`` is the 0-based place of the first base that is
transcribed. A table of annotations may give ``kind``, the sort of gene, too."""

NAMES = {
    "gene": ("id", "gene_id", "gene", "name"),
    "chrom": ("chrom", "chr", "#chrom", "seqnames", "chromosome", "contig"),
    "strand": ("strand",),
    "tss": ("tss",),
    "kind": ("type", "gene_type", "biotype", "gene_biotype"),
}
"""Column names, in lower case, that are understood in tables."""

_VERSION = r"^(ENS\w*\d{6,})\.\d+"


def read_gene_sites(path: str | Path, *, column: str | None = None) -> pl.DataFrame:
    """Read a start site a gene.

    Parameters
    ----------
    path
        A table with the columns of :data:`NAMES`, of which ``tss`` counts from 1 as annotations do;
        BED, its first base the TSS; or GTF.
    column
        The column of a table to take the TSS from, if not ``tss``.

    Raises
    ------
    DataError
        The file is missing, damaged or lacks a column, or a row of it is bad.
    """
    path = Path(path)
    if not any(ending in DELIMITERS for ending in map(str.lower, path.suffixes)):
        read = read_intervals(path).frame.rename({"name": "gene"})
        frame = read.with_columns(line=pl.int_range(1, pl.len() + 1))
    else:
        text = plain_text(path, read_content(path))
        frame, complaints = read_table(
            path,
            text,
            NAMES,
            {"tss": column} if column else {},
            whole=("tss",),
            required=("gene", "chrom", "strand", "tss"),
        )
        if complaints.height:
            raise BadRowsError(path, complaints)
        frame = frame.with_columns(start=pl.col("tss") - 1)
    frame = frame.with_columns(gene=without_version(pl.col("gene")))
    rules = [
        Rule(pl.col("gene").is_null(), pl.lit("the gene has no name"), "fill it in"),
        Rule(
            pl.col("gene").is_duplicated() & ~pl.col("gene").is_first_distinct(),
            pl.format("a second start site of {}", pl.col("gene").fill_null("")),
            "keep one a gene",
        ),
        Rule(
            ~pl.col("strand").is_in(["+", "-"]),
            pl.format("the strand is '{}'", "strand"),
            "write + or -",
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
    return good.select(*SCHEMA, *(["kind"] if "kind" in good.columns else []))


def without_version(gene: pl.Expr) -> pl.Expr:
    """Ensembl's number of a gene without the version behind the dot."""
    return gene.str.replace(_VERSION, "${1}")
