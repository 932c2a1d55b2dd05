"""How fast peaks become labels of bins, and what the full set of 7,878 tracks would cost."""

import gzip
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.table import Table

from attendna.core.execution import Execution
from attendna.genome.alphabet import decode
from attendna.tasks.builders.chromatin import (
    Batch,
    ChromatinConfig,
    Contigs,
    Labelled,
    label_batch,
)
from attendna.tasks.store import open_task

# Human chromosomes of hg19 in millions of bases.
SIZES = (249, 243, 198, 191, 181, 171, 159, 146, 141, 136, 135, 134, 115, 107, 103, 90, 81, 78, 59,
         63, 48, 51, 155)  # fmt: skip
PEAKS_A_FILE = 60_000
FULL_TRACKS, FULL_ROWS = 7_878, 28_000_694


def write_peaks(path: Path, seed: int, sizes: tuple[int, ...] = SIZES, scale: int = 10**6) -> None:
    """A narrowPeak file in the order of its signal, as ENCODE's are, half at shared places."""
    random = np.random.default_rng(seed)
    shared = np.random.default_rng(0)
    shares = np.array(sizes) / sum(sizes)
    half = PEAKS_A_FILE // 2
    chrom = np.concatenate([g.choice(len(sizes), half, p=shares) for g in (shared, random)])
    place = np.concatenate([g.random(half) for g in (shared, random)])
    start = (place * (np.array(sizes)[chrom] * scale - 2_000)).astype(int)
    length = random.integers(150, 600, start.size)
    order = random.permutation(start.size)
    rows = [
        f"chr{chrom[i] + 1}\t{start[i]}\t{start[i] + length[i]}\t.\t{i % 1000}\t.\t{i / 7:.5f}\t-1"
        f"\t{i / 90:.5f}\t{length[i] // 2}\n"
        for i in order
    ]
    path.write_bytes(gzip.compress("".join(rows).encode(), 6))


def label(folder: Path, workers: int) -> tuple[float, float]:
    """Seconds by the clock and of processor time to label all files of a folder, each twice."""
    files = 2 * sorted(folder.glob("*.narrowPeak.gz"))
    contigs = Contigs(tuple(f"chr{n + 1}" for n in range(len(SIZES))), every=False)
    parts = [files[i : i + 8] for i in range(0, len(files), 8)]
    units = [
        Batch(
            tuple((path,) for path in part),
            tuple(range(8 * number, 8 * number + len(part))),
            folder / f"{number}.pairs",
        )
        for number, part in enumerate(parts)
    ]
    began, spent = time.perf_counter(), processor_seconds()
    list(Execution(workers=workers).map(Work(contigs), units))
    return time.perf_counter() - began, processor_seconds() - spent


class Work:
    """``label_batch`` with the rule of the text; a class, so that it can be sent to processes."""

    def __init__(self, contigs: Contigs) -> None:
        self.contigs = contigs

    def __call__(self, batch: Batch) -> Labelled:
        return label_batch(batch, contigs=self.contigs, size=200, rule="half")


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_memory(folder: Path) -> float:
    """Most memory of a process of its own that labels a folder, in MB."""
    code = "import sys; from benchmarks.chromatin import report_memory; report_memory(sys.argv[1])"
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    return float(told.stdout)


def report_memory(folder: str) -> None:
    label(Path(folder), workers=1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def build_part(folder: Path) -> tuple[float, int, int]:
    """Processor seconds, rows and bytes of a whole build on 20 million bases."""
    peaks = folder / "part"
    peaks.mkdir()
    for number in range(8):
        write_peaks(peaks / f"{number}.narrowPeak.gz", number, sizes=(20,))
    random = np.random.default_rng(0)
    text = decode(random.integers(0, 4, 20_000_000, dtype=np.uint8))
    (folder / "genome.fa").write_text(f">chr1\n{text}\n")
    config = ChromatinConfig(peaks=peaks, genome=folder / "genome.fa")
    os.environ["ATTENDNA_CACHE"] = str(folder / "cache")
    began = processor_seconds()
    config.build(folder / "task", Execution())
    seconds = processor_seconds() - began
    task = open_task(folder / "task")
    size = sum(task.path(split).stat().st_size for split in task.splits)
    return seconds, sum(task.spec.rows.values()), size


def run(quick: bool) -> list[Table]:
    count = 8 if quick else 64
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = folder / "few", folder / "many"
        few.mkdir()
        many.mkdir()
        for number in range(count):
            path = many / f"{number:03}.narrowPeak.gz"
            write_peaks(path, number)
            if number < count // 4:
                (few / path.name).symlink_to(path)
        label(few, workers=1)
        peaks = 2 * count * PEAKS_A_FILE
        speed = Table(
            title=f"Labels of 200-bp bins from {2 * count} gzipped narrowPeaks, {peaks:,} peaks"
        )
        for column in ("way", "peaks/s by the clock", "peaks/s of processor time"):
            speed.add_column(column, justify="left" if column == "way" else "right")
        for workers in (1, 2):
            wall, spent = label(many, workers)
            speed.add_row(f"{workers} processes", f"{peaks / wall:,.0f}", f"{peaks / spent:,.0f}")
        one = peaks / label(many, 1)[1]
        pairs = sum(path.stat().st_size for path in many.glob("*.pairs")) / 10
        memory = Table(title="Most memory of one process")
        memory.add_column("files")
        memory.add_column("MB", justify="right")
        memory.add_row(f"{count // 2}", f"{peak_memory(few):,.0f}")
        memory.add_row(f"{2 * count}", f"{peak_memory(many):,.0f}")
        seconds, rows, size = build_part(folder)
    full = FULL_TRACKS * PEAKS_A_FILE
    hours = (full / one / 2 + FULL_ROWS * seconds / rows) / 3600
    cost = Table(title=f"Projection: {FULL_TRACKS:,} files, {full:,} peaks, {FULL_ROWS:,} rows")
    cost.add_column("what")
    cost.add_column("measured here, scaled", justify="right")
    cost.add_row("labelling on two cores", f"{full / one / 2 / 60:,.1f} minutes")
    cost.add_row(
        "windows, joining and writing on one core",
        f"{FULL_ROWS * seconds / rows / 60:,.1f} minutes",
    )
    cost.add_row("together", f"{hours:,.2f} hours")
    cost.add_row("task folder", f"{FULL_ROWS * size / rows / 1e9:,.1f} GB")
    cost.add_row("pairs on the way", f"{pairs / peaks * full * 10 / 1e9:,.1f} GB")
    return [speed, memory, cost]
