"""A file of peaks and a genome become a task."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.genome.genome_files import write_genome

from attendna.core.config import parse
from attendna.core.errors import DataError, UserError
from attendna.core.execution import Execution
from attendna.genome.composition import gc_content
from attendna.genome.loci import count_overlaps
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.audit import audit
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.peaks import PeaksConfig
from attendna.tasks.store import Task


def build(out: Path, **settings: object) -> Built:
    return parse(PeaksConfig, settings, "test").build(out, Execution())


def all_rows(task: Task) -> pl.DataFrame:
    return pl.concat([task.read(s).frame.with_columns(split=pl.lit(s)) for s in task.splits])


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    letters = {
        name: "".join(random.choice(list("ACGT"), 60_000)) for name in ("chr1", "chr2", "chr3")
    }
    letters["chr1"] = letters["chr1"][:50_000] + "N" * 10_000
    return write_genome(tmp_path, letters, "fa")


@pytest.fixture
def peaks(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    rows = [
        f"chr{1 + i % 3}\t{s}\t{s + n}\tp{i}\t0\t."
        for i, (s, n) in enumerate(
            zip(random.integers(0, 49_000, 60), random.integers(80, 300, 60), strict=False)
        )
    ]
    path = tmp_path / "peaks.bed"
    path.write_text("\n".join([*rows, rows[0], "chr1\t50100\t50200\tunknown\t0\t."]) + "\n")
    return path


@pytest.mark.parametrize("negatives", ["matched", "random", "shuffled"])
def test_every_kind_of_negatives(tmp_path: Path, genome: Path, peaks: Path, negatives: str) -> None:
    black = tmp_path / "black.bed"
    black.write_text("chr3\t0\t30000\n")
    built = build(
        tmp_path / "out",
        peaks=peaks,
        genome=genome,
        negatives=negatives,
        negatives_per_positive=2,
        exclude=[black],
        distance=100,
    )
    assert built.counts["given twice"] == 1
    assert built.counts["with N"] == 1
    assert built.counts["negatives"] == 120
    rows = all_rows(built.task)
    made, own = rows.filter(pl.col("label") == 0), rows.filter(pl.col("label") == 1)
    assert (made.height, own.height) == (120, 60)
    assert sorted(made["sequence"].str.len_bytes()) == sorted(
        [*own["sequence"].str.len_bytes()] * 2
    )
    if negatives == "shuffled":
        assert sorted(gc_content(SequenceBatch.from_text(made["sequence"]))) == pytest.approx(
            sorted([*gc_content(SequenceBatch.from_text(own["sequence"]))] * 2)
        )
    else:
        wide = own.with_columns(pl.col("start") - 100, pl.col("end") + 100)
        assert not count_overlaps(made, wide).any()
        assert not made.filter(pl.col("chrom") == "chr3", pl.col("start") < 30_000).height
    found = audit(tmp_path / "out")
    assert all(group.same.count == 0 for split in found.splits for group in split.shared)
    assert all(
        group.overlapping is None or group.overlapping.count == 0
        for split in found.splits
        for group in split.shared
    )


def test_a_width_centers_and_chromosomes_split(tmp_path: Path, genome: Path, peaks: Path) -> None:
    built = build(
        tmp_path / "out",
        peaks=peaks,
        genome=genome,
        width=120,
        split_by="chromosome",
        valid_chromosomes=["2"],
        test_chromosomes=["chr3"],
    )
    rows = all_rows(built.task)
    assert set(rows["sequence"].str.len_bytes()) == {120}
    assert set(rows.filter(pl.col("split") == "test")["chrom"]) == {"chr3"}
    assert set(rows.filter(pl.col("split") == "valid")["chrom"]) == {"chr2"}
    assert built.task.spec.window == 120


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"match_repeats": True}, "no base is in lower case"),
        ({"fold": 5, "folds": 5}, "there is no fold 5"),
        ({"test_chromosomes": ["chr3"]}, "add --split-by chromosome"),
        ({"negatives": "all"}, "negatives"),
        ({"build_name": "hg38", "peaks": "none.bed"}, "no such file"),
    ],
)
def test_what_cannot_be_leaves_nothing(
    tmp_path: Path, genome: Path, peaks: Path, settings: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        build(tmp_path / "out", **{"peaks": peaks, "genome": genome} | settings)
    assert not (tmp_path / "out").exists()


def test_peaks_of_another_genome_are_refused(tmp_path: Path, genome: Path) -> None:
    path = tmp_path / "other.bed"
    path.write_text("chr7\t0\t100\n")
    with pytest.raises(DataError, match="holds none of the 1 intervals"):
        build(tmp_path / "out", peaks=path, genome=genome)


def test_real_peaks_get_matched_negatives(tmp_path: Path, shared: Path) -> None:
    """The peaks of one experiment that the cut-out of hg19 holds."""
    file = sorted((shared / "peaks" / "hg19").glob("*.narrowPeak.gz"))[0]
    genome = shared / "genome" / "hg19_regions.fa.gz"
    settings = {"peaks": file, "genome": genome, "width": 200, "allow_partial": True}
    with pytest.raises(DataError, match=r"its build cannot be recognized; .*--build-name"):
        build(tmp_path / "unknown", **settings)
    settings["build_name"] = "hg19"
    matched = build(tmp_path / "matched", **settings)
    random = build(tmp_path / "random", **settings, negatives="random")
    gap = {}
    for name, built in (("matched", matched), ("random", random)):
        rows = all_rows(built.task)
        gc = gc_content(SequenceBatch.from_text(rows["sequence"]))
        own = (rows["label"] == 1).to_numpy()
        assert own.sum() == (~own).sum() > 20
        gap[name] = abs(gc[own].mean() - gc[~own].mean())
    assert gap["matched"] < 0.01 < gap["random"]


def test_one_place_under_two_names_is_one_peak(tmp_path: Path, genome: Path) -> None:
    rows = [
        f"{chrom}\t{start}\t{start + 100}" for start in (1_000, 5_000) for chrom in ("chr2", "2")
    ]
    peaks = tmp_path / "twice.bed"
    peaks.write_text("\n".join(rows) + "\n")
    black = tmp_path / "black.bed"
    black.write_text("1\t0\t60000\n03\t0\t60000\n2\t0\t30000\n")
    shares = {"valid_fraction": 0, "test_fraction": 0}
    built = build(tmp_path / "out", peaks=peaks, genome=genome, exclude=[black], **shares)
    assert built.counts["given twice"] == 2
    rows = all_rows(built.task)
    assert set(rows["chrom"]) == {"chr2"}
    assert rows.filter(label=0)["start"].min() >= 30_000


def test_summits_of_a_table_are_the_middles_of_windows(tmp_path: Path, genome: Path) -> None:
    table = tmp_path / "peaks.tsv"
    rows = [f"chr1\t{start}\t{start + 200}\t10" for start in range(1_000, 9_000, 400)]
    table.write_text("\n".join(["chrom\tstart\tend\tpeak", *rows, "chr1\t9400\t9600\t999"]))
    built = build(tmp_path / "out", peaks=table, genome=genome, width=100, negatives="shuffled")
    own = all_rows(built.task).filter(pl.col("label") == 1)
    assert sorted(own["start"]) == [*range(960, 8_960, 400), 9_450]
    assert set(own["end"] - own["start"]) == {100}
    assert built.counts["summits outside of their peak"] == 1
