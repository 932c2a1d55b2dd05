"""Variants that fine-mapping holds to change expression, against others of the same tissue."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.cli.main import run
from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, UserError
from attendna.core.execution import Execution
from attendna.genome.variants import read_variants
from attendna.tasks.audit.audit import audit
from attendna.tasks.audit.clean import clean
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.causal_snp import CausalSnpConfig
from attendna.tasks.store import Task, open_task

LETTERS = "".join(np.random.default_rng(2).choice(list("ACGT"), 4_000))
HEADER = "tissue_id\tgene_id\tcluster_id\tcluster_pip\tvariant_id\tvariant_pip"
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}

Row = tuple[str, str, int, float]


def build(out: Path, **settings: object) -> Built:
    return parse(CausalSnpConfig, {"window": 20} | settings, "test").build(out, Execution())


def all_rows(task: Task) -> pl.DataFrame:
    return pl.concat([task.read(s).frame.with_columns(split=pl.lit(s)) for s in task.splits])


def variant(at: int) -> str:
    return f"chr1_{at + 1}_{LETTERS[at]}_{OTHER[LETTERS[at]]}_b38"


def write_table(path: Path, rows: list[Row], *more: str) -> Path:
    told = [f"{tissue}\t{gene}\t1\t1\t{variant(at)}\t{pip}" for tissue, gene, at, pip in rows]
    path.write_text("\n".join([HEADER, *told, *more]) + "\n")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    liver = [("liver", "ENSG000001.2", 100 + 60 * i, 0.95 if i % 4 == 0 else 0.005)
             for i in range(40)]  # fmt: skip
    lung = [("lung", "ENSG000001.2", 110 + 60 * i, 0.99 if i < 2 else 0.0) for i in range(5)]
    unsure = [("liver", "ENSG000002.1", 3_000, 0.5), ("liver", "ENSG000002.1", 100, 0.1)]
    indel = f"liver\tENSG000002.1\t1\t1\tchr1_3001_{LETTERS[3000]}TT_{LETTERS[3000]}_b38\t0.95"
    return write_table(tmp_path / "dapg.txt", [*liver, *lung, *unsure], indel)


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{LETTERS}\n")
    return path


def test_each_tissue_has_twice_as_many_spurious_variants(
    tmp_path: Path, table: Path, genome: Path
) -> None:
    built = build(tmp_path / "out", variants=table, genome=genome)
    assert built.counts == {
        "rows": 48,
        "insertions and deletions left out": 1,
        "further genes of a variant in a tissue": 1,
        "variants of neither class": 1,
        "variants not in the genome": 0,
        "variants near the end of a contig, left out": 0,
        "variants whose reference is the genome's": 45,
        "variants of which the genome has the alternative": 0,
        "variants of which the genome has another base": 0,
        "variants where the genome has N": 0,
        "causal": 12,
        "spurious": 23,
        "spurious that there are too few of": 1,
    }
    rows = all_rows(built.task)
    told = rows.group_by("tissue", "label").len().sort("tissue", "label").rows()
    assert told == [("liver", 0, 20), ("liver", 1, 10), ("lung", 0, 3), ("lung", 1, 2)]
    assert built.task.spec.paired
    row = rows.row(by_predicate=pl.col("position") == 100, named=True)
    assert row["label"] == 1
    assert row["id"] == f"liver:chr1:101:{LETTERS[100]}>{OTHER[LETTERS[100]]}"
    assert row["sequence"] == LETTERS[90:110]
    assert row["alternative"] == LETTERS[90:100] + OTHER[LETTERS[100]] + LETTERS[101:110]
    again = build(tmp_path / "again", variants=table, genome=genome)
    assert again.task.split_hash() == built.task.split_hash()


def test_loci_stay_together_and_the_audit_reads_pairs(
    tmp_path: Path, table: Path, genome: Path
) -> None:
    settings = {"variants": table, "genome": genome}
    build(tmp_path / "out", **settings)
    found = audit(tmp_path / "out")
    for split in found.splits[1:]:
        assert all(not s.same.count and not (s.overlapping and s.overlapping.count)
                   for s in split.shared)  # fmt: skip
        assert any("alternative" in said for said in split.left_out)
    built = build(tmp_path / "loose", **settings, split_by="variant")
    rows = all_rows(built.task)
    assert rows.group_by("position").agg(pl.col("split").n_unique())["split"].max() == 1
    clean(tmp_path / "loose", tmp_path / "clean")
    assert open_task(tmp_path / "clean").spec.paired
    assert run(["data", "show", str(tmp_path / "clean")]) == 0


def test_distance_matched_negatives(tmp_path: Path, genome: Path) -> None:
    near = [("liver", "ENSG000001.2", 1_000 + 2 * i, 0.001) for i in range(10)]
    far = [("liver", "ENSG000001.2", 3_000 + 2 * i, 0.001) for i in range(60)]
    causal = [("liver", "ENSG000001.2", 1_040 + 8 * i, 0.95) for i in range(5)]
    stray = [("liver", "ENSG000009.1", 2_000, 0.001)]
    table = write_table(tmp_path / "dapg.txt", [*near, *far, *causal, *stray])
    tss = tmp_path / "tss.bed"
    tss.write_text("chr1\t990\t991\tENSG000001\t0\t+\n")
    options = {"variants": table, "genome": genome, "split_by": "variant"}
    built = build(tmp_path / "out", **options, negatives="distance-matched", tss=tss)
    rows = all_rows(built.task).filter(pl.col("label") == 0)
    assert set(rows["position"]) == {1_000 + 2 * i for i in range(10)}
    assert built.counts["variants of genes without a start site"] == 1
    at_random = all_rows(build(tmp_path / "random", **options).task).filter(pl.col("label") == 0)
    assert at_random["position"].max() > 3_000


def test_disagreement_with_the_genome_has_a_policy(
    tmp_path: Path, table: Path, genome: Path
) -> None:
    settings = {"variants": table, "genome": genome}
    letters = list(LETTERS)
    letters[100] = OTHER[letters[100]]
    genome.write_text(f">chr1\n{''.join(letters)}\n")
    with pytest.raises(UserError, match=r"dapg\.txt: line 2: genome\.fa has no [ACGT] at chr1:101"):
        build(tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()
    dropped = build(tmp_path / "drop", **settings, mismatch="drop")
    assert dropped.counts["variants of which the genome has the alternative"] == 1
    assert dropped.counts["causal"] == 11
    swapped = all_rows(build(tmp_path / "swap", **settings, mismatch="swap").task)
    row = swapped.row(by_predicate=pl.col("position") == 100, named=True)
    assert row["sequence"] == "".join(letters[90:110])
    assert row["alternative"] == LETTERS[90:110]
    kept = all_rows(build(tmp_path / "keep", **settings, mismatch="keep").task)
    row = kept.row(by_predicate=pl.col("position") == 100, named=True)
    assert row["sequence"] == LETTERS[90:110]


def test_edges_and_a_genome_in_part(tmp_path: Path, table: Path, genome: Path) -> None:
    settings = {"variants": table, "window": 220}
    built = build(tmp_path / "drop", **settings, genome=genome)
    assert built.counts["variants near the end of a contig, left out"] == 1
    built = build(tmp_path / "pad", **settings, genome=genome, edge="pad")
    assert built.counts["variants near the end of a contig, left out"] == 0
    with pytest.raises(UserError, match="it reaches over 0 on chr1"):
        build(tmp_path / "error", **settings, genome=genome, edge="error")
    part = tmp_path / "part.fa"
    part.write_text(f">chr1:0-2000\n{LETTERS[:2000]}\n")
    with pytest.raises(DataError, match=r"holds 37 of 45 variants; .*--allow-partial"):
        build(tmp_path / "part", variants=table, genome=part)
    built = build(tmp_path / "part", variants=table, genome=part, allow_partial=True)
    assert built.counts["variants not in the genome"] == 8


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"negative_below": 0.95}, "a variant would be both"),
        ({"valid_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
        ({"negatives": "distance-matched"}, "give both"),
        ({"positive_above": 0.995}, "no variant has a probability above 0.995"),
    ],
)
def test_wrong_settings_are_one_line(
    tmp_path: Path, table: Path, genome: Path, change: dict, complaint: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=complaint):
        build(tmp_path / "out", variants=table, genome=genome, **change)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("tissue_id", "tissue", "there is no tissue_id column among"),
        ("\t0.95\n", "\tENSG1\n", "the variant_pip 'ENSG1' is no probability"),
        ("\t0.95\n", "\t95\n", "the variant_pip '95' is no probability"),
        ("chr1_101_", "chr1-101", "spells out no variant"),
    ],
)
def test_a_bad_table_is_one_line_and_nothing_is_written(
    tmp_path: Path,
    table: Path,
    genome: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    complaint: str,
) -> None:
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))
    words = ["data", "build", "causal_snp", "--variants", str(table), "--genome", str(genome)]
    assert run([*words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert "dapg.txt" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_real_eqtl_variants_of_chr1(tmp_path: Path, shared: Path) -> None:
    """The eight eQTLs whose sequence is there; the probabilities are this test's own."""
    folder = shared / "variants"
    eqtls = read_variants(folder / "baskerville_eqtl_chr1_hg38.vcf").frame
    rows = [
        f"Liver\tENSG00000000001.1\t1\t1\t{name}\t{0.95 if i in (0, 4) else 0.001}"
        for i, name in enumerate(eqtls["id"])
    ]
    table = tmp_path / "dapg.txt"
    table.write_text("\n".join([HEADER, *rows]) + "\n")
    genome = shared / "genome" / "hg38_regions.fa.gz"
    built = build(
        tmp_path / "out", variants=table, genome=genome, window=1_000, split_by="variant",
        valid_fraction=0.2,
    )  # fmt: skip
    assert built.counts["variants whose reference is the genome's"] == 8
    assert (built.counts["causal"], built.counts["spurious"]) == (2, 4)
    rows = all_rows(built.task)
    assert rows["sequence"].str.slice(500, 1).to_list() == rows["ref"].to_list()
    assert rows["alternative"].str.slice(500, 1).to_list() == rows["alt"].to_list()


