"""Methylated shares of cytosines, pooled over samples."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.tasks.builders import methylation
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.methylation import MethylationConfig
from attendna.tasks.store import open_task

LETTERS = "AACGTTACGGATCCGTAACGTTTACGAACC"


def build(out: Path, execution: Execution | None = None, **settings: object) -> Built:
    config = parse(MethylationConfig, {"window": 5} | settings, "test")
    return config.build(out, execution or Execution())


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">chr{n}\n{LETTERS}\n" for n in (1, 10, 12)))
    return path


def bed(path: Path, rows: list[tuple[str, int, str, int, float]]) -> Path:
    lines = [
        f"{chrom}\t{at}\t{at + 1}\tx\t1\t{strand}\t{at}\t{at + 1}\t0,0,0\t{reads}\t{percent}"
        for chrom, at, strand, reads, percent in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_samples_are_pooled_by_reads_and_unknown_is_never_zero(
    tmp_path: Path, genome: Path
) -> None:
    a = bed(tmp_path / "a.bed", [("chr1", 2, "+", 10, 50), ("chr1", 3, "-", 30, 100)])
    b = bed(tmp_path / "b.bed", [("chr1", 2, "+", 30, 90), ("chr10", 7, "+", 9, 100)])
    c = bed(tmp_path / "c.bed", [("chr12", 2, "+", 12, 0), ("chr1", 3, "-", 10, 0)])
    built = build(
        tmp_path / "out", Execution(), cpgs=[f"one={a}", f"one={b}", f"two={c}"], genome=genome
    )
    task = open_task(tmp_path / "out")
    assert task.spec.classes == ("one", "two")
    assert task.spec.window == 5
    train = task.read("train")
    assert train.ids == ("chr1:2", "chr1:3")
    expected = np.array([[(10 * 0.5 + 30 * 0.9) / 40, np.nan], [1, 0]], np.float32)
    assert np.allclose(train.labels, expected, equal_nan=True)
    # The middle base is the cytosine, on the strand it is on.
    assert train.frame["sequence"].to_list() == ["AACGT", "AACGT"]
    assert train.frame["strand"].to_list() == ["+", "-"]
    assert np.array_equal(
        task.read("valid").labels, np.array([[np.nan, 0]], np.float32), equal_nan=True
    )
    # Nine reads are too few to know, so chr10, to test on, has nothing.
    assert task.spec.rows == {"train": 2, "valid": 1}
    assert built.counts["positions"] == 3


def test_coverage_may_be_asked_of_the_group(tmp_path: Path, genome: Path) -> None:
    a = bed(tmp_path / "a.bed", [("chr1", 2, "+", 6, 100)])
    b = bed(tmp_path / "b.bed", [("chr1", 2, "+", 4, 50), ("chr1", 3, "-", 9, 50)])
    options = {"cpgs": [f"one={a}", f"one={b}"], "genome": genome}
    built = build(tmp_path / "out", **options, coverage_of="group")
    assert built.task.read("train").labels.tolist() == [[pytest.approx(0.8)]]
    with pytest.raises(DataError, match="no position is known"):
        build(tmp_path / "none", **options)


def test_positions_without_a_cytosine_are_left_out_and_counted(
    tmp_path: Path, genome: Path
) -> None:
    rows = [("chr1", 2, "+", 10, 1), ("chr1", 2, "-", 10, 1), ("chr1", 5, "+", 10, 1)]
    a = bed(tmp_path / "a.bed", [*rows, ("chr1", 1, "+", 10, 1), ("chr1", 29, "+", 10, 1)])
    built = build(tmp_path / "out", cpgs=[f"one={a}"], genome=genome)
    assert built.task.spec.rows == {"train": 1}
    assert built.counts["positions without a C on their strand"] == 2
    assert built.counts["positions near the end of a contig"] == 2


def test_workers_give_the_same_task(tmp_path: Path, genome: Path) -> None:
    table = tmp_path / "samples.tsv"
    for name, share in (("a", 10), ("b", 60), ("c", 90)):
        bed(tmp_path / f"{name}.bed", [("chr1", 2, "+", 10, share)])
    table.write_text("group\tfile\nx\ta.bed\ny\tb.bed\nx\tc.bed\n")
    alone = build(tmp_path / "one", cpgs=[str(table)], genome=genome)
    helped = build(tmp_path / "two", Execution(workers=2), cpgs=[str(table)], genome=genome)
    assert alone.task.read("train").labels.tolist() == [[pytest.approx(0.5), pytest.approx(0.6)]]
    assert alone.task.split_hash() == helped.task.split_hash()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"window": 500}, r"--window 500: no base is its middle"),
        ({"cpgs": ["one"]}, r"one: no such file or folder"),
        ({"cpgs": ["one=nothing.bed"]}, r"nothing\.bed: no such file"),
        ({"cpgs": ["one=", "two=x"]}, r"--cpgs one=: no group or no file"),
        ({"test": ["12"]}, r"chromosome chr12 is in valid and test"),
    ],
)
def test_wrong_settings_are_one_line(
    tmp_path: Path, genome: Path, change: dict, complaint: str
) -> None:
    a = bed(tmp_path / "a.bed", [("chr1", 2, "+", 10, 50)])
    with pytest.raises((ConfigError, DataError), match=complaint):
        build(tmp_path / "out", **({"cpgs": [f"one={a}"], "genome": genome} | change))
    assert not (tmp_path / "out").exists()


def test_every_cytosine_of_the_first_million_bases_of_chr1(tmp_path: Path, shared: Path) -> None:
    calls = shared / "methylation" / "ENCSR156JXJ_wgbs_cpg_chr1_first100k.bed.gz"
    options = {
        "cpgs": [f"sample={calls}"],
        "genome": shared / "genome" / "hg38_regions.fa.gz",
        "build_name": "hg38",
        "window": 501,
        "min_coverage": 1,
    }
    with pytest.raises(DataError, match=r"it holds 12,745 of 99,999 positions"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, allow_partial=True)
    rows = built.task.read("train").frame
    near = rows.filter(pl.col("end") <= 1_000_000)
    # The windows of the other 26 reach over the end of the region.
    assert near.height == 7_982 - 26
    assert near["sequence"].str.slice(250, 2).unique().to_list() == ["CG"]
    assert set(near["strand"]) == {"+", "-"}
    alone = build(tmp_path / "alone", **(options | {"window": 1}), allow_partial=True)
    near = alone.task.read("train").frame.filter(pl.col("end") <= 1_000_000)
    assert near.height == 7_982
    assert near["sequence"].unique().to_list() == ["C"]
    masked = build(tmp_path / "ten", **(options | {"min_coverage": 10}), allow_partial=True)
    assert masked.counts["positions"] < built.counts["positions"]


def test_files_with_and_without_strands_meet(tmp_path: Path, genome: Path) -> None:
    a = bed(tmp_path / "a.bed", [("chr1", 2, "+", 10, 50), ("chr1", 3, "+", 10, 0)])
    b = bed(tmp_path / "b.bed", [("chr1", 2, ".", 30, 90), ("chr1", 3, ".", 10, 70)])
    c = bed(tmp_path / "c.bed", [("chr1", 3, ".", 10, 100)])
    d = bed(tmp_path / "d.bed", [("chr1", 3, "-", 30, 0)])
    groups = [f"one={a}", f"two={b}", f"three={c}", f"three={d}"]
    built = build(tmp_path / "out", cpgs=groups, genome=genome)
    train = built.task.read("train")
    assert train.ids == ("chr1:2", "chr1:3")
    # What is said of the strand without a cytosine is left out; the rest is pooled by reads.
    expected = np.array([[0.5, 0.9, np.nan], [np.nan, 0.7, 0.25]], np.float32)
    assert np.allclose(train.labels, expected, equal_nan=True)
    assert built.counts["positions without a C on their strand"] == 1


def test_positions_are_whole_where_a_chromosome_is_written_in_parts(
    tmp_path: Path, genome: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methylation, "_ROWS", 1)
    a = bed(tmp_path / "a.bed", [("chr1", at, s, 10, 50) for at, s in ((2, "+"), (3, "-"))])
    b = bed(tmp_path / "b.bed", [("chr1", at, ".", 30, 90) for at in (2, 3, 7)])
    built = build(tmp_path / "out", cpgs=[f"one={a}", f"one={b}"], genome=genome)
    assert built.task.read("train").ids == ("chr1:2", "chr1:3", "chr1:7")
    assert np.allclose(built.task.read("train").labels[:, 0], [0.8, 0.8, 0.9])


def test_two_real_assays_share_their_positions(tmp_path: Path, shared: Path) -> None:
    folder = shared / "methylation"
    built = build(
        tmp_path / "out",
        cpgs=[
            f"a={folder / 'ENCSR156JXJ_wgbs_cpg_chr1_first100k.bed.gz'}",
            f"b={folder / 'ENCSR750CPN_gembs_cpg_chr1_first100k.tsv.gz'}",
        ],
        genome=shared / "genome" / "hg38_regions.fa.gz",
        build_name="hg38",
        window=501,
        min_coverage=4,
        allow_partial=True,
    )
    rows = built.task.read("train")
    assert len(set(rows.ids)) == len(rows)
    assert (~np.isnan(rows.labels)).all(axis=1).sum() > 2_000


def test_files_that_do_not_count_reads_need_no_coverage(tmp_path: Path, genome: Path) -> None:
    graph = tmp_path / "a.bedGraph"
    graph.write_text("chr1\t2\t3\t25\n")
    options = {"cpgs": [f"one={graph}"], "genome": genome}
    with pytest.raises(DataError, match=r"does not count reads.*--min-coverage 1"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, min_coverage=1)
    assert built.task.read("train").labels.tolist() == [[0.25]]


def test_positions_that_are_no_cytosines_are_one_line(tmp_path: Path, genome: Path) -> None:
    a = bed(tmp_path / "a.bed", [("chr1", 5, "+", 10, 50)])
    with pytest.raises(DataError, match=r"none of 1 positions is a C of .*count from 0 or from 1"):
        build(tmp_path / "out", cpgs=[f"one={a}"], genome=genome)
    assert not (tmp_path / "out").exists()


def test_one_modification_is_the_label(tmp_path: Path, genome: Path) -> None:
    path = tmp_path / "mh.bed"
    row = "chr1\t2\t3\t{}\t20\t+\t2\t3\t0,0,0\t20\t{}\n"
    path.write_text(row.format("h", 10) + row.format("m", 80))
    options = {"cpgs": [f"one={path}"], "genome": genome}
    for number, (asked, expected) in enumerate([("m", 0.8), ("h", 0.1), ("m,h", 0.9)]):
        built = build(tmp_path / f"out{number}", **options, modification=asked)
        assert built.task.read("train").labels.tolist() == [[pytest.approx(expected)]]
        assert built.counts.get("rows of other modifications", 0) == 2 - len(asked.split(","))


def test_merged_cpgs_that_count_from_1_are_refused(tmp_path: Path) -> None:
    """Bismark's merged files give the C and the G of a CpG, counted from 1, as start and end."""
    (tmp_path / "genome.fa").write_text(f">chr1\n{'ACGTT' * 30}\n")
    path = tmp_path / "merged.cov"
    rows = [f"chr1\t{at}\t{at + 1}\t75\t15\t5\n" for at in range(7, 137, 5)]
    path.write_text("".join(rows))
    options = {"cpgs": [f"one={path}"], "genome": tmp_path / "genome.fa"}
    with pytest.raises(DataError, match=r"merged.cov: all of 26 positions .* count from 1"):
        build(tmp_path / "out", **options)
    path.write_text("".join([*rows, "chr1\t6\t7\t75\t15\t5\n"]))
    assert build(tmp_path / "out", **options).counts["positions"] == 27
