"""What every builder keeps to: killed midway it leaves nothing, and a second run succeeds."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attendna.tasks.builders.builder import BUILDERS
from attendna.tasks.store import open_task

CONTIGS = ("chr1", "chr7", "chr8", "chrX")
LENGTH = 6_000

KILLED = """
import os, signal, sys
from attendna.cli.main import run
from attendna.tasks import store
finish = store.TaskWriter.finish
def die(writer):
    assert any(writer.partial.iterdir()), "nothing was written before"
    os.kill(os.getpid(), signal.SIGKILL)
store.TaskWriter.finish = die
run(sys.argv[1:])
"""

Recipe = Callable[[Path, Path], list[str]]


def genome_of(folder: Path) -> Path:
    random = np.random.default_rng(0)
    path = folder / "genome.fa"
    letters = ["".join(random.choice(list("ACGT"), LENGTH)) for _ in CONTIGS]
    path.write_text("".join(f">{n}\n{t}\n" for n, t in zip(CONTIGS, letters, strict=True)))
    return path


def letters_of(genome: Path) -> str:
    return genome.read_text().split("\n")[1]


def bed(path: Path, step: int, width: int, shift: int = 0) -> Path:
    rows = [
        f"{chrom}\t{at}\t{at + width}\tg{chrom}{at}\t0\t{'+-'[at // step % 2]}"
        for chrom in CONTIGS
        for at in range(500 + shift, LENGTH - 500, step)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def causal_snp(folder: Path, genome: Path) -> list[str]:
    letters = letters_of(genome)
    rows = [
        f"liver\tg\tchr1_{at + 1}_{letters[at]}_{'C' if letters[at] != 'C' else 'G'}_b38"
        f"\t{0.95 if at % 300 == 0 else 0.001}"
        for at in range(300, LENGTH - 300, 60)
    ]
    path = folder / "dapg.tsv"
    path.write_text("tissue_id\tgene_id\tvariant_id\tvariant_pip\n" + "\n".join(rows) + "\n")
    return ["--variants", str(path), "--window", "40"]


def chromatin(folder: Path, genome: Path) -> list[str]:
    peaks = bed(folder / "peaks" / "a.bed", 700, 250).parent
    return ["--peaks", str(peaks)]


def enhancers(folder: Path, genome: Path) -> list[str]:
    a, b = bed(folder / "a.bed", 100, 40), bed(folder / "b.bed", 100, 40, 50)
    return ["--intervals", f"a={a}", "--intervals", f"b={b}"]


def expression(folder: Path, genome: Path) -> list[str]:
    tss = bed(folder / "tss.bed", 300, 1)
    genes = [line.split("\t")[3] for line in tss.read_text().splitlines()]
    matrix = folder / "matrix.tsv"
    matrix.write_text("gene_id\tliver\n" + "".join(f"{g}\t{i}\n" for i, g in enumerate(genes)))
    return ["--tss", str(tss), "--expression", str(matrix), "--window", "200"]


def methylation(folder: Path, genome: Path) -> list[str]:
    letters = letters_of(genome)
    rows = [
        f"chr1\t{at}\t{at + 1}\tx\t1\t+\t{at}\t{at + 1}\t0,0,0\t20\t50"
        for at in range(500, 1500)
        if letters[at] == "C"
    ]
    path = folder / "calls.bed"
    path.write_text("\n".join(rows) + "\n")
    return ["--cpgs", f"one={path}"]


def mpra(folder: Path, genome: Path) -> list[str]:
    letters = letters_of(genome)
    rows = [
        f"chr1,{at + 1},{letters[at]},{alt},{at / 100}"
        for at in range(2_000, 2_050)
        for alt in "ACGT"
        if alt != letters[at]
    ]
    path = folder / "F9.csv"
    path.write_text("chrom,pos,ref,alt,effect\n" + "\n".join(rows) + "\n")
    return ["--variants", str(path), "--elements", "F9", "--window", "100"]


def peaks(folder: Path, genome: Path) -> list[str]:
    path = bed(folder / "peaks.bed", 500, 60)
    return ["--peaks", str(path), "--negatives", "random"]


def promoters(folder: Path, genome: Path) -> list[str]:
    return ["--tss", str(bed(folder / "tss.bed", 1_500, 1))]


RECIPES: dict[str, Recipe] = {
    recipe.__name__: recipe
    for recipe in (
        causal_snp, chromatin, enhancers, expression, methylation, mpra, peaks, promoters
    )
}  # fmt: skip

ELSEWHERE = {"tracks"}
"""Builders that make no task folder of this kind: their own tests kill them."""


def test_every_builder_has_a_recipe() -> None:
    assert set(RECIPES) | ELSEWHERE >= set(BUILDERS)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_build_killed_before_it_is_published_leaves_nothing(tmp_path: Path, name: str) -> None:
    genome = genome_of(tmp_path)
    out = tmp_path / "made" / "task"
    words = ["data", "build", name, "--genome", str(genome), "--out", str(out)]
    words += RECIPES[name](tmp_path, genome)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *words], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    assert not out.exists()
    from attendna.cli.main import run

    assert run(words) == 0
    assert sum(open_task(out).spec.rows.values()) > 0
    # What the killed build had begun is gone, too.
    assert [path.name for path in out.parent.iterdir()] == ["task"]
    assert run(words) == 2
