"""Linear learners: logistic regression of classes, ridge regression of numbers.

Features are standardized to learn; what is stored reads them as they are.

Shapes: ``N`` rows, ``F`` features, ``K`` columns.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import Field
from scipy.special import expit, softmax

from attendna.models.learners.learner import Arrays, LearnerConfig, Target


class LinearConfig(LearnerConfig):
    """Learners whose answer is a line for each class, or one for numbers."""

    @abstractmethod
    def estimator(self) -> Any:
        """What learns from standardized features."""

    def fit(
        self,
        features: Float32[ndarray, "N F"],
        targets: Float64[ndarray, " N"],
        classes: int,
        *,
        seed: int,
        threads: int,
    ) -> Arrays:
        """One line a class; of two classes, and of numbers, one."""
        del classes, seed, threads  # the optimum is the same however it is found
        mean = features.mean(axis=0, dtype=np.float64)
        spread = features.std(axis=0, dtype=np.float64)
        spread[spread == 0] = 1
        model = self.estimator().fit((features - mean) / spread, targets)
        weights = np.atleast_2d(model.coef_) / spread
        return {"weights": weights, "bias": np.atleast_1d(model.intercept_) - weights @ mean}


class LogisticConfig(LinearConfig):
    """Logistic regression with an L2 penalty."""

    name: Literal["logistic"] = "logistic"
    strength: float = Field(default=0.1, gt=0)
    """Inverse of the penalty (C)."""

    @property
    def learns(self) -> tuple[Target, ...]:
        """Classes."""
        return ("classes",)

    def drawn(self, generator: Generator) -> Self:
        """Strengths of 0.0001 to 100."""
        return self.replace(strength=float(10 ** generator.uniform(-4, 2)))

    def estimator(self) -> Any:
        """Of scikit-learn."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=self.strength, max_iter=1000)

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """Probabilities."""
        logits = _line(learned, features)
        return expit(logits) if classes == 2 else softmax(logits, axis=1)


class RidgeConfig(LinearConfig):
    """Least squares with an L2 penalty."""

    name: Literal["ridge"] = "ridge"
    penalty: float = Field(default=100.0, gt=0)

    @property
    def learns(self) -> tuple[Target, ...]:
        """Numbers."""
        return ("numbers",)

    def drawn(self, generator: Generator) -> Self:
        """Penalties of 0.01 to 100,000."""
        return self.replace(penalty=float(10 ** generator.uniform(-2, 5)))

    def estimator(self) -> Any:
        """Of scikit-learn."""
        from sklearn.linear_model import Ridge

        return Ridge(alpha=self.penalty)

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """Numbers."""
        del classes
        return _line(learned, features)


def _line(
    learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"]
) -> Float64[ndarray, "N K"]:
    return features.astype(np.float64) @ learned["weights"].T + learned["bias"]
