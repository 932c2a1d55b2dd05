"""Where the transcription of genes starts: one start site a gene."""

from pathlib import Path

import polars as pl

from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.start_sites import Site, read_start_sites

SCHEMA = {"gene": pl.String, "chrom": pl.String, "start": pl.Int64, "strand": pl.String}
"""Columns of every table of start sites; ``start`` is the 0-based place of the first base that is
transcribed. A table of annotations may give ``kind``, the sort of gene, too."""

_VERSION = r"^(ENS\w*\d{6,})\.\d+"


def read_gene_sites(
    path: str | Path, *, site: Site | None = None, column: str | None = None
) -> pl.DataFrame:
    """Read a start site a gene; see :func:`~attendna.genome.start_sites.read_start_sites`.

    Raises
    ------
    DataError
        The file is missing, damaged or lacks a column, a row of it is bad, or a gene has no name or
        two start sites.
    """
    path = Path(path)
    frame = read_start_sites(path, site=site, column=column)
    frame = frame.with_columns(gene=without_version(pl.col("name")))
    rules = [
        Rule(pl.col("gene").is_null(), pl.lit("the gene has no name"), "fill it in"),
        Rule(
            pl.col("gene").is_duplicated() & ~pl.col("gene").is_first_distinct(),
            pl.format("a second start site of {}", pl.col("gene").fill_null("")),
            "keep one a gene",
        ),
    ]
    good, complaints = judge(frame, rules)
    if complaints.height:
        raise BadRowsError(path, complaints)
    return good.select(*SCHEMA, *(["kind"] if "kind" in good.columns else []))


def without_version(gene: pl.Expr) -> pl.Expr:
    """Ensembl's number of a gene without the version behind the dot."""
    return gene.str.replace(_VERSION, "${1}")
