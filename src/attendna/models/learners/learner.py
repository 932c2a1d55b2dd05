"""What every classic learner is, and the table of those there are.

What a learner has learned is a handful of arrays: they are stored beside networks, read back
without running code, and outlive the version of the library that found them.

Shapes: ``N`` rows, ``F`` features, ``K`` columns: one a class with three or more, else one.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from jaxtyping import Float, Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import SerializeAsAny

from attendna.core.config import Config, chosen_from
from attendna.core.registry import Registry

Target = Literal["classes", "numbers"]

Arrays = dict[str, ndarray]
"""What was learned, by names."""


class LearnerConfig(Config):
    """Base of every learner's settings: the name chooses the class."""

    name: str

    @property
    @abstractmethod
    def learns(self) -> tuple[Target, ...]:
        """What it can tell."""

    @abstractmethod
    def drawn(self, generator: Generator) -> Self:
        """Settings at random, from where good ones are found."""

    @abstractmethod
    def fit(
        self,
        features: Float32[ndarray, "N F"],
        targets: Float64[ndarray, " N"],
        classes: int,
        *,
        seed: int,
        threads: int,
    ) -> Arrays:
        """Learn class numbers below ``classes``, all of which occur; numbers where it is 0.

        Raises
        ------
        MissingExtraError
            The package that learns is not installed.
        """

    @abstractmethod
    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float[ndarray, "N K"]:
        """Probabilities, of the second class alone where there are two; or numbers."""


LEARNERS: Registry[type[LearnerConfig]] = Registry(
    "learner",
    {
        "average": "attendna.models.learners.average:AverageConfig",
        "kernel_ridge": "attendna.models.learners.kernel:KernelRidgeConfig",
        "logistic": "attendna.models.learners.linear:LogisticConfig",
        "random_forest": "attendna.models.learners.forest:RandomForestConfig",
        "ridge": "attendna.models.learners.linear:RidgeConfig",
        "xgboost": "attendna.models.learners.boosted:XGBoostConfig",
    },
    group="attendna.learners",
)

AnyLearnerConfig = Annotated[SerializeAsAny[LearnerConfig], chosen_from(LEARNERS)]
"""Field type: the settings of any registered learner, chosen by ``name``."""
