"""One learner for the classes of rows, or one for each of several tracks.

Shapes: ``N`` rows, ``F`` features, ``C`` columns of targets, ``T`` outputs.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from attendna.models.learners.learner import Arrays, LearnerConfig

_CONSTANT = "constant"


def learn(
    learner: LearnerConfig,
    features: Float32[ndarray, "N F"],
    targets: Float64[ndarray, "N C"],
    classes: int,
    *,
    seed: int,
    threads: int,
) -> Arrays:
    """Learn every column of targets by itself, of the rows where it is known (not NaN).

    Of a column that never changes its value is kept.

    Parameters
    ----------
    classes
        Number of classes, or 0 where targets are numbers.
    """
    found: Arrays = {}
    for column, target in enumerate(targets.T):
        known = ~np.isnan(target)
        values = np.unique(target[known])
        if len(values) < 2:
            value = values if len(values) else np.zeros(1)
            part = {_CONSTANT: value.astype(np.float32)}
        else:
            rows = features if known.all() else features[known]
            part = learner.fit(rows, target[known], classes, seed=seed, threads=threads)
        found |= {f"{column}.{name}": array for name, array in part.items()}
    return found


def predict(
    learner: LearnerConfig,
    learned: Mapping[str, ndarray],
    features: Float32[ndarray, "N F"],
    classes: int,
) -> Float32[ndarray, "N T"]:
    """What was learned of every column, side by side."""
    parts: list[ndarray] = []
    for column in range(1 + max(int(name.partition(".")[0]) for name in learned)):
        prefix = f"{column}."
        own = {n.removeprefix(prefix): a for n, a in learned.items() if n.startswith(prefix)}
        if _CONSTANT in own:
            parts.append(np.full((len(features), 1), own[_CONSTANT][0]))
        else:
            parts.append(learner.predict(own, features, classes))
    return np.concatenate(parts, axis=1).astype(np.float32)
