"""The effect of every substitution, and the three ways to split them."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from attendna.cli.main import run
from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, UserError
from attendna.core.execution import Execution
from attendna.genome.loci import count_overlaps
from attendna.tasks.audit.audit import audit
from attendna.tasks.audit.clean import clean
from attendna.tasks.audit.number_rules import rules_of
from attendna.tasks.audit.rows import read_rows
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.mpra import MpraConfig
from attendna.tasks.mutagenesis_table import read_mutagenesis
from attendna.tasks.store import Task, open_task

HEADER = "Chrom\tPos\tRef\tAlt\tBarcodes\tDNA\tRNA\tCoefficient\tpValue\tElement\tRelease"
LETTERS = (
    "GTATCGGCTAACGCAAAAATAGTACCCTATTTACGCGGGATGGCCTAACGATCAGTTTCA"
    "TGTAAGCCTAGCCTACAACGGCATTAACATGGCGTATACTTATTCCTTGCATCGGACGAG"
)


def build(out: Path, **settings: object) -> Built:
    return parse(MpraConfig, settings, "test").build(out, Execution())


def all_rows(task: Task) -> pl.DataFrame:
    return pl.concat([task.read(s).frame.with_columns(split=pl.lit(s)) for s in task.splits])


def write_table(path: Path, elements: dict[str, tuple[int, int]], hole: int | None = None) -> Path:
    """Every variant of the bases of elements ``start, end`` of :data:`LETTERS`."""
    rows = [
        f"1\t{at + 1}\t{LETTERS[at]}\t{alt}\t{at % 13}\t1\t1\t{at / 10 + ord(alt) / 100:.3f}\t1"
        f"\t{name}\tGRCh38"
        for name, (start, end) in elements.items()
        for at in range(start, end)
        for alt in "ACGT-"
        if alt != LETTERS[at] and at != hole
    ]
    path.write_text("\n".join([HEADER, *rows, "NA\tNA\tNA\tNA\t1\t1\t1\t0.5\t1\ta\tGRCh38"]) + "\n")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    ranges = {"a": (10, 25), "a.2": (12, 25), "b": (40, 55), "c": (70, 85)}
    return write_table(tmp_path / "table.tsv", ranges)


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{LETTERS}\n")
    return path


def test_both_alleles_of_a_variant_are_stored(tmp_path: Path, table: Path) -> None:
    built = build(tmp_path / "out", variants=table, elements=["b"], deletions=True)
    rows = all_rows(built.task)
    assert built.task.spec.paired
    assert built.counts["rows without a place"] == 1
    assert rows.height == 15 * 4
    row = rows.row(by_predicate=pl.col("id") == "b:43:G>T", named=True)
    assert row["sequence"] == LETTERS[40:55]
    assert row["alternative"] == LETTERS[40:42] + "T" + LETTERS[43:55]
    assert row["label"] == [pytest.approx(42 / 10 + 0.84)]
    assert (row["chrom"], row["start"], row["end"], row["position"]) == ("1", 40, 55, 42)
    gone = rows.row(by_predicate=pl.col("id") == "b:43:G>-", named=True)
    assert gone["alternative"] == LETTERS[40:42] + LETTERS[43:55]
    split = open_task(tmp_path / "out").read("test")
    assert split.alternatives is not None
    assert split.alternatives.to_text() == split.frame["alternative"].to_list()


def test_a_genome_gives_the_bases_around_and_is_compared(
    tmp_path: Path, table: Path, genome: Path
) -> None:
    settings = {"variants": table, "elements": ["b", "c"], "genome": genome, "window": 41}
    built = build(tmp_path / "out", **settings)
    rows = all_rows(built.task)
    row = rows.row(by_predicate=pl.col("id") == "b:43:G>T", named=True)
    assert (row["chrom"], row["start"], row["end"]) == ("chr1", 27, 68)
    assert row["sequence"] == LETTERS[27:68]
    assert row["alternative"] == LETTERS[27:42] + "T" + LETTERS[43:68]
    assert built.task.spec.window == 41
    genome.write_text(f">chr1\n{LETTERS[:42]}A{LETTERS[43:]}\n")
    with pytest.raises(UserError, match=r"table\.tsv: line \d+: genome\.fa has no G at chr1:43"):
        build(tmp_path / "other", **settings)
    assert not (tmp_path / "other").exists()
    built = build(tmp_path / "other", **settings, mismatch="drop")
    assert built.counts["variants of which the genome has another base"] == 2
    assert built.counts["variants of which the genome has the alternative"] == 1
    assert sum(built.task.spec.rows.values()) == rows.height - 3


def test_rows_may_have_the_bases_around_a_variant_alone(tmp_path: Path, table: Path) -> None:
    settings = {"variants": table, "elements": ["b"], "deletions": True}
    whole = all_rows(build(tmp_path / "whole", **settings).task)
    rows = all_rows(build(tmp_path / "near", **settings, around=3).task)
    assert rows.drop("sequence", "alternative", "start", "end").equals(
        whole.drop("sequence", "alternative", "start", "end")
    )
    for row in rows.iter_rows(named=True):
        start, end = max(40, row["position"] - 3), min(55, row["position"] + 4)
        assert (row["start"], row["end"]) == (start, end)
        assert row["sequence"] == LETTERS[start:end]
        at = row["position"] - start
        alt = row["alt"].replace("-", "")
        assert row["alternative"] == row["sequence"][:at] + alt + row["sequence"][at + 1 :]


def test_elements_in_part_of_a_genome_and_near_its_end(tmp_path: Path, table: Path) -> None:
    genome = tmp_path / "part.fa"
    genome.write_text(f">chr1:30-120\n{LETTERS[30:]}\n")
    settings = {"variants": table, "elements": ["all"], "genome": genome, "window": 17}
    with pytest.raises(DataError, match=r"holds 2 of 4 elements; .*--allow-partial"):
        build(tmp_path / "out", **settings)
    built = build(tmp_path / "out", **settings, allow_partial=True)
    assert built.counts["elements not in the genome"] == 2
    whole = tmp_path / "whole.fa"
    whole.write_text(f">chr1\n{LETTERS}\n")
    settings |= {"genome": whole, "window": 101}
    with pytest.raises(UserError, match="it reaches over 0 on chr1"):
        build(tmp_path / "edge", **settings)
    built = build(tmp_path / "edge", **settings, edge="pad")
    assert built.counts["elements near the end of a contig"] == 4
    assert all_rows(built.task)["sequence"].str.starts_with("N").any()


def test_positions_and_what_overlaps_stay_together(tmp_path: Path, table: Path) -> None:
    options = {"variants": table, "elements": ["all"], "seed": 3}
    at_random = all_rows(build(tmp_path / "r", **options).task)
    assert at_random.group_by("position").agg(pl.col("split").n_unique())["split"].max() == 1
    runs = all_rows(build(tmp_path / "c", **options, split="contiguous").task)
    for name in "abc":
        mine = runs.filter(pl.col("element") == name).unique("position").sort("position")
        assert mine["split"].rle().len() == 3
    assert set(runs["split"]) == {"train", "valid", "test"}
    way = {"split": "leave-one-element-out"}
    left = all_rows(build(tmp_path / "l", **options, **way, test_elements=["a"]).task)
    assert set(left.filter(pl.col("split") == "test")["element"]) == {"a", "a.2"}
    assert set(left.filter(pl.col("split") == "valid")["element"]) == {"b"}
    folded = all_rows(build(tmp_path / "f", **options, **way, fold=2).task)
    assert set(folded.filter(pl.col("split") == "test")["element"]) == {"c"}


def test_bases_that_no_row_spells_are_n_and_counted(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.tsv", {"a": (10, 40)}, hole=15)
    built = build(tmp_path / "out", variants=table, elements=["a"])
    assert built.counts["bases that no row spells"] == 1
    assert set(all_rows(built.task)["sequence"]) == {f"{LETTERS[10:15]}N{LETTERS[16:40]}"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({}, "there is no element F9 among a, a.2, b, c"),
        ({"elements": ["x"]}, "there is no element x among a, a.2, b, c"),
        ({"elements": ["a"], "window": 50}, "the table has no bases beyond"),
        ({"elements": ["a"], "fold": 1}, "add --split leave-one-element-out"),
        ({"elements": ["a"], "split": "leave-one-element-out"}, "none is left to train on"),
        (
            {"elements": ["all"], "split": "leave-one-element-out", "fold": 9},
            "--fold 9: there are 3 loci, a/a.2, b, c",
        ),
        (
            {"elements": ["all"], "split": "leave-one-element-out", "test_elements": ["z"]},
            "there is no element z",
        ),
        ({"release": "GRCh37"}, "no row is of GRCh37; choose --release GRCh38"),
        ({"elements": ["a"], "min_barcodes": 99}, "no variant is left"),
        ({"valid_fraction": 0.6, "test_fraction": 0.5}, "leave nothing to train on"),
    ],
)
def test_wrong_settings_are_one_line(
    tmp_path: Path, table: Path, change: dict, complaint: str
) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        build(tmp_path / "out", variants=table, **change)
    assert complaint in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("Coefficient", "Score", "there is no effect column among Chrom, Pos"),
        ("Ref\tAlt", "Alt\tRef", "are the columns of ref and alt exchanged?"),
        ("\t11\tA\t", "\t11\tCC\t", "the reference 'CC' is not one base"),
        ("1\t11\tA", "1\t-4\tA", "the position '-4' is no whole number from 1 on"),
    ],
)
def test_a_bad_table_is_one_line_and_nothing_is_written(
    tmp_path: Path,
    table: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    complaint: str,
) -> None:
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))
    words = ["data", "build", "mpra", "--variants", str(table), "--elements", "all"]
    assert run([*words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert "table.tsv" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_audit_reads_pairs_and_numbers(
    tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path / "out", variants=table, elements=["all"])
    found = audit(tmp_path / "out").splits[-1]
    assert found.level == "leaks"
    assert not found.rules
    # Where effects rise with the position, their neighbors tell nearly all.
    score = next(score for score in found.scores if score.rule == "position")
    assert score.spearman.value > 0.9
    assert score.spearman.low <= score.spearman.value <= score.spearman.high
    assert any("labels are numbers" in said for said in found.left_out)
    cleaned = clean(tmp_path / "out", tmp_path / "clean")
    assert cleaned.record.groups == 3
    task = open_task(tmp_path / "clean")
    assert sum(task.spec.rows.values()) == sum(open_task(tmp_path / "out").spec.rows.values())
    assert all_rows(task).group_by("locus").agg(pl.col("split").n_unique())["split"].max() == 1
    for verb in ("audit", "show"):
        assert run(["data", verb, str(tmp_path / "out"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
    assert run(["data", "audit", str(tmp_path / "out")]) == 0
    assert "Spearman" in capsys.readouterr().out


def test_ten_promoters_of_kircher(tmp_path: Path, shared: Path) -> None:
    """What the random split hides: REFERENCE .300 +- .027 at random, about 0 left out."""
    table = shared / "mpra_saturation" / "elements.tsv.gz"
    built = build(tmp_path / "random", variants=table)
    assert built.counts == {
        "rows": 89_316,
        "rows of other releases": 44_658,
        "rows without a place": 11,
        "deletions left out": 2_769,
        "bases that no row spells": 0,
        "variants": 15_699,
        "elements": 15,
    }
    assert built.task.spec.rows == {"train": 9_418, "valid": 3_143, "test": 3_138}
    scores = {s.rule: s.spearman for s in audit(tmp_path / "random").splits[-1].scores}
    assert scores["position"].value == pytest.approx(0.30, abs=0.05)
    assert scores["position"].low > 0.2
    left_out: list[float] = []
    for fold in range(10):
        out = tmp_path / f"fold{fold}"
        build(out, variants=table, split="leave-one-element-out", fold=fold)
        rows = read_rows(out)
        train, test = (rows.take(np.flatnonzero(rows.inside(s))) for s in ("train", "test"))
        assert not count_overlaps(test.frame, train.frame).any()
        said = rules_of(train, test)["position"][1](train, test)
        left_out.append(float(spearmanr(said[:, 0], test.values[:, 0])[0]))
    assert abs(np.mean(left_out)) < 0.1
    with pytest.raises(ConfigError, match="there are 10 loci"):
        build(tmp_path / "no", variants=table, split="leave-one-element-out", fold=10)


def test_all_elements_of_kircher_are_spelled_by_the_table(tmp_path: Path, shared: Path) -> None:
    table = shared / "mpra_saturation" / "elements.tsv.gz"
    built = build(tmp_path / "out", variants=table, elements=["all"], deletions=True)
    assert built.counts["variants"] == 44_647
    assert built.counts["elements"] == 29
    # The one N of TCF7L2.
    assert built.counts["bases that no row spells"] == 1
    text = gzip.decompress((shared / "mpra_saturation/element_reference.fa.gz").read_bytes())
    records = [r.split("\n", 1) for r in text.decode().split(">")[1:]]
    published = {h.split("|")[0]: s.replace("\n", "") for h, s in records if "GRCh38" in h}
    mine = all_rows(built.task).unique("element").select("element", "sequence")
    assert dict(mine.iter_rows()) == published
    frame, _ = read_mutagenesis(table, release="hg19")
    assert frame.height == 44_647
    with pytest.raises(DataError, match="it holds none of the 29 elements"):
        build(
            tmp_path / "genome",
            variants=table,
            elements=["all"],
            genome=shared / "genome" / "hg38_regions.fa.gz",
            allow_partial=True,
        )
