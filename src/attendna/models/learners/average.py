"""The mean of what several learners tell, which err in different ways.

Shapes: ``N`` rows, ``F`` features, ``K`` columns.
"""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import Field

from attendna.models.learners.boosted import XGBoostConfig
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.learner import AnyLearnerConfig, Arrays, LearnerConfig, Target


class AverageConfig(LearnerConfig):
    """Several learners, each of which learns all rows."""

    name: Literal["average"] = "average"
    of: tuple[AnyLearnerConfig, ...] = Field(
        default=(RandomForestConfig(), XGBoostConfig()), min_length=1
    )

    @property
    def learns(self) -> tuple[Target, ...]:
        """What all of them can tell."""
        kinds: tuple[Target, ...] = ("classes", "numbers")
        return tuple(kind for kind in kinds if all(kind in part.learns for part in self.of))

    def drawn(self, generator: Generator) -> Self:
        """Settings at random of each."""
        return self.replace(of=tuple(part.drawn(generator) for part in self.of))

    def fit(
        self,
        features: Float32[ndarray, "N F"],
        targets: Float64[ndarray, " N"],
        classes: int,
        *,
        seed: int,
        threads: int,
    ) -> Arrays:
        """What each has learned, by its number."""
        found: Arrays = {}
        for number, part in enumerate(self.of):
            learned = part.fit(features, targets, classes, seed=seed, threads=threads)
            found |= {f"{number}.{name}": array for name, array in learned.items()}
        return found

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """Mean probabilities, or numbers."""
        parts: list[ndarray] = []
        for number, part in enumerate(self.of):
            own = {
                name.removeprefix(f"{number}."): array
                for name, array in learned.items()
                if name.startswith(f"{number}.")
            }
            parts.append(part.predict(own, features, classes))
        return np.stack(parts).mean(axis=0, dtype=np.float64)
