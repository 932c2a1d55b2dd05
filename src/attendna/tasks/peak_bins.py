"""Which bins of the genome the peaks of a track cover.

Source: Zhou and Troyanskaya 2015 (DeepSEA): a 200-bp bin is positive for a track when at least half
of it lies in the track's peaks, taken together.

Shapes: ``n`` peaks, ``m`` stretches that the peaks cover, ``q`` bins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import MISSING as UNKNOWN
from attendna.core.formats import PEAKS, ending_of
from attendna.genome.contigs import numbered
from attendna.genome.intervals import read_intervals

Rule = Literal["half", "more_than_half", "any"]
"""How much of a bin must be covered: at least half of it, more than half, or one base."""

MISSING, UNWANTED = -1, -2
"""Numbers of contigs that the genome does not hold, and that are not looked at."""

CONTIG_BITS = 40
"""A place is one number: the contig's, shifted by so many bits, plus the position or the bin."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of a track on the contigs of a genome, as places."""

    start: Int64[ndarray, " n"]
    end: Int64[ndarray, " n"]
    missing: int
    """How many more lie on chromosomes that the genome does not hold."""
    unwanted: int
    """How many more lie on contigs that are not looked at."""


def read_peaks(path: Path, number: Callable[[str], int]) -> Peaks:
    """Read a file of peaks: narrowPeak, broadPeak or BED, also gzipped.

    Parameters
    ----------
    number
        The number of a contig by its name, :data:`MISSING` or :data:`UNWANTED`.

    Raises
    ------
    BadRowsError
        A row is bad.
    DataError
        The file is missing, empty or damaged.
    """
    frame = _read_fast(path)
    if frame is None:
        # Slowly, and with every complaint.
        frame = read_intervals(path).frame
    contig = numbered(frame["chrom"].to_arrow(), number, null=UNWANTED)
    start, end = frame["start"].to_numpy(), frame["end"].to_numpy()
    known = contig >= 0
    missing, unwanted = (int((contig == kind).sum()) for kind in (MISSING, UNWANTED))
    if not known.all():
        contig, start, end = contig[known], start[known], end[known]
    base = contig << CONTIG_BITS
    return Peaks(base + start, base + end, missing, unwanted)


def _read_fast(path: Path) -> pl.DataFrame | None:
    """The places of a plain file in one pass; nothing when anything in it is unusual."""
    if ending_of(path) not in PEAKS:
        return None
    text = plain_text(path, read_content(path))
    first = text[: text.find(b"\n")] if b"\n" in text else text
    width = first.count(b"\t") + 1
    schema: dict[str, Any] = {"chrom": pl.String, "start": pl.Int64, "end": pl.Int64}
    schema |= {f"column {place}": pl.String for place in range(3, width)}
    if width < 3 or first.startswith((b"#", b"track", b"browser")) or b"\n#" in text:
        return None
    lines = text.count(b"\n") + 1
    # Every line must have as many columns as the first.
    if text.count(b"\t") != (width - 1) * lines or b" " in first:
        return None
    try:
        frame = pl.read_csv(
            text,
            separator="\t",
            has_header=False,
            schema=schema,
            quote_char=None,
            columns=[0, 1, 2],
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    sound = (
        frame.height == lines
        and frame.select(
            pl.all_horizontal(
                pl.all().is_not_null().all(),
                (pl.col("start") >= 0).all(),
                (pl.col("end") > pl.col("start")).all(),
                (pl.col("end") < 1 << CONTIG_BITS).all(),
                ~pl.col("chrom").str.contains(r"^\s|\s$|^(track|browser)$").any(),
                ~pl.col("chrom").is_in(UNKNOWN).any(),
            )
        ).item()
    )
    return frame if sound else None


def union(
    start: Int64[ndarray, " n"], end: Int64[ndarray, " n"]
) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " m"]]:
    """Starts and ends of the stretches that intervals cover together, in order."""
    if not start.size:
        return start, end
    if (start[1:] < start[:-1]).any():
        order = np.argsort(start)
        start, end = start[order], end[order]
    reach = np.maximum.accumulate(end)
    first = np.concatenate([[True], start[1:] > reach[:-1]])
    last = np.concatenate([first[1:], [True]])
    return start[first], reach[last]


def covered_bins(
    start: Int64[ndarray, " m"], end: Int64[ndarray, " m"], size: int, rule: Rule
) -> Int64[ndarray, " q"]:
    """Bins, as places, that are positive by the rule, in order.

    Parameters
    ----------
    start, end
        Stretches that do not overlap, in order; see :func:`union`.
    size
        Bases of a bin.
    """
    if not start.size:
        return start
    contig = (start >> CONTIG_BITS) << CONTIG_BITS
    start, end = start - contig, end - contig
    first, last = start // size, (end - 1) // size
    # What a stretch covers of its first and its last bin; the bins between are whole.
    head = np.minimum(end, (first + 1) * size) - start
    tail = end - last * size
    crosses = last > first
    bins = np.stack([first, last], axis=1) + contig[:, None]
    bases = np.stack([head, tail], axis=1)
    used = np.stack([np.ones_like(crosses), crosses], axis=1)
    bins, bases = bins[used], bases[used]
    begins = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
    covered = np.add.reduceat(bases, begins)
    edges = bins[begins][_positive(covered, size, rule)]
    inner = last - first - 1
    long = inner > 0
    counts, ends = inner[long], np.cumsum(inner[long])
    whole = np.arange(int(counts.sum())) + np.repeat(
        (contig + first + 1)[long] - ends + counts, counts
    )
    if not whole.size:
        return edges
    found = np.concatenate([edges, whole])
    found.sort(kind="stable")
    return found


def _positive(covered: Int64[ndarray, " q"], size: int, rule: Rule) -> ndarray:
    if rule == "half":
        return covered * 2 >= size
    return covered * 2 > size if rule == "more_than_half" else covered > 0
