"""From the signal of a bin to a target: the transforms of the Basenji family, and wider bins.

Two orders are in use. ``baskerville`` scales, sums up, takes the root of one more, and clips.
``borzoi`` (targets of the published Borzoi, and of Basenji and Enformer) sums up, raises to 3/4,
clips, and scales at last.

Source: ``hound_data_read.py`` of calico/baskerville, with and without ``--transform_old``.

Shapes: ``n`` bins of all windows, ``b`` records, ``l`` bins, ``m`` wider bins, ``t`` tracks.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Float32, Float64
from numpy import ndarray

from attendna.core.config import Config
from attendna.core.errors import ConfigError
from attendna.genome.signal import Aggregate

Pooling = Literal["mean", "sum"]
"""What a wider bin tells of the bins it is made of."""

Order = Literal["baskerville", "borzoi"]

SumStat = Literal[
    "sum", "sum_sqrt", "sum_exp75", "mean", "avg", "mean_sqrt", "avg_sqrt", "max", "peak"
]
SUM_STATS: tuple[str, ...] = get_args(SumStat)


class Transform(Config):
    """How the bases of a bin become the target of one track, named as in ``targets.txt``."""

    sum_stat: SumStat = "sum"
    clip: float | None = None
    clip_soft: float | None = None
    scale: float = 1.0
    order: Order = "baskerville"

    @property
    def aggregate(self) -> Aggregate:
        """What is taken of the bases of a bin."""
        if self.sum_stat.startswith("sum"):
            return "sum"
        return "max" if self.sum_stat == "max" else "mean"

    def apply(self, binned: Float32[ndarray, "*n"]) -> Float32[ndarray, "*n"]:
        """Targets of bins that hold :attr:`aggregate` of their bases; NaN stays NaN.

        Raises
        ------
        ValueError
            A root is asked for of values below 0.
        """
        values = binned.astype(np.float64)
        if self.order == "baskerville":
            values = self.scale * values
        values = self._clipped(self._summed(values))
        if self.order == "borzoi":
            values = self.scale * values
        return values.astype(np.float32)

    def _summed(self, values: Float64[ndarray, "*n"]) -> Float64[ndarray, "*n"]:
        if self.sum_stat == "peak":
            return np.clip(np.sqrt(_not_negative(values) * 4), 0, 1)
        if self.sum_stat == "sum_exp75":
            return (1 + _not_negative(values)) ** 0.75 - 1
        if not self.sum_stat.endswith("_sqrt"):
            return values
        if self.order == "borzoi":
            return _not_negative(values) ** 0.75
        return np.sqrt(1 + _not_negative(values)) - 1

    def _clipped(self, values: Float64[ndarray, "*n"]) -> Float64[ndarray, "*n"]:
        if self.clip_soft is not None:
            # One more before the root makes it begin with the slope of what is below.
            one = 1.0 if self.order == "baskerville" else 0.0
            over = np.maximum(values - self.clip_soft, 0)
            soft = self.clip_soft - one + np.sqrt(over + one)
            values = np.where(values > self.clip_soft, soft, values)
        return values if self.clip is None else np.clip(values, -self.clip, self.clip)


def _not_negative(values: Float64[ndarray, "*n"]) -> Float64[ndarray, "*n"]:
    if (values < 0).any():
        raise ValueError("values below 0 have no root")
    return values


def pool_factor(bin_size: int, wider: int, bins: int) -> int:
    """How many bins make a wider one.

    Raises
    ------
    ConfigError
        They do not make it up exactly, or do not fill the last one.
    """
    if wider <= 0 or wider % bin_size or bins % (wider // bin_size):
        raise ConfigError(
            f"bins of {wider} bases cannot be made of {bins:,} bins of {bin_size}",
            f"choose a multiple of {bin_size} that divides {bins * bin_size:,}",
        )
    return wider // bin_size


def pool_bins(
    targets: Float[ndarray, "*b l t"], factor: int, pooling: Pooling
) -> Float32[ndarray, "*b m t"]:
    """Wider bins, each of ``factor`` neighbours; one is NaN where any of these is."""
    *records, bins, tracks = targets.shape
    parts = targets.astype(np.float32).reshape(*records, bins // factor, factor, tracks)
    return parts.mean(axis=-2) if pooling == "mean" else parts.sum(axis=-2)
