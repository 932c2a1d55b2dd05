"""How fast windows of a genome are fetched, against one pyfaidx look-up an interval."""

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyfaidx
from rich.table import Table

from attendna.genome.alphabet import decode
from attendna.genome.reference import open_reference
from benchmarks.measure import fastest

BASES = 100_000_000
WINDOW = 500
BATCHES = (64, 1_000, 20_000)


def write_genome(folder: Path, size: int) -> Path:
    """Four contigs of random bases as FASTA with lines of 60."""
    path = folder / "genome.fa"
    random = np.random.default_rng(0)
    with path.open("w") as stream:
        for contig in range(1, 5):
            text = decode(random.integers(0, 4, size // 4, dtype=np.uint8))
            stream.write(f">chr{contig}\n")
            stream.writelines(f"{text[start : start + 60]}\n" for start in range(0, len(text), 60))
    return path


def random_windows(count: int, size: int) -> pl.DataFrame:
    """Windows anywhere, on either strand."""
    random = np.random.default_rng(1)
    start = random.integers(0, size // 4 - WINDOW, count)
    return pl.DataFrame(
        {
            "chrom": [f"chr{contig}" for contig in random.integers(1, 5, count)],
            "start": start,
            "end": start + WINDOW,
            "strand": random.choice(["+", "-"], count),
        }
    )


def run(quick: bool) -> Table:
    """Windows/s of one thread; the ratio is time an interval against pyfaidx in this run."""
    size = BASES // 10 if quick else BASES
    table = Table(title=f"Windows of {WINDOW} bases from {size // 1_000_000} Mbases, one thread")
    for column in ("way", "windows/s", "times pyfaidx"):
        table.add_column(column, justify="left" if column == "way" else "right")
    with tempfile.TemporaryDirectory() as folder:
        path = write_genome(Path(folder), size)
        began = time.perf_counter()
        reference = open_reference(path, cache=folder)
        building = time.perf_counter() - began
        windows = random_windows(max(BATCHES), size)
        forward = windows.drop("strand")
        few = list(windows[:1_000].iter_rows())
        fasta = pyfaidx.Fasta(str(path), as_raw=True)
        stranded = pyfaidx.Fasta(str(path))
        ways = {
            "pyfaidx, forward strand": (
                len(few),
                lambda: [fasta[chrom][start:end] for chrom, start, end, _ in few],
            ),
            "pyfaidx, both strands": (
                len(few),
                lambda: [
                    stranded.get_seq(chrom, start + 1, end, rc=strand == "-").seq
                    for chrom, start, end, strand in few
                ],
            ),
        }
        for count in BATCHES:
            part, whole = forward[:count], windows[:count]
            ways |= {
                f"batches of {count:,}, forward strand": (
                    count,
                    lambda part=part: reference.windows(part),
                ),
                f"batches of {count:,}, both strands": (
                    count,
                    lambda whole=whole: reference.windows(whole),
                ),
            }
        seconds = fastest(
            {way: function for way, (_, function) in ways.items()},
            rounds=7,
            clock=time.thread_time,
        )
        for name, (count, _) in ways.items():
            same = "pyfaidx, " + name.split(", ")[-1]
            rate, base = count / seconds[name], ways[same][0] / seconds[same]
            table.add_row(name, f"{rate:,.0f}", f"{rate / base:.1f}")
    table.caption = (
        f"the cache was built in {building:.1f} s ({size / building / 1e6:.0f} Mbases/s)"
    )
    return table