def test_real_allele_specific_variants(tmp_path: Path, shared: Path) -> None:
    """9,293 variants, of which few lie in the regions; the probabilities are this test's own."""
    frame = read_variants(shared / "variants" / "allelic_imbalance_K562_atac_hg38.tsv.gz").frame
    rows = [
        f"K562\tg\t1\t1\t{chrom}_{start + 1}_{ref}_{alt}_b38\t{0.95 if i % 4 == 0 else 0.001}"
        for i, (chrom, start, ref, alt) in enumerate(
            frame.select("chrom", "start", "ref", "alt").iter_rows()
        )
    ]
    table = tmp_path / "dapg.txt"
    table.write_text("\n".join([HEADER, *rows]) + "\n")
    options = {
        "variants": table,
        "genome": shared / "genome" / "hg38_regions.fa.gz",
        "build_name": "hg38",
        "window": 1_000,
        "split_by": "variant",
    }
    with pytest.raises(DataError, match=r"of 9,293 variants"):
        build(tmp_path / "out", **options)
    with pytest.raises(UserError, match=r"line 3942: hg38_regions\.fa\.gz has no T at"):
        build(tmp_path / "out", **options, allow_partial=True)
    built = build(tmp_path / "out", **options, allow_partial=True, mismatch="swap")
    assert built.counts["variants not in the genome"] == 9_265
    # Windows of a major-allele genome, as the notes on the data say.
    assert built.counts["variants whose reference is the genome's"] == 25
    assert built.counts["variants of which the genome has the alternative"] == 3
    assert (built.counts["causal"], built.counts["spurious"]) == (7, 14)
    assert built.task.spec.rows == {"train": 15, "valid": 2, "test": 4}


def test_a_tissue_can_be_taken_alone(tmp_path: Path, table: Path, genome: Path) -> None:
    built = build(tmp_path / "out", variants=table, genome=genome, tissues=("lung",))
    assert set(all_rows(built.task)["tissue"]) == {"lung"}
    assert built.counts["causal"] == 2
    with pytest.raises(DataError, match=r"no tissue lunge.*lung"):
        build(tmp_path / "other", variants=table, genome=genome, tissues=("lunge",))
    assert not (tmp_path / "other").exists()
