"""Windows of one width: around regions, or in strides along the genome."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from attendna.genome.composition import count_unknown
from attendna.genome.reference import Reference

_AT_A_TIME = 64


@dataclass(frozen=True, eq=False)
class Chosen:
    """Windows that can be had, and how many cannot."""

    windows: pl.DataFrame
    """Columns ``id, chrom, start, end``."""
    asked: int
    twice: int
    missing: int
    over: int
    unknown: int
    beyond: int = 0
    """Windows of those over an end that lie wholly beyond it."""

    @property
    def counts(self) -> dict[str, int]:
        """What was left out, by its reason."""
        return {
            "windows asked for": self.asked,
            "windows asked for twice": self.twice,
            "windows not in the genome": self.missing,
            "windows over the end of a contig": self.over,
            "windows with too many N": self.unknown,
        }


def tile(held: pl.DataFrame, window: int, stride: int) -> pl.DataFrame:
    """Windows every ``stride`` bases of the stretches that a genome holds."""
    places = [
        (chrom, first, first + window)
        for chrom, start, end in held.select("chrom", "start", "end").iter_rows()
        for first in range(start, end - window + 1, stride)
    ]
    schema = {"chrom": pl.String, "start": pl.Int64, "end": pl.Int64}
    return pl.DataFrame(places, schema=schema, orient="row")


def choose_windows(
    reference: Reference, regions: pl.DataFrame, window: int, max_unknown: float
) -> Chosen:
    """Windows around the middle of regions, of which no more than a share is N."""
    named = reference.named(regions.select("chrom", "start", "end")) if regions.height else regions
    start = (pl.col("start") + pl.col("end")) // 2 - window // 2
    places = named.select("chrom", start=start, end=start + window)
    distinct = places.unique(maintain_order=True)
    kept: list[pl.DataFrame] = []
    missing = over = unknown = beyond = 0
    for part in distinct.iter_slices(_AT_A_TIME):
        found = reference.windows(part, edge="drop", missing="drop")
        good = count_unknown(found.sequences) <= max_unknown * window
        kept.append(part[found.rows[good]])
        missing, over = missing + found.missing, over + found.dropped
        beyond += found.beyond
        unknown += int(np.count_nonzero(~good))
    windows = pl.concat([distinct.clear(), *kept]).select(
        pl.format("{}:{}-{}", "chrom", "start", "end").alias("id"), "chrom", "start", "end"
    )
    twice = places.height - distinct.height
    return Chosen(windows, places.height, twice, missing, over, unknown, beyond)
