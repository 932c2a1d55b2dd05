"""Windows of a genome, chromosome by chromosome where several processes are to share the work."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from attendna.core.execution import Execution
from attendna.genome.reference import EdgePolicy, Reference, Windows
from attendna.genome.sequences import SequenceBatch

MOST_ROWS = 1 << 16
"""Windows of a unit of work; a chromosome with more is several."""


@dataclass(frozen=True, eq=False)
class _Unit:
    """Windows of one chromosome. The genome goes along as its path and is opened anew."""

    reference: Reference
    intervals: pl.DataFrame
    edge: EdgePolicy


def cut(
    reference: Reference, intervals: pl.DataFrame, execution: Execution, *, edge: EdgePolicy
) -> Windows:
    """Sequences of the intervals that the genome holds, in their order.

    Parameters
    ----------
    intervals
        As :meth:`~attendna.genome.reference.Reference.windows` takes them.
    """
    if execution.workers == 1 and execution.engine == "local":
        return reference.windows(intervals, edge=edge, missing="drop")
    rows = list(_chromosomes(intervals))
    units = (_Unit(reference, intervals[part], edge) for part in rows)
    found = list(execution.map(_cut, units, [__name__]))
    kept = np.concatenate(
        [part[done.rows] for part, done in zip(rows, found, strict=True)]
        or [np.zeros(0, dtype=np.int64)]
    )
    order = np.argsort(kept)
    return Windows(
        sequences=SequenceBatch.joined([done.sequences for done in found]).take(order),
        rows=kept[order],
        padded=sum(done.padded for done in found),
        dropped=sum(done.dropped for done in found),
        missing=sum(done.missing for done in found),
        beyond=sum(done.beyond for done in found),
    )


def _cut(unit: _Unit) -> Windows:
    return unit.reference.windows(unit.intervals, edge=unit.edge, missing="drop")


def _chromosomes(intervals: pl.DataFrame) -> "Iterator[np.ndarray]":
    """Rows of each chromosome, at most :data:`MOST_ROWS` at a time."""
    numbers = intervals["chrom"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    ends = np.flatnonzero(np.diff(numbers[order])) + 1
    for part in np.split(order, ends):
        for first in range(0, len(part), MOST_ROWS):
            yield part[first : first + MOST_ROWS]
