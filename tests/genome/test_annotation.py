"""Where genes begin, by the lines of a GTF."""

from pathlib import Path

import polars as pl

from attendna.genome.annotation import gene_starts
from attendna.genome.intervals import read_intervals

COLUMNS = ["line", "chrom", "feature", "start", "end", "score", "strand", "attributes"]


def sites(*rows: tuple) -> tuple[list[tuple], list[tuple]]:
    schema = {name: pl.Int64 if name in ("line", "start", "end") else pl.String for name in COLUMNS}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(score=None)
    found, complaints = gene_starts(frame)
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


def test_a_gene_at_two_places_has_two_sites() -> None:
    found, complaints = sites(
        (1, "chr1", "gene", 2000, 2500, None, "+", 'gene_id "G0";'),
        (2, "chr1", "gene", 4000, 4500, None, "+", 'gene_id "G1";'),
        (3, "chr1", "gene", 29000, 29500, None, "+", 'gene_id "G0";'),
        (4, "chr1", "gene", 29000, 29500, None, "+", 'gene_id "G0";'),
    )
    assert [(row[1], row[3]) for row in found] == [(2000, "G0"), (4000, "G1"), (29000, "G0")]
    assert complaints == []


def test_transcripts_that_overlap_are_one_place_of_a_gene() -> None:
    rows = [
        ("T1", 100, 200),
        ("T1", 400, 500),
        ("T2", 150, 900),
        ("T3", 5000, 5100),
        ("T3", 6000, 6100),
    ]
    found, _ = sites(
        *(
            (line, "chr1", "exon", start, end, None, "-", f'gene_id "G"; transcript_id "{name}"')
            for line, (name, start, end) in enumerate(rows, start=1)
        )
    )
    assert [row[1] for row in found] == [899, 6099]


def test_gff3_names_genes_by_their_id() -> None:
    found, complaints = sites(
        (1, "chr1", "gene", 10, 50, None, "+", "ID=gene:ENSG1;Name=A;biotype=x"),
        (2, "chr1", "ncRNA_gene", 60, 80, None, "-", "ID=gene-B;Name=B"),
        (3, "chr1", "gene", 90, 95, None, "+", "ID=x;gene_id=ENSG3.2"),
        (4, "chr1", "mRNA", 5, 90, None, "+", "ID=transcript:T;Parent=gene:ENSG1"),
    )
    assert [row[1:4:2] for row in found] == [(10, "ENSG1"), (79, "B"), (90, "ENSG3.2")]
    assert complaints == []


def test_sequences_after_the_rows_of_a_gff3_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "genes.gff3"
    row = "chr1\tx\tgene\t11\t50\t.\t-\t.\tID=A"
    path.write_text(f"##gff-version 3\n{row}\n##FASTA\n>chr1\nACGT\n")
    frame = read_intervals(path).frame
    assert frame.select("chrom", "start", "end", "strand").rows() == [("chr1", 49, 50, "-")]
