"""Which intervals overlap which others, counted without a loop over them.

Chromosomes may be called after any naming style: ``chr1`` and ``1`` are one.

Shapes: ``n`` intervals asked about, ``t`` intervals to overlap with.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.genome.contigs import plain_names

# More than any position: chromosomes laid end to end never touch.
_APART = 1 << 40


def count_overlaps(
    asked: pl.DataFrame, others: pl.DataFrame, *, flank: int = 0
) -> Int64[ndarray, " n"]:
    """How many of ``others`` share a base with each interval, strands aside.

    Those that begin before its end, less those that end before its start: two binary searches.

    Parameters
    ----------
    asked, others
        Columns ``chrom``, ``start``, ``end``.
    flank
        Bases by which ``asked`` reaches further at either end.
    """
    (start, end), (other_start, other_end) = _laid_out(asked, others)
    begun = np.searchsorted(np.sort(other_start), end + flank, side="left")
    ended = np.searchsorted(np.sort(other_end), start - flank, side="right")
    return begun - ended


def merge_loci(intervals: pl.DataFrame, *, flank: int = 0) -> Int64[ndarray, " n"]:
    """The number of the locus of each interval: a run of intervals that overlap in a chain.

    Parameters
    ----------
    flank
        Intervals closer than this belong together, too.
    """
    ((start, end),) = _laid_out(intervals)
    order = np.argsort(start, kind="stable")
    reach = np.maximum.accumulate(end[order])
    begins = np.ones(order.size, dtype=np.int64)
    begins[1:] = start[order][1:] >= reach[:-1] + flank
    locus = np.empty(order.size, dtype=np.int64)
    locus[order] = np.cumsum(begins) - 1
    return locus


def covered_bases(asked: pl.DataFrame, stretches: pl.DataFrame) -> Int64[ndarray, " n"]:
    """How many bases of each interval lie in at least one of the stretches."""
    (start, end), covered = _laid_out(asked, stretches)
    first, last = _union(*covered)
    before = np.concatenate([[0], np.cumsum(last - first)])

    def covered_up_to(place: Int64[ndarray, " n"]) -> Int64[ndarray, " n"]:
        begun = np.searchsorted(first, place, side="right")
        # Of the last stretch that begins before the place, what lies beyond it does not count.
        over = np.maximum(np.append(last, 0)[begun - 1] - place, 0) * (begun > 0)
        return before[begun] - over

    return covered_up_to(end) - covered_up_to(start)


def _union(
    start: Int64[ndarray, " t"], end: Int64[ndarray, " t"]
) -> tuple[Int64[ndarray, " u"], Int64[ndarray, " u"]]:
    """The stretches in order, with those that overlap or touch made one."""
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    opens = np.append(True, start[1:] > reach[:-1])[: start.size]
    return start[opens], reach[np.append(opens[1:], True)[: start.size]]


def _laid_out(
    *frames: pl.DataFrame,
) -> Iterator[tuple[Int64[ndarray, " _"], Int64[ndarray, " _"]]]:
    """Starts and ends of each table on one line that holds all chromosomes."""
    names = plain_names(pl.concat([frame["chrom"] for frame in frames]))
    distinct = names.unique(maintain_order=True)
    number = names.replace_strict(distinct, range(len(distinct)), return_dtype=pl.Int64)
    before = number.to_numpy() * _APART
    bounds = np.cumsum([frame.height for frame in frames])[:-1]
    for frame, offset in zip(frames, np.split(before, bounds), strict=True):
        yield offset + frame["start"].to_numpy(), offset + frame["end"].to_numpy()
