"""Where genes begin, by the lines of a GTF."""

import polars as pl

from attendna.genome.start_sites import start_sites

COLUMNS = ["line", "chrom", "feature", "start", "end", "score", "strand", "attributes"]


def sites(*rows: tuple) -> tuple[list[tuple], list[tuple]]:
    schema = {name: pl.Int64 if name in ("line", "start", "end") else pl.String for name in COLUMNS}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(score=None)
    found, complaints = start_sites(frame)
    return found.select("chrom", "start", "end", "name", "strand").rows(), complaints.rows()


def test_a_gene_begins_at_its_first_base_on_its_own_strand() -> None:
    attributes = 'gene_id "A.1"; gene_name "A"'
    found, complaints = sites(
        (1, "chr1", "gene", 10, 50, None, "+", attributes),
        (2, "chr1", "exon", 5, 99, None, "+", attributes),
        (3, "chr2", "gene", 10, 50, None, "-", 'havana_gene_id "X"; gene_id "B"; level 2;'),
    )
    assert found == [("chr1", 10, 11, "A.1", "+"), ("chr2", 49, 50, "B", "-")]
    assert complaints == []


def test_without_gene_lines_the_exons_tell() -> None:
    found, _ = sites(
        (1, "chr1", "exon", 30, 50, None, "-", "gene_id A"),
        (2, "chr1", "exon", 10, 20, None, "-", "gene_id A"),
        (3, "chrX", "exon", 7, 9, None, "+", "gene_id PAR"),
        (4, "chrY", "exon", 3, 9, None, "+", "gene_id PAR"),
    )
    assert found == [
        ("chr1", 49, 50, "A", "-"),
        ("chrX", 7, 8, "PAR", "+"),
        ("chrY", 3, 4, "PAR", "+"),
    ]


def test_rows_that_tell_no_site_are_listed() -> None:
    found, complaints = sites(
        (1, "chr1", "gene", 10, 50, None, None, 'gene_id "A"'),
        (2, "chr1", "gene", 10, 50, None, "+", 'transcript_id "A"'),
    )
    assert found == []
    assert [(line, problem[:30]) for line, problem, _ in complaints] == [
        (1, "the strand is missing, so that"),
        (2, "there is no gene_id among the "),
    ]
