"""Windows at start sites, and random ones elsewhere."""

import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.genome.reference import open_reference
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.promoters import PromotersConfig
from attendna.tasks.store import Task


def build(out: Path, **settings: object) -> Built:
    return parse(PromotersConfig, settings, "test").build(out, Execution())


def all_rows(task: Task) -> pl.DataFrame:
    parts = [task.read(s).frame.with_columns(split=pl.lit(s)) for s in task.splits]
    return pl.concat(parts)


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    letters = np.random.default_rng(0).choice(list("ACGT"), size=400_000)
    letters[100_000:150_000] = "N"
    path = tmp_path / "genome.fa"
    path.write_text(">chr1\n" + "".join(letters) + "\n")
    return path


@pytest.fixture
def tss(tmp_path: Path) -> Path:
    generator = np.random.default_rng(1)
    starts = np.concatenate(
        [generator.integers(1_000, 99_000, 60), generator.integers(151_000, 399_000, 60)]
    )
    rows = [f"chr1\t{s}\t{s + 1}\tp{i}\t1\t{'+-'[i % 2]}" for i, s in enumerate(starts)]
    path = tmp_path / "tss.bed"
    path.write_text("\n".join(rows) + "\n")
    return path


def sites(tss: Path) -> dict[str, tuple[int, str]]:
    fields = [line.split("\t") for line in tss.read_text().splitlines()]
    return {f[3]: (int(f[1]), f[5]) for f in fields}


def test_fixed_windows_lie_before_the_tss_on_its_strand(
    tmp_path: Path, genome: Path, tss: Path
) -> None:
    built = build(tmp_path / "out", tss=tss, genome=genome)
    reference = open_reference(genome)
    rows = all_rows(built.task)
    assert rows["label"].value_counts(sort=True)["count"].to_list() == [120, 120]
    promoters = rows.filter(pl.col("label") == 1)
    for name, start, strand, sequence in promoters.select(
        "name", "start", "strand", "sequence"
    ).rows():
        at, on = sites(tss)[name]
        assert on == strand
        # The TSS itself is the base after 250 others, on whichever strand.
        window = reference.sequence("chr1", start, start + 300, strand)
        assert "".join("ACGTN"[code] for code in window) == sequence
        assert sequence[250] == "ACGTN"[reference.sequence("chr1", at, at + 1, strand)[0]]
        assert start == (at - 250 if strand == "+" else at - 49)


def test_the_thick_base_of_longer_rows_is_the_tss(tmp_path: Path, genome: Path, tss: Path) -> None:
    """As EPDnew writes its sites: rows of 60 bases, thick from the site on."""
    rows = []
    for name, (at, strand) in sites(tss).items():
        start, thick = (at - 49, (at, at + 11)) if strand == "+" else (at - 10, (at - 10, at + 1))
        fields = ("1", start, start + 60, name, 900, strand, *thick)
        rows.append(" ".join(map(str, fields)))
    epd = tmp_path / "epd.bed"
    epd.write_text("\n".join(rows) + "\n")
    found, expected = (
        all_rows(build(tmp_path / name, tss=path, genome=genome).task).filter(label=1).drop("split")
        for name, path in (("epd", epd), ("one_base", tss))
    )
    assert found.sort("id").equals(expected.sort("id"))
    genes = tmp_path / "genes.bed"
    genes.write_text("chr1\t20000\t30000\tg\t0\t-\n")
    with pytest.raises(DataError, match=r"line 1: the row has 10000 bases .*--site start"):
        build(tmp_path / "genes", tss=genes, genome=genome)
    for site, start in (("start", 29_999 - 49), ("end", 20_000 - 49)):
        rows = all_rows(build(tmp_path / site, tss=genes, genome=genome, site=site).task)
        assert rows.filter(label=1)["start"].to_list() == [start]


def test_variable_windows_hold_the_same_bases(tmp_path: Path, genome: Path, tss: Path) -> None:
    fixed = all_rows(build(tmp_path / "fixed", tss=tss, genome=genome).task)
    moved = all_rows(build(tmp_path / "moved", tss=tss, genome=genome, form="variable").task)
    core = dict(fixed.filter(pl.col("label") == 1).select("name", "sequence").iter_rows())
    at = [
        sequence.find(core[name])
        for name, sequence in moved.filter(pl.col("label") == 1).select("name", "sequence").rows()
    ]
    assert moved["sequence"].str.len_bytes().unique().to_list() == [500]
    assert min(at) >= 0
    assert max(at) <= 200
    assert len(set(at)) > 30
    # Centred on TSS-100 on average: as much room before as after.
    assert 80 < np.mean(at) < 120


