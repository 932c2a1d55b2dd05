"""Kernel ridge regression: what rows that are alike have in common, smoothly.

It is the mean of a Gaussian process. Features are standardized, and rows are as alike as a
Gaussian of their distance says.

Shapes: ``N`` rows, ``R`` rows that were learned from, ``F`` features, ``K`` columns.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import Field

from attendna.models.learners.learner import Arrays, LearnerConfig, Target

PORTION = 1024
"""Rows that are compared with all that was learned from at a time."""


class KernelRidgeConfig(LearnerConfig):
    """Every row is told by those it is like, with an L2 penalty."""

    name: Literal["kernel_ridge"] = "kernel_ridge"
    width: float = Field(default=0.7, gt=0)
    """Distance at which rows begin to be unlike: the root mean square over features, each in
    standard deviations."""
    penalty: float = Field(default=0.3, gt=0)
    """How much of what is measured is taken to be noise, relative to what can be told."""
    most: int = Field(default=20_000, ge=1)
    """Rows that are learned from; of more, so many at random. Up to eight bytes are needed for each
    pair of them."""

    @property
    def learns(self) -> tuple[Target, ...]:
        """Numbers."""
        return ("numbers",)

    def drawn(self, generator: Generator) -> Self:
        """Widths of 0.1 to 3 and penalties of 0.03 to 10."""
        return self.replace(
            width=float(10 ** generator.uniform(-1, 0.5)),
            penalty=float(10 ** generator.uniform(-1.5, 1)),
        )

    def fit(
        self,
        features: Float32[ndarray, "N F"],
        targets: Float64[ndarray, " N"],
        classes: int,
        *,
        seed: int,
        threads: int,
    ) -> Arrays:
        """The standardized rows, and how much each of them tells."""
        del classes, threads  # those of the linear algebra
        from sklearn.kernel_ridge import KernelRidge

        if len(features) > self.most:
            chosen = np.random.default_rng(seed).choice(len(features), self.most, replace=False)
            features, targets = features[np.sort(chosen)], targets[np.sort(chosen)]
        mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
        # What never changes makes no rows unlike.
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
        rows = (features - mean) * scale
        level = targets.mean()
        settings: dict[str, Any] = {"alpha": self.penalty, "gamma": self._gamma(scale)}
        model = KernelRidge(kernel="rbf", **settings).fit(rows, targets - level)
        return {
            "rows": rows,
            "weights": np.asarray(model.dual_coef_),
            "mean": mean,
            "scale": scale,
            "level": np.atleast_1d(level),
        }

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """Numbers."""
        del classes
        from sklearn.metrics.pairwise import rbf_kernel

        rows, scale = learned["rows"], learned["scale"]
        found = np.empty(len(features))
        for start in range(0, len(features), PORTION):
            part = (features[start : start + PORTION] - learned["mean"]) * scale
            likeness = rbf_kernel(part, rows, gamma=self._gamma(scale))
            found[start : start + PORTION] = likeness @ learned["weights"]
        return (found + learned["level"])[:, None]

    def _gamma(self, scale: Float32[ndarray, " F"]) -> float:
        """Factor of the squared distance, summed over the features that change."""
        return 1 / (2 * self.width**2 * max(1, np.count_nonzero(scale)))
