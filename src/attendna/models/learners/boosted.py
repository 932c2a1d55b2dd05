"""Gradient-boosted trees by XGBoost, kept in its own binary format (UBJSON).

Shapes: ``N`` rows, ``F`` features, ``K`` columns.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import Field

from attendna.core.errors import MissingExtraError
from attendna.models.learners.learner import Arrays, LearnerConfig, Target


class XGBoostConfig(LearnerConfig):
    """Trees that each correct those before."""

    name: Literal["xgboost"] = "xgboost"
    rounds: int = Field(default=300, ge=1)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    depth: int = Field(default=4, ge=1)
    least_weight: float = Field(default=5.0, ge=0)
    """Rows (second derivatives, with classes) a leaf holds at least."""
    rows: float = Field(default=0.8, gt=0, le=1)
    """Share of the rows a tree sees."""
    features: float = Field(default=0.3, gt=0, le=1)
    """Share of the features a tree sees."""
    penalty: float = Field(default=1.0, ge=0)
    """L2 penalty of the leaves."""
    bins: int = Field(default=256, ge=2)
    """Places at which a feature may be split; fewer are quicker."""

    @property
    def learns(self) -> tuple[Target, ...]:
        """Both."""
        return ("classes", "numbers")

    def drawn(self, generator: Generator) -> Self:
        """Rounds, depths, shares and penalties."""
        return self.replace(
            rounds=int(generator.choice([100, 300, 600])),
            learning_rate=float(10 ** generator.uniform(-2, -0.7)),
            depth=int(generator.integers(2, 9)),
            least_weight=float(generator.choice([1, 5, 20, 50])),
            rows=float(generator.uniform(0.5, 1)),
            features=float(generator.uniform(0.1, 1)),
            penalty=float(10 ** generator.uniform(-1, 2)),
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
        """The trees, as bytes."""
        xgboost = _xgboost()
        settings: dict[str, Any] = {
            "objective": _objective(classes),
            "tree_method": "hist",
            "eta": self.learning_rate,
            "max_depth": self.depth,
            "min_child_weight": self.least_weight,
            "subsample": self.rows,
            "colsample_bytree": self.features,
            "lambda": self.penalty,
            "max_bin": self.bins,
            "seed": seed % (1 << 31),
            "nthread": threads,
        }
        if classes > 2:
            settings["num_class"] = classes
        rows = xgboost.QuantileDMatrix(features, targets, max_bin=self.bins, nthread=threads)
        booster = xgboost.train(settings, rows, num_boost_round=self.rounds)
        return {"trees": np.frombuffer(booster.save_raw("ubj"), dtype=np.uint8)}

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """Probabilities or numbers."""
        booster = _xgboost().Booster()
        booster.load_model(bytearray(learned["trees"].tobytes()))
        found = np.asarray(booster.inplace_predict(features), dtype=np.float64)
        return found.reshape(len(features), classes if classes > 2 else 1)


def _objective(classes: int) -> str:
    if not classes:
        return "reg:squarederror"
    return "binary:logistic" if classes == 2 else "multi:softprob"


def _xgboost() -> Any:
    try:
        return import_module("xgboost")
    except ImportError:
        raise MissingExtraError("xgboost", "trees", "the learner xgboost") from None
