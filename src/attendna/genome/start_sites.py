"""Transcription start sites of the genes in a GTF."""

import polars as pl

from attendna.genome.preflight import Rule, judge

_GENE = r'(?:^|;)\s*gene_id[ =]+"?([^";]+)'


def start_sites(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One base a gene, where its transcription starts, and complaints about rows that tell none.

    Parameters
    ----------
    frame
        Rows of a GTF, 0-based: ``line, chrom, feature, start, end, score, strand, attributes``. In
        files without gene lines the ends of a gene are those of its transcripts and exons.
    """
    genes = frame.filter(pl.col("feature") == "gene")
    rows = genes if genes.height else frame
    rules = [
        Rule(
            pl.col("name").is_null(),
            pl.lit("there is no gene_id among the attributes"),
            'write gene_id "NAME";',
        ),
        Rule(
            pl.col("strand").is_null(),
            pl.lit("the strand is missing, so that the start site is unknown"),
            "write + or -",
        ),
    ]
    good, complaints = judge(rows.with_columns(name=pl.col("attributes").str.extract(_GENE)), rules)
    site = pl.when(pl.col("strand") == "+").then(pl.col("start")).otherwise(pl.col("end") - 1)
    sites = (
        good.group_by("chrom", "name", "strand", maintain_order=True)
        .agg(pl.col("start").min(), pl.col("end").max(), pl.col("score").first())
        .with_columns(start=site, end=site + 1)
    )
    return sites, complaints
