"""Chromosomes to validate and test on are asked for alike of every builder that splits by them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.core.execution import Execution
from attendna.tasks.builders.builder import BUILDERS, BuilderConfig, Built
from attendna.tasks.store import open_task

CHROMOSOMES = ("chr1", "chr2", "chr10", "chr12", "chrX")
WINDOW = 21


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genome with something measured at the same places of every chromosome."""
    folder = tmp_path_factory.mktemp("files")
    generator = np.random.default_rng(0)
    genome, peaks, calls, genes, values = [], [], [], [], ["gene,liver"]
    for chrom in CHROMOSOMES:
        codes = generator.choice(list("ACGT"), 2_000)
        codes[[500, 900]] = "C"
        genome.append(f">{chrom}\n{''.join(codes)}\n")
        for start in (500, 900):
            peaks.append(f"{chrom}\t{start}\t{start + 150}\n")
            calls.append(f"{chrom}\t{start + 1}\t{start + 1}\t80\t16\t4\n")
            genes.append(f"{chrom}\t{start}\t{start + 1}\t{chrom}g{start}\t0\t+\n")
            values.append(f"{chrom}g{start},{start}")
    (folder / "peaks").mkdir()
    (folder / "peaks" / "A.bed").write_text("".join(peaks))
    for name, lines in (("g.fa", genome), ("calls.cov", calls), ("genes.bed", genes)):
        (folder / name).write_text("".join(lines))
    (folder / "values.csv").write_text("\n".join(values) + "\n")
    return folder


def settings(builder: str, folder: Path) -> dict[str, Any]:
    """What each builder needs."""
    own: dict[str, dict[str, Any]] = {
        "chromatin": {"peaks": folder / "peaks", "both_strands": False, "flank": 0},
        "methylation": {"cpgs": [f"a={folder / 'calls.cov'}"], "window": WINDOW},
        "expression": {
            "tss": folder / "genes.bed",
            "expression": folder / "values.csv",
            "window": WINDOW,
        },
    }
    return {"name": builder, "genome": folder / "g.fa"} | own[builder]


BY_CHROMOSOME = ("chromatin", "methylation", "expression")


def test_every_builder_with_such_a_split_is_here() -> None:
    with_split = {name for name in BUILDERS if "valid" in BUILDERS[name].model_fields}
    assert with_split == {*BY_CHROMOSOME, "tracks"}


def build(builder: str, folder: Path, out: Path, **changes: Any) -> Built:
    kind: type[BuilderConfig] = BUILDERS[builder]
    return parse(kind, settings(builder, folder) | changes, "test").build(out, Execution())


def chromosomes(built: Built) -> dict[str, set[str]]:
    task = open_task(built.task.folder)
    return {split: set(task.read(split).frame["chrom"]) for split in task.splits}


@pytest.mark.parametrize("builder", BY_CHROMOSOME)
@pytest.mark.parametrize("valid", ["chr10,chr12", " 10, CHR12 ", ["chr10", "chr12"], ["chr10,12"]])
def test_commas_and_repetition_are_read_alike(
    files: Path, tmp_path: Path, builder: str, valid: object
) -> None:
    built = build(builder, files, tmp_path / "out", valid=valid, test="chrX")
    assert chromosomes(built) == {
        "train": {"chr1", "chr2"},
        "valid": {"chr10", "chr12"},
        "test": {"chrX"},
    }


@pytest.mark.parametrize("builder", BY_CHROMOSOME)
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"valid": "chr10", "test": "chr99"},
            "no row lies on chr99; there are chr1, chr2, chr10, chr12, chrX",
        ),
        ({"valid": "chr10", "test": "chr12,10"}, "chromosome chr10 is in valid and test"),
        ({"valid": "", "test": "chr12"}, "valid: the list is empty"),
    ],
)
def test_what_cannot_be_is_refused(
    files: Path, tmp_path: Path, builder: str, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        build(builder, files, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("builder", BY_CHROMOSOME)
def test_a_chromosome_of_the_genome_without_a_row_is_counted(
    files: Path, tmp_path: Path, builder: str
) -> None:
    genome = tmp_path / "more.fa"
    genome.write_text((files / "g.fa").read_text() + ">chr7\n" + "ACGT" * 500 + "\n")
    with pytest.raises(ConfigError, match="no row lies on chr7; there are chr1, chr2"):
        build(builder, files, tmp_path / "out", genome=genome, valid="chr7", test="chr2")
    assert not (tmp_path / "out").exists()
    built = build(builder, files, tmp_path / "out", genome=genome, valid="chr7,1", test="chr2")
    assert built.counts["rows on chr7"] == 0
    assert chromosomes(built)["valid"] == {"chr1"}


@pytest.mark.parametrize("builder", BY_CHROMOSOME)
def test_defaults_that_a_genome_lacks_are_passed_over(
    files: Path, tmp_path: Path, builder: str
) -> None:
    assert "train" in chromosomes(build(builder, files, tmp_path / "out"))


@pytest.mark.parametrize("builder", BY_CHROMOSOME)
def test_chromosomes_are_stored_as_the_genome_names_them(
    files: Path, tmp_path: Path, builder: str
) -> None:
    bare = tmp_path / "bare.fa"
    bare.write_text((files / "g.fa").read_text().replace(">chr", ">"))
    built = build(builder, files, tmp_path / "out", genome=bare, valid="chr10", test="X")
    assert chromosomes(built) == {"train": {"1", "2", "12"}, "valid": {"10"}, "test": {"X"}}
    frame = pl.concat(built.task.read(split).frame for split in built.task.splits)  # pyright: ignore
    assert frame.height == 10
