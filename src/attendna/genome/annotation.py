"""Transcription start sites of the genes in a GTF or GFF3."""

import polars as pl

from attendna.genome.preflight import Rule, judge

_GENES = ("gene", "ncRNA_gene", "pseudogene")
_GENE = r'(?:^|;)\s*gene_id[ =]+"?([^";]+)'
_ID = r"(?:^|;)\s*ID=(?:gene[:-])?([^;]+)"
_TRANSCRIPT = r'(?:^|;)\s*transcript_id[ =]+"?([^";]+)'
_GENE_KEY = ("chrom", "name", "strand")


def gene_starts(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One base where the transcription of each gene starts, and complaints about rows without one.

    A gene that lies at two places has two start sites.

    Parameters
    ----------
    frame
        Rows of the file, 0-based: ``line, chrom, feature, start, end, score, strand, attributes``.
        In files without gene lines a gene reaches over transcripts that overlap.
    """
    genes = frame.filter(pl.col("feature").is_in(_GENES))
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
    attributes = pl.col("attributes")
    name = pl.coalesce(attributes.str.extract(_GENE), attributes.str.extract(_ID))
    good, complaints = judge(rows.with_columns(name=name), rules)
    places = good if genes.height else _extents(good)
    site = pl.when(pl.col("strand") == "+").then(pl.col("start")).otherwise(pl.col("end") - 1)
    sites = places.with_columns(start=site, end=site + 1)
    return sites.unique([*_GENE_KEY, "start"], keep="first", maintain_order=True), complaints


def _extents(rows: pl.DataFrame) -> pl.DataFrame:
    """From where to where each gene reaches: over the transcripts of it that overlap in a chain."""
    own = pl.col("attributes").str.extract(_TRANSCRIPT).fill_null(pl.col("name"))
    first, last = pl.col("start").min(), pl.col("end").max()
    transcripts = (
        rows.group_by(*_GENE_KEY, own.alias("transcript"), maintain_order=True)
        .agg(first, last, pl.col("score").first())
        .sort("start", maintain_order=True)
    )
    reach = pl.col("end").cum_max().shift().over(_GENE_KEY)
    place = (pl.col("start") >= reach).fill_null(value=False).cum_sum().over(_GENE_KEY)
    found = transcripts.group_by(*_GENE_KEY, place.alias("place"), maintain_order=True).agg(
        first, last, pl.col("score").first()
    )
    order = rows.select(_GENE_KEY).unique(maintain_order=True)
    return order.join(found, on=_GENE_KEY, maintain_order="left_right").drop("place")
