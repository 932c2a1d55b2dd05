"""Small interval folders whose leaks are known."""

import gzip
from collections.abc import Mapping
from pathlib import Path

Interval = tuple[str, int, int]


def write_intervals(folder: Path, tables: Mapping[str, list[Interval]]) -> Path:
    """Write ``split/class`` tables as the Genomic Benchmarks have them."""
    for name, rows in tables.items():
        lines = [f"{i},{c},{s},{e},+" for i, (c, s, e) in enumerate(rows)]
        path = folder / f"{name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(["id,region,start,end,strand", *lines]) + "\n"
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder


def apart(count: int, first: int = 0, chrom: str = "chr1") -> list[Interval]:
    """Intervals of 100 bases that lie far from each other."""
    return [(chrom, 1000 * (first + i), 1000 * (first + i) + 100) for i in range(count)]
