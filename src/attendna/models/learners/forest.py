"""Random forests, kept as the arrays of their trees.

Shapes: ``N`` rows, ``F`` features, ``K`` columns, ``t`` trees, ``n`` nodes of all trees together.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from numpy.random import Generator
from pydantic import Field

from attendna.models.learners.learner import Arrays, LearnerConfig, Target

CELLS = 1 << 22
"""Trees times rows that are walked through at a time."""


class RandomForestConfig(LearnerConfig):
    """Trees on resampled rows, of which the mean is taken."""

    name: Literal["random_forest"] = "random_forest"
    trees: int = Field(default=300, ge=1)
    leaf: int = Field(default=1, ge=1)
    """Rows a leaf holds at least."""
    features: float | None = Field(default=None, gt=0, le=1)
    """Share of the features tried at a node; none for their square root."""

    @property
    def learns(self) -> tuple[Target, ...]:
        """Both."""
        return ("classes", "numbers")

    def drawn(self, generator: Generator) -> Self:
        """Leaves and shares of features."""
        return self.replace(
            leaf=int(generator.choice([1, 2, 4, 8, 16])),
            features=[None, 0.1, 0.3, 1.0][int(generator.integers(4))],
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
        """The nodes of all trees."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        tried: Any = "sqrt" if self.features is None else self.features
        model = (RandomForestClassifier if classes else RandomForestRegressor)(
            n_estimators=self.trees,
            min_samples_leaf=self.leaf,
            max_features=tried,
            random_state=seed % (1 << 32),
            n_jobs=threads,
        )
        model.fit(features, targets)
        return _arrays([tree.tree_ for tree in model.estimators_], classes)

    def predict(
        self, learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"], classes: int
    ) -> Float64[ndarray, "N K"]:
        """The mean of what the leaves hold."""
        del classes
        rows = max(1, CELLS // learned["roots"].size)
        parts = [
            _walk(learned, features[start : start + rows])
            for start in range(0, len(features), rows)
        ]
        return np.concatenate(parts) if parts else np.empty((0, learned["value"].shape[1]))


def _arrays(trees: Sequence[Any], classes: int) -> Arrays:
    """The nodes of trees end to end; a leaf is its own child."""
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    children: list[ndarray] = []
    for root, tree in zip(roots, trees, strict=True):
        both = np.stack([tree.children_left, tree.children_right], axis=1)
        own = np.arange(tree.node_count)[:, None]
        children.append(root + np.where(both < 0, own, both))
    value = np.concatenate([tree.value[:, 0] for tree in trees])
    return {
        "roots": roots.astype(np.int32),
        "children": np.concatenate(children).astype(np.int32),
        "feature": np.concatenate([tree.feature for tree in trees]).clip(min=0).astype(np.int32),
        "threshold": np.concatenate([tree.threshold for tree in trees]),
        "value": (value[:, 1:] if classes == 2 else value).astype(np.float32),
    }


def _walk(
    learned: Mapping[str, ndarray], features: Float32[ndarray, "N F"]
) -> Float64[ndarray, "N K"]:
    """From the roots of all trees to their leaves, a level at a time."""
    children, feature, threshold = (learned[n] for n in ("children", "feature", "threshold"))
    rows = np.arange(len(features))[None]
    nodes = np.repeat(learned["roots"][:, None], len(features), axis=1)
    while True:
        right = features[rows, feature[nodes]] > threshold[nodes]
        below = children[nodes, right.astype(np.int8)]
        if (below == nodes).all():
            return learned["value"][nodes].mean(axis=0, dtype=np.float64)
        nodes = below
