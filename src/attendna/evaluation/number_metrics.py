"""The metrics of one measured number a row, computed for many weightings of the rows at once.

As those of classes in :mod:`.metrics`, to which they are alike in every way but the sample. Ranks
are taken anew under every weighting, ties sharing the mean of theirs.

Shapes: ``N`` rows, ``R`` weightings, ``G`` groups of equal values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from attendna.core.errors import DivergedError, UserError
from attendna.core.registry import Registry
from attendna.evaluation.metrics import NO_ROWS, Metric, Values, Weights

CONSTANT = "the values or the predictions are all equal"

_LEAST = 1e-12
"""Variance, relative to the square of the mean, below which values are equal but for rounding."""


@dataclass(frozen=True, eq=False)
class NumberSample:
    """Measured numbers and what was predicted for them.

    Raises
    ------
    UserError
        There are no rows, or a prediction is not finite.
    """

    observed: Float64[ndarray, " N"]
    predicted: Float64[ndarray, " N"]

    def __post_init__(self) -> None:
        if not self.observed.size:
            raise UserError("there are no rows to measure", "check the split")
        wrong = ~np.isfinite(self.predicted)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DivergedError(
                f"the prediction of row {row + 1} is {self.predicted[row]}",
                "train again with a lower learning rate if training diverged",
            )

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.observed.size

    def weighted(self, weights: Weights) -> "WeightedNumbers":
        """The sample under many weightings of its rows."""
        return WeightedNumbers(self, weights)

    @cached_property
    def ranks(self) -> "tuple[Ranks, Ranks]":
        """The order of what was observed and of what was predicted."""
        return Ranks.of(self.observed), Ranks.of(self.predicted)


@dataclass(frozen=True, eq=False)
class Ranks:
    """The order of some values, sorted once for all weightings."""

    order: Int64[ndarray, " N"]
    group: Int64[ndarray, " N"]
    """Of each place in the order, the number of its group of equal values."""
    first: Int64[ndarray, " G"]
    """The place at which each group begins."""

    @classmethod
    def of(cls, values: Float64[ndarray, " N"]) -> "Ranks":
        """The order of values."""
        order = np.argsort(values, kind="stable")
        begins = np.concatenate([[True], np.diff(values[order]) > 0])
        return cls(order, np.cumsum(begins) - 1, np.flatnonzero(begins))

    def weighted(self, weights: Weights) -> Float64[ndarray, "R N"]:
        """Mean rank of each row, where a row of weight k counts as k equal rows."""
        ordered = weights[:, self.order]
        total = np.add.reduceat(ordered, self.first, axis=1)
        middle = np.cumsum(total, axis=1) - (total - 1) / 2
        ranks = np.empty_like(ordered)
        ranks[:, self.order] = middle[:, self.group]
        return ranks


@dataclass(frozen=True, eq=False)
class WeightedNumbers:
    """A sample of numbers under many weightings of its rows."""

    sample: NumberSample
    weights: Weights

    def mean(self, values: Float64[ndarray, " N"]) -> Values:
        """Weighted mean of one value a row."""
        return self.weights @ values / self.weights.sum(axis=1)

    @cached_property
    def squared_error(self) -> Values:
        """Weighted mean of the squared error."""
        return self.mean((self.sample.observed - self.sample.predicted) ** 2)

    def correlation(self, one: Float64[ndarray, "_ N"], other: Float64[ndarray, "_ N"]) -> Values:
        """Weighted correlation of two values a row; NaN where one is constant."""
        total = self.weights.sum(axis=1, keepdims=True)
        means = [(self.weights * x).sum(axis=1, keepdims=True) / total for x in (one, other)]
        centered = [x - mean for x, mean in zip((one, other), means, strict=True)]
        spreads = [(self.weights * x * x).sum(axis=1) / total[:, 0] for x in centered]
        product = (self.weights * centered[0] * centered[1]).sum(axis=1) / total[:, 0]
        varies = np.all(
            [s > _LEAST * m[:, 0] ** 2 for s, m in zip(spreads, means, strict=True)], axis=0
        )
        scale = np.sqrt(np.where(varies, spreads[0] * spreads[1], 1))
        return np.where(varies, product / scale, np.nan)


def _metric(
    title: str, undefined: str, *, higher_is_better: bool
) -> Callable[[Callable[[WeightedNumbers], Values]], Metric]:
    def make(function: Callable[[WeightedNumbers], Values]) -> Metric:
        return Metric(function.__name__, title, function, undefined, higher_is_better)

    return make


@_metric("Spearman", CONSTANT, higher_is_better=True)
def spearman(rows: WeightedNumbers) -> Values:
    """Correlation of ranks."""
    observed, predicted = rows.sample.ranks
    return rows.correlation(observed.weighted(rows.weights), predicted.weighted(rows.weights))


@_metric("Pearson", CONSTANT, higher_is_better=True)
def pearson(rows: WeightedNumbers) -> Values:
    """Correlation."""
    return rows.correlation(rows.sample.observed[None], rows.sample.predicted[None])


@_metric("MSE", NO_ROWS, higher_is_better=False)
def mse(rows: WeightedNumbers) -> Values:
    """Mean squared error."""
    return rows.squared_error


@_metric("MAE", NO_ROWS, higher_is_better=False)
def mae(rows: WeightedNumbers) -> Values:
    """Mean absolute error."""
    return rows.mean(np.abs(rows.sample.observed - rows.sample.predicted))


@_metric("R²", CONSTANT, higher_is_better=True)
def r2(rows: WeightedNumbers) -> Values:
    """One minus the squared error over that of the mean of what was observed."""
    observed = rows.sample.observed
    mean = rows.mean(observed)
    spread = rows.mean(observed**2) - mean**2
    varies = spread > _LEAST * mean**2
    return np.where(varies, 1 - rows.squared_error / np.where(varies, spread, 1), np.nan)


STANDARD = ("spearman", "pearson", "mse", "mae", "r2")
"""The metrics of this file in the order of tables."""

NUMBER_METRICS: Registry[Metric] = Registry(
    "metric of numbers",
    {name: f"{__name__}:{name}" for name in STANDARD},
    group="attendna.number_metrics",
)
