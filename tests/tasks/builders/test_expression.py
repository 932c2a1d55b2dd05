"""Genes, their start sites, and what they express."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.cli.main import run
from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, UserError
from attendna.core.execution import Execution
from attendna.genome.reference import open_reference
from attendna.tasks.audit.audit import audit
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.expression import ExpressionConfig
from attendna.tasks.gene_sites import read_gene_sites
from attendna.tasks.splits import ChromosomeSplit
from attendna.tasks.store import Task, open_task

LETTERS = "AACGTTACGGATCCGTAACGTTTACGAACC"

GENES = """id,symbol,seqnames,strand,TSS,CAGE_representative_TSS,type
ENSG000001,A,chr1,+,10,11,protein_coding
ENSG000002,B,1,-,10,10,protein_coding
ENSG000003,C,chr8,+,15,15,lincRNA
ENSG000004,D,chrX,-,15,15,protein_coding
ENSG000005,R,chr1,+,15,15,rRNA
ENSG000006,E,chr1,+,2,2,protein_coding
ENSG000007,F,chr1,+,12,12,protein_coding
"""

MATRIX = """gene_id\tliver\tlung
ENSG000001.7\t1\t0
ENSG000002\t3\tNA
ENSG000003\t0\t0
ENSG000004\t2\t2
ENSG000005\t1\t1
ENSG000006\t5\t6
"""


def build(out: Path, **settings: object) -> Built:
    return parse(ExpressionConfig, {"window": 6} | settings, "test").build(out, Execution())


def all_rows(task: Task) -> pl.DataFrame:
    return pl.concat([task.read(s).frame.with_columns(split=pl.lit(s)) for s in task.splits])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "genes.csv").write_text(GENES)
    (tmp_path / "matrix.tsv").write_text(MATRIX)
    (tmp_path / "genome.fa").write_text("".join(f">chr{n}\n{LETTERS}\n" for n in (1, 8, "X")))
    return {
        "tss": tmp_path / "genes.csv",
        "expression": tmp_path / "matrix.tsv",
        "genome": tmp_path / "genome.fa",
    }


def test_windows_are_read_along_the_gene_with_the_tss_in_the_middle(
    tmp_path: Path, files: dict
) -> None:
    built = build(tmp_path / "out", **files)
    task = open_task(tmp_path / "out")
    assert task.spec.classes == ("liver", "lung")
    assert task.spec.rows == {"train": 3, "valid": 1, "test": 1}
    train = task.read("train")
    assert train.ids == ("ENSG000001", "ENSG000002", "ENSG000006")
    # Base 10, counted from 1, is LETTERS[9], a G; on the other strand a C.
    assert train.frame["sequence"].to_list() == [LETTERS[6:12], "GATCCG", "NN" + LETTERS[:4]]
    assert [text[3] for text in train.frame["sequence"]] == ["G", "C", "A"]
    assert train.frame["start"].to_list() == [6, 7, -2]
    expected = np.log(np.array([[1, 0], [3, np.nan], [5, 6]]) + 1e-4)
    assert np.allclose(train.labels, expected, equal_nan=True, atol=1e-5)
    assert task.read("test").ids == ("ENSG000003",)
    assert task.read("valid").ids == ("ENSG000004",)
    assert built.counts == {
        "genes": 7,
        "genes of kinds left out": 1,
        "genes without expression": 1,
        "genes not in the genome": 0,
        "genes near the end of a contig, left out": 0,
        "genes near the end of a contig, padded": 1,
    }


def test_edges_columns_and_names_are_options(tmp_path: Path, files: dict) -> None:
    names = tmp_path / "tissues.txt"
    names.write_text("ModelName\tTissue\nx\tLiver of men\ny\tLung\n")
    built = build(
        tmp_path / "out", **files, edge="drop", tss_column="CAGE_representative_TSS", tissues=names
    )
    assert built.task.spec.classes == ("Liver of men", "Lung")
    assert built.counts["genes near the end of a contig, left out"] == 1
    assert built.task.read("train").frame["sequence"][0] == LETTERS[7:13]
    raw = build(tmp_path / "raw", **files, transform="none")
    assert raw.task.read("train").labels[0].tolist() == [1, 0]
    with pytest.raises(UserError, match="it reaches over 0 on chr1"):
        build(tmp_path / "error", **files, edge="error")
    assert not (tmp_path / "error").exists()


def test_start_sites_of_bed_and_a_genome_in_part(tmp_path: Path, files: dict) -> None:
    bed = tmp_path / "tss.bed"
    bed.write_text("chr1\t9\t10\tENSG000001\t0\t+\nchr1\t9\t10\tENSG000002\t0\t-\n"
                   "chr8\t14\t15\tENSG000003\t0\t+\n")  # fmt: skip
    built = build(tmp_path / "out", **(files | {"tss": bed}))
    assert built.task.read("train").frame["sequence"].to_list() == [LETTERS[6:12], "GATCCG"]
    part = tmp_path / "part.fa"
    part.write_text(f">chr1:5-30\n{LETTERS[5:]}\n")
    with pytest.raises(DataError, match=r"holds 2 of 3 genes; .*--allow-partial"):
        build(tmp_path / "part", **(files | {"tss": bed, "genome": part}))
    built = build(tmp_path / "part", **(files | {"tss": bed, "genome": part}), allow_partial=True)
    assert built.counts["genes not in the genome"] == 1
    assert built.task.spec.rows == {"train": 2}


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("genes.csv", "seqnames", "where", "there is no chrom column among id, symbol"),
        ("genes.csv", "chr8,+,15", "chr8,15,+", "the tss '+' is no whole number"),
        ("genes.csv", "ENSG000002", "ENSG000001", "a second start site of ENSG000001"),
        ("matrix.tsv", "\t3\tNA", "\t3\tmuch", "row 2: 'much', of lung, is no number"),
        ("matrix.tsv", "\t3\tNA", "\t3", "row 2: 2 fields where the header has 3"),
        ("matrix.tsv", "\t3\tNA", "\t-3\tNA", "row 2: -3, of liver, is negative"),
        ("matrix.tsv", "ENSG000002", "ENSG000003", "row 3: a second row of ENSG000003"),
        ("matrix.tsv", "ENSG", "GENE", "it has none of the 6 genes of genes.csv"),
        ("matrix.tsv", "gene_id", "what", "no column names the genes"),
        ("tissues.txt", "c", "c\nd\ne", "it names 4 tissues, but matrix.tsv has 2"),
        ("tissues.txt", "c", "b", "row 2: a second b"),
    ],
)
def test_bad_files_are_one_line_and_nothing_is_written(
    tmp_path: Path,
    files: dict,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    complaint: str,
) -> None:
    (tmp_path / "tissues.txt").write_text("b\nc\n")
    path = tmp_path / file
    path.write_text(path.read_text().replace(old, new))
    words = ["data", "build", "expression", "--window", "6", "--out", str(tmp_path / "out")]
    for name, value in files.items():
        words += [f"--{name}", str(value)]
    if file == "tissues.txt":
        words += ["--tissues", str(path)]
    assert run(words) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert file in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_chromosome_is_in_one_split(tmp_path: Path, files: dict) -> None:
    with pytest.raises(ConfigError, match="chromosome 8 is in valid and test"):
        build(tmp_path / "out", **files, valid=["8"])


def test_expecto_genes_with_roadmap_expression(tmp_path: Path, shared: Path) -> None:
    tables = shared / "expression"
    options = {
        "tss": tables / "expecto_geneanno_hg19.csv.gz",
        "expression": tables / "roadmap_57epigenomes.RPKM.pc.gz",
        "genome": shared / "genome" / "hg19_regions.fa.gz",
        "build_name": "hg19",
        "window": 40_000,
    }
    with pytest.raises(DataError, match="it holds 24 of 18,625 genes"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, allow_partial=True)
    assert built.counts["genes"] == 24_339
    # As the paper says.
    assert built.counts["genes of kinds left out"] == 522
    assert built.counts["genes without expression"] == 24_339 - 522 - 18_625
    assert built.counts["genes not in the genome"] == 18_601
    assert built.task.spec.rows == {"train": 23, "test": 1}
    assert len(built.task.spec.classes) == 57
    rows = all_rows(built.task)
    assert set(rows["strand"]) == {"+", "-"}
    reference = open_reference(options["genome"])
    genes = pl.read_csv(options["tss"], infer_schema_length=None)
    for gene, sequence, strand in rows.select("id", "sequence", "strand").iter_rows():
        site = genes.row(by_predicate=pl.col("id") == gene, named=True)
        assert strand == site["strand"]
        near = reference.sequence(site["seqnames"], site["TSS"] - 1, site["TSS"], strand)
        assert sequence[20_000] == "ACGTN"[int(near[0])]
    # 218 tissues are too many names for a matrix of 57.
    with pytest.raises(DataError, match=r"it names 218 tissues, but .* has 57"):
        build(tmp_path / "no", **options, tissues=tables / "expecto_modellist.txt")
    assert audit(tmp_path / "out").level == "clean"


def test_the_published_numbers_of_genes_in_each_split(shared: Path) -> None:
    genes = read_gene_sites(shared / "expression" / "expecto_geneanno_hg19.csv.gz")
    kept = genes.filter(pl.col("kind") != "rRNA")
    chromosomes = ChromosomeSplit(("chrX", "chrY"), ("chr8",))
    splits = [chromosomes.of(name) for name in kept["chrom"]]
    assert [splits.count(name) for name in ("train", "valid", "test")] == [21_840, 987, 990]