def test_strand_blind_windows_are_the_forward_ones(tmp_path: Path, genome: Path, tss: Path) -> None:
    built = build(tmp_path / "out", tss=tss, genome=genome, placing="strand_blind")
    promoters = all_rows(built.task).filter(pl.col("label") == 1)
    for name, start in promoters.select("name", "start").rows():
        assert start == sites(tss)[name][0] - 250


def test_negatives_are_known_apart_from_promoters_and_as_many_as_asked(
    tmp_path: Path, genome: Path, tss: Path
) -> None:
    built = build(tmp_path / "out", tss=tss, genome=genome, negatives_per_positive=3)
    rows = all_rows(built.task)
    negatives = rows.filter(pl.col("label") == 0)
    assert negatives.height == 360
    assert not negatives["sequence"].str.contains("N").any()
    assert negatives.select("chrom", "start").is_unique().all()
    taken = np.zeros(400_000, dtype=bool)
    for start, end in rows.filter(pl.col("label") == 1).select("start", "end").rows():
        taken[start:end] = True
    for start, end in negatives.select("start", "end").rows():
        assert not taken[start:end].any()
    again = build(tmp_path / "again", tss=tss, genome=genome, negatives_per_positive=3)
    assert again.task.split_hash() == built.task.split_hash()
    other = build(tmp_path / "other", tss=tss, genome=genome, negatives_per_positive=3, seed=1)
    assert other.task.split_hash() != built.task.split_hash()


@pytest.mark.parametrize("form", ["fixed", "variable"])
def test_no_base_is_in_two_splits(tmp_path: Path, genome: Path, tss: Path, form: str) -> None:
    task = build(tmp_path / "out", tss=tss, genome=genome, form=form).task
    owner = np.full(400_000, "", dtype="<U5")
    for start, end, split in all_rows(task).select("start", "end", "split").rows():
        part = owner[start:end]
        assert set(part) <= {"", split}
        part[:] = split
    near = sorted((at, name) for name, (at, _) in sites(tss).items())
    split_of = dict(all_rows(task).filter(pl.col("label") == 1).select("name", "split").iter_rows())
    window = 300 if form == "fixed" else 500
    close = [(a, b) for (x, a), (y, b) in pairwise(near) if y - x < window]
    assert close
    assert all(split_of[a] == split_of[b] for a, b in close)


@pytest.mark.parametrize(
    ("row", "change", "complaint"),
    [
        ("chr1\t500\t501\tp\t1\t.", {}, r"tss\.bed: 1 bad row: line 1: the strand is '\.'"),
        ("chr1\t500\t400\tp\t1\t+", {}, r"line 1: the end 400 lies before"),
        ("chr7\t500\t501\tp\t1\t+", {}, r"it holds none of the 1 start sites"),
        (
            "chr1\t500\t501\tp\t1\t+",
            {"form": "variable", "window": 200},
            r"--window 200 is shorter",
        ),
    ],
)
def test_wrong_input_is_one_line(
    tmp_path: Path, genome: Path, row: str, change: dict, complaint: str
) -> None:
    path = tmp_path / "tss.bed"
    path.write_text(row + "\n")
    with pytest.raises((ConfigError, DataError), match=complaint):
        build(tmp_path / "out", tss=path, genome=genome, **change)
    assert not (tmp_path / "out").exists()


def test_the_promoters_of_epdnew(tmp_path: Path, shared: Path) -> None:
    options = {
        "tss": shared / "epd" / "human_epdnew_hg38.bed.gz",
        "genome": shared / "genome" / "hg38_regions.fa.gz",
        "build_name": "hg38",
    }
    with pytest.raises(DataError, match=r"it holds 115 of 29,598 start sites"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, allow_partial=True)
    assert sum(built.task.spec.rows.values()) == 230
    variable = build(tmp_path / "variable", **options, form="variable", allow_partial=True)
    assert sum(variable.task.spec.rows.values()) == 228
    # EPD's own sequences of TATA promoters go from TSS-249 to TSS+50, both included.
    with gzip.open(shared / "epd" / "human_TATA_promoters_300bp.txt.gz", "rt") as stream:
        known = {line.strip().upper() for line in stream}
    shifted = build(
        tmp_path / "shifted", **options, upstream=249, downstream=51, allow_partial=True
    )
    promoters = all_rows(shifted.task).filter(pl.col("label") == 1)
    assert promoters["sequence"].is_in(list(known)).sum() == 14
