"""How well numbers are ranked, with an interval that knows which rows hang together.

Shapes: ``n`` rows, ``t`` tracks, ``k`` known rows of a track, ``r`` resamples.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64, Num
from numpy import ndarray

from attendna.core.config import Config

RESAMPLES = 200


class Correlation(Config):
    """Spearman's correlation, the mean of all tracks that have one, with its 95 % interval."""

    n: int
    value: float
    low: float
    high: float


def spearman(
    said: Num[ndarray, "n t"],
    measured: Num[ndarray, "n t"],
    groups: Int64[ndarray, " n"],
    random: np.random.Generator,
) -> Correlation | None:
    """The mean over tracks, none where no track varies; NaN is what was not measured.

    The interval is that of a bootstrap over groups: rows of one group are no evidence apart.
    Ranks are those of all rows, so that a resample costs no sorting.
    """
    number = np.unique(groups, return_inverse=True)[1].reshape(-1)
    size = int(number.max(initial=0)) + 1
    weights = np.ones((RESAMPLES + 1, size))
    weights[1:] = random.multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    found = [
        _weighted(one, other, weights[:, number[known]])
        for one, other, known in _ranked(said, measured)
    ]
    if not found:
        return None
    means = np.mean(found, axis=0)
    low, high = np.quantile(means[1:], [0.025, 0.975])
    return Correlation(n=measured.shape[0], value=float(means[0]), low=float(low), high=float(high))


def _ranked(
    said: Num[ndarray, "n t"], measured: Num[ndarray, "n t"]
) -> Iterator[tuple[ndarray, ndarray, ndarray]]:
    """Ranks of the known rows of each track in which both sides vary, and which rows they are."""
    from scipy.stats import rankdata

    for track in range(measured.shape[1]):
        known = np.flatnonzero(~np.isnan(measured[:, track]))
        one, other = said[known, track], measured[known, track]
        if known.size > 1 and np.ptp(one) > 0 and np.ptp(other) > 0:
            yield rankdata(one), rankdata(other), known


def _weighted(
    one: Float64[ndarray, " k"], other: Float64[ndarray, " k"], weights: Float64[ndarray, "r k"]
) -> Float64[ndarray, " r"]:
    """Pearson's correlation of each resample; 0 where it does not vary."""
    one, other = one - one.mean(), other - other.mean()
    parts = np.stack([np.ones_like(one), one, other, one * one, other * other, one * other], axis=1)
    total, a, b, aa, bb, ab = (weights @ parts).T
    total = np.maximum(total, 1)
    spread = np.maximum(aa - a * a / total, 0) * np.maximum(bb - b * b / total, 0)
    return np.where(spread > 0, (ab - a * b / total) / np.sqrt(np.maximum(spread, 1e-300)), 0.0)
