"""What of a genome can be learned from: its known bases, without what is left out.

Shapes: ``r`` runs of bases.
"""

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.genome.alphabet import N, marked_runs
from attendna.genome.reference import Reference


def known_stretches(
    reference: Reference, left_out: Int64[ndarray, "r 2"] | None = None
) -> pl.DataFrame:
    """Runs of known bases: columns ``chrom, start, end`` and ``offset``, the place in the codes.

    Parameters
    ----------
    left_out
        Runs of the codes, as :func:`places_of` gives them, that are taken for unknown.
    """
    runs = np.empty((0, 2), dtype=np.int64) if left_out is None else left_out
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    parts: list[pl.DataFrame] = []
    for row, (chrom, start, end) in enumerate(reference.held.iter_rows()):
        offset = int(reference.offsets[row])
        known = reference.codes[offset : offset + end - start] < N
        # Runs are told from the piece's first base; what lies beyond it is cut off by slicing.
        inside = (runs[:, 0] < offset + known.size) & (runs[:, 1] > offset)
        for first, last in (runs[inside] - offset).tolist():
            known[max(0, first) : last] = False
        found = marked_runs(known)
        parts.append(
            pl.DataFrame(
                {
                    "chrom": pl.Series([chrom] * len(found), dtype=pl.String),
                    "start": start + found[:, 0],
                    "end": start + found[:, 1],
                    "offset": offset + found[:, 0],
                }
            )
        )
    return pl.concat(parts)


def places_of(reference: Reference, intervals: pl.DataFrame) -> Int64[ndarray, "r 2"]:
    """Where in the codes of a genome intervals lie, as far as it holds them.

    Parameters
    ----------
    intervals
        Columns ``chrom``, ``start``, ``end``; chromosomes in any naming style.
    """
    held = reference.held.with_columns(offset=pl.Series(reference.offsets))
    asked = reference.named(intervals.select("chrom", "start", "end"))
    both = asked.join(held, on="chrom", suffix="_held")
    first, last = pl.max_horizontal("start", "start_held"), pl.min_horizontal("end", "end_held")
    shift = pl.col("offset") - pl.col("start_held")
    cut = both.filter(first < last).select(first=first + shift, last=last + shift)
    return cut.sort("first").to_numpy().astype(np.int64).reshape(-1, 2)
