"""Which records go to which split, so that neighbors stay together.

Shapes: ``n`` records.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.genome.loci import count_overlaps, merge_loci
from attendna.tasks.spec import SPLITS, SplitName


def contiguous_split(
    places: pl.DataFrame | None, count: int, fractions: Sequence[float]
) -> list[SplitName]:
    """Splits of records in runs: along the genome where places are known, else in their order.

    Records that overlap are of one split, so shares are met as nearly as they allow.

    Parameters
    ----------
    places
        Columns ``chrom, start, end`` of the records.
    fractions
        Shares of train, valid and test.

    Raises
    ------
    ConfigError
        The shares are none, or leave a split that is asked for without records.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ConfigError(f"--fractions {fractions}", "give three shares that sum to 1")
    locus = np.arange(count) if places is None else merge_loci(places)
    order = _along(places, count)
    sizes = np.bincount(locus, minlength=int(locus.max()) + 1)
    first = {int(number): place for place, number in reversed(list(enumerate(locus[order])))}
    loci = sorted(first, key=lambda number: first[number])
    middle = np.cumsum(sizes[loci]) - sizes[loci] / 2
    bounds = np.cumsum(fractions)[:-1] * count
    of_locus = dict(zip(loci, np.searchsorted(bounds, middle, side="right").tolist(), strict=True))
    splits = [SPLITS[of_locus[int(number)]] for number in locus]
    for split, share in zip(SPLITS, fractions, strict=True):
        if share and split not in splits:
            raise ConfigError(
                f"--fractions {share} leaves {split} without records", "give it a larger share"
            )
    return splits


def _along(places: pl.DataFrame | None, count: int) -> Int64[ndarray, " n"]:
    if places is None:
        return np.arange(count)
    order = places.with_row_index("row").sort("chrom", "start")["row"]
    return order.cast(pl.Int64).to_numpy()


def count_crossing(places: dict[SplitName, pl.DataFrame]) -> int:
    """Records whose window shares a base with one of another split."""
    crossing = 0
    for split, mine in places.items():
        others = [frame for other, frame in places.items() if other != split]
        if others:
            theirs = pl.concat(frame.select("chrom", "start", "end") for frame in others)
            crossing += int((count_overlaps(mine, theirs) > 0).sum())
    return crossing


def with_slots(rows: pl.DataFrame, splits: Sequence[SplitName]) -> pl.DataFrame:
    """Enter the ``split`` of every record, and its ``row`` there."""
    return rows.with_columns(split=pl.Series(splits)).with_columns(
        row=pl.int_range(pl.len()).over("split")
    )


def sizes(rows: pl.DataFrame) -> dict[SplitName, int]:
    """Records of every split that has some."""
    counts: dict[SplitName, int] = {split: rows.filter(split=split).height for split in SPLITS}
    return {split: count for split, count in counts.items() if count}
