"""Correlation of predicted with observed tracks, from sums that are gathered record by record.

What is kept of a record and a track are six numbers, from which the correlation over any set of
records follows: over one, over all, over those of a bootstrap sample.

Shapes: ``n`` records, ``l`` bins, ``t`` tracks, ``R`` resamples.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

SUMS = 6
"""How many bins are known; sums of what is predicted, of what is observed, of their squares and of
their product."""


@dataclass(frozen=True, eq=False)
class TrackSums:
    """Sums over the bins of each record and track."""

    values: Float64[ndarray, "n t 6"]

    @classmethod
    def of(
        cls,
        predicted: Float32[ndarray, "n l t"],
        observed: Float32[ndarray, "n l t"],
        *,
        log: bool = False,
    ) -> "TrackSums":
        """Those of some records; observed bins that are NaN do not count.

        Parameters
        ----------
        log
            Compare ``log(1 + x)`` of both; what is below zero counts as zero.
        """
        known = ~np.isnan(observed)
        x, y = (np.where(known, part, 0).astype(np.float64) for part in (predicted, observed))
        if log:
            x, y = (np.log1p(np.maximum(part, 0)) for part in (x, y))
        parts = known.astype(np.float64), x, y, x * x, y * y, x * y
        return cls(np.stack([part.sum(axis=1) for part in parts], axis=-1))

    @classmethod
    def joined(cls, parts: "list[TrackSums]") -> "TrackSums":
        """Those of all records, in their order."""
        return cls(np.concatenate([part.values for part in parts]))

    def by_track(self) -> Float64[ndarray, " t"]:
        """Correlation of each track over all bins of all records; NaN where one is constant."""
        return correlation(self.values.sum(axis=0))

    def by_record(self) -> Float64[ndarray, "n t"]:
        """Correlation of each track over the bins of each record."""
        return correlation(self.values)

    def resampled(self, resamples: int, seed: int) -> Float64[ndarray, "R t"]:
        """Correlation of each track over records drawn with replacement, ``resamples`` times."""
        count, tracks, _ = self.values.shape
        random = np.random.default_rng(seed)
        times = random.multinomial(count, np.full(count, 1 / count), size=resamples)
        sums = times.astype(np.float64) @ self.values.reshape(count, -1)
        return correlation(sums.reshape(resamples, tracks, SUMS))


def correlation(sums: Float64[ndarray, "*some 6"]) -> Float64[ndarray, "*some"]:
    """Pearson's correlation from the sums; NaN where either side does not vary."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    count = np.maximum(count, 1)
    spread_x, spread_y = xx - x * x / count, yy - y * y / count
    # Sums of squares lose about sixteen digits to rounding: less than that is no variation.
    varies = (spread_x > 1e-12 * np.abs(xx)) & (spread_y > 1e-12 * np.abs(yy))
    scale = np.sqrt(np.where(varies, spread_x, 1) * np.where(varies, spread_y, 1))
    return np.where(varies, (xy - x * y / count) / scale, np.nan)
