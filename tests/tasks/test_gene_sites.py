import gzip
from pathlib import Path

import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.tasks.gene_sites import read_gene_sites


def test_tables_bed_and_gtf_tell_the_same(tmp_path: Path) -> None:
    table = tmp_path / "genes.tsv"
    table.write_text("gene_id\tchr\tstrand\tTSS\ttype\nENSG000001.4\tchr1\t+\t11\tlincRNA\n"
                     "ENSG000002\tchr2\t-\t30\tx\n")  # fmt: skip
    bed = tmp_path / "genes.bed"
    bed.write_text("chr1\t10\t11\tENSG000001.9\t0\t+\nchr2\t29\t30\tENSG000002\t0\t-\n")
    gtf = tmp_path / "genes.gtf"
    gtf.write_text('chr1\tx\tgene\t11\t20\t.\t+\t.\tgene_id "ENSG000001.4";\n'
                   'chr2\tx\tgene\t20\t30\t.\t-\t.\tgene_id "ENSG000002";\n')  # fmt: skip
    expected = [("ENSG000001", "chr1", 10, "+"), ("ENSG000002", "chr2", 29, "-")]
    for path in (table, bed, gtf):
        assert read_gene_sites(path).select("gene", "chrom", "start", "strand").rows() == expected
    assert read_gene_sites(table)["kind"].to_list() == ["lincRNA", "x"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("a,chr1,+,5\na,chr1,-,9\n", "line 3: a second start site of a"),
        ("a,chr1,.,5\n", "line 2: the strand is"),
        ("a,chr1,*,5\n", r"line 2: the strand is '\*'"),
        ("a,chr1,+,0\n", "line 2: the TSS 0 lies before the chromosome"),
        ("a,chr1,+,x\n", "line 2: the tss 'x' is no whole number"),
        (",chr1,+,5\n", "line 2: the gene has no name"),
    ],
)
def test_bad_rows_are_told(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "genes.csv"
    path.write_text("id,seqnames,strand,TSS\n" + rows)
    with pytest.raises(DataError, match=complaint):
        read_gene_sites(path)


def test_a_column_may_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "genes.csv"
    path.write_text("id,seqnames,strand,TSS,CAGE\na,chr1,+,5,8\n")
    assert read_gene_sites(path, column="CAGE")["start"].to_list() == [7]
    with pytest.raises(DataError, match="there is no FANTOM column"):
        read_gene_sites(path, column="FANTOM")


def test_expecto_counts_from_one_as_gencode_does(tmp_path: Path, shared: Path) -> None:
    """4 of 5 starts are those of GENCODE's genes: were they 0-based, next to none would be."""
    folder = shared / "expression"
    expecto = read_gene_sites(folder / "expecto_geneanno_hg19.csv.gz")
    gtf = tmp_path / "genes.gtf"
    gtf.write_bytes(gzip.decompress((folder / "gencode_v10_genes_hg19.gtf.gz").read_bytes()))
    gencode = read_gene_sites(gtf).rename({"start": "other"})
    joined = expecto.join(gencode, on=["gene", "chrom", "strand"])
    assert joined.height > 20_000
    assert joined.filter(pl.col("start") == pl.col("other")).height > 0.8 * joined.height
