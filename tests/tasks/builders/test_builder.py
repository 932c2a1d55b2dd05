"""What builders share, and that a killed build leaves nothing."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.core.execution import Execution
from attendna.genome.reference import open_reference
from attendna.tasks.builders.builder import BUILDERS, BuilderConfig, Built
from attendna.tasks.store import open_task

ALONE = Execution()


class Bare(BuilderConfig):
    """The settings that all builders have."""

    name: str = "bare"

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        raise NotImplementedError


def test_every_builder_says_what_its_settings_are() -> None:
    for name in BUILDERS:
        kind = BUILDERS[name]
        assert issubclass(kind, BuilderConfig)
        assert kind.model_fields["name"].default == name
        assert kind.__doc__
        for field, info in kind.model_fields.items():
            assert field == "name" or info.description, f"{name}: {field} has no description"


def test_a_genome_in_part_is_told_and_used_only_when_allowed(tmp_path: Path) -> None:
    genome = tmp_path / "part.fa"
    genome.write_text(">chr1:100-110\nACGTACGTAC\n")
    reference = open_reference(genome, keep_in_memory=True)
    wanted = pl.DataFrame({"chrom": ["chr1", "chr1"], "start": [100, 10], "end": [104, 14]})
    with pytest.raises(DataError, match=r"holds 1 of 2 peaks; .*--allow-partial"):
        Bare().fetch(reference, wanted, execution=ALONE, what="peaks")
    bare = Bare(allow_partial=True)
    windows = bare.fetch(reference, wanted, execution=ALONE, what="peaks")
    assert windows.sequences.to_text() == ["ACGT"]
    with pytest.raises(DataError, match=r"none of the 1 peaks"):
        bare.fetch(reference, wanted[1:], execution=ALONE, what="peaks")


def test_a_genome_without_most_of_it_must_be_known_to_be_the_right_one(tmp_path: Path) -> None:
    """Human peaks and a part of the mouse genome, say: some of the places are in it."""
    genome = tmp_path / "part.fa"
    genome.write_text(">chr1:100-110\nACGTACGTAC\n")
    reference = open_reference(genome, keep_in_memory=True)
    starts = [100, 10, 20]
    wanted = pl.DataFrame(
        {"chrom": ["chr1"] * 3, "start": starts, "end": [start + 4 for start in starts]}
    )
    with pytest.raises(DataError, match=r"holds 1 of 3 peaks, less than 50%.*--build-name"):
        Bare(allow_partial=True).fetch(reference, wanted, execution=ALONE, what="peaks")
    told = Bare(allow_partial=True, build_name="hg38")
    windows = told.fetch(reference, wanted, execution=ALONE, what="peaks")
    assert windows.missing == 2


@pytest.mark.parametrize("settings", [{}, {"allow_partial": True, "build_name": "mm10"}])
def test_rows_beyond_the_ends_of_chromosomes_are_of_another_build(
    tmp_path: Path, settings: dict
) -> None:
    genome = tmp_path / "whole.fa"
    genome.write_text(">chr1\nACGTACGTAC\n")
    reference = open_reference(genome, keep_in_memory=True)
    wanted = pl.DataFrame({"chrom": ["chr1", "1"], "start": [0, 10], "end": [4, 14]})
    for workers in (1, 2):
        with pytest.raises(DataError, match=r"1 of 2 peaks lie beyond the end of their chromosome"):
            Bare.model_validate(settings).fetch(
                reference, wanted, execution=Execution(workers=workers), what="peaks"
            )
    # A window over the end is of this build.
    near = wanted.with_columns(start=pl.col("start") - 3)[1:]
    assert Bare().fetch(reference, near, execution=ALONE, what="peaks").dropped == 1


def test_a_build_that_is_killed_leaves_nothing_and_runs_again(tmp_path: Path) -> None:
    genome = tmp_path / "genome.fa"
    genome.write_text(">chr1\n" + "ACGTTGCAAC" * 100_000 + "\n")
    for name, shift in (("a", 0), ("b", 7)):
        rows = [f"chr1\t{i * 50 + shift}\t{i * 50 + shift + 40}" for i in range(15_000)]
        (tmp_path / f"{name}.bed").write_text("\n".join(rows) + "\n")
    out = tmp_path / "out" / "task"
    command = [sys.executable, "-m", "attendna.cli.main", "data", "build", "enhancers"]
    command += ["--intervals", f"a={tmp_path / 'a.bed'}", "--intervals", f"b={tmp_path / 'b.bed'}"]
    command += ["--genome", str(genome), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    # Killed as soon as anything of it is on the disk.
    while process.poll() is None and not (out.parent.is_dir() and any(out.parent.iterdir())):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert sum(open_task(out).spec.rows.values()) == 30_000
    assert [path.name for path in out.parent.iterdir()] == ["task"]
