"""Which sequences a reader should look at: the clear ones, the doubtful ones, the mistakes.

Shapes: ``N`` sequences.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from attendna.evaluation.metrics import Sample

MOST_BASES = 600
"""Bases of a sequence that are shown; its beginning, where it is longer."""
_BLOCK = 10


@dataclass(frozen=True)
class Example:
    """A sequence beside what the model said of it."""

    row: int
    id: str
    truth: int
    predicted: int
    probability: float
    """Binary: of the positive class. More classes: of the predicted class."""

    @property
    def right(self) -> bool:
        """Whether it was given its class."""
        return self.truth == self.predicted


def certainty(sample: Sample) -> Float64[ndarray, " N"]:
    """How far each row is from being called otherwise: 0 on the border, 1 as far as can be.

    Binary: the way from the threshold to the end of the scale. More classes: the lead of the most
    probable class over the next.
    """
    if sample.binary:
        probability, threshold = sample.probabilities[:, 0], sample.threshold
        above = (probability - threshold) / max(1 - threshold, np.finfo(float).tiny)
        below = (threshold - probability) / max(threshold, np.finfo(float).tiny)
        return np.where(sample.predicted == 1, above, below)
    ordered = np.sort(sample.probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def most_certain(sample: Sample, each: int = 3) -> Int64[ndarray, " _"]:
    """Rows given their class with the most certainty, ``each`` of every class that was found."""
    right = np.flatnonzero(sample.predicted == sample.labels)
    ordered = right[np.argsort(-certainty(sample)[right], kind="stable")]
    classes = [ordered[sample.labels[ordered] == label] for label in range(sample.classes)]
    return np.concatenate([rows[:each] for rows in reversed(classes)])


def least_certain(sample: Sample, count: int = 5) -> Int64[ndarray, " _"]:
    """Rows nearest to being called otherwise."""
    return np.argsort(certainty(sample), kind="stable")[:count]


def worst_mistakes(sample: Sample, count: int = 6) -> Int64[ndarray, " _"]:
    """Rows given another class than theirs with the most certainty."""
    wrong = np.flatnonzero(sample.predicted != sample.labels)
    return wrong[np.argsort(-certainty(sample)[wrong], kind="stable")][:count]


def examples(ids: tuple[str, ...], sample: Sample, rows: Int64[ndarray, " _"]) -> list[Example]:
    """The chosen rows, as the page shows them."""
    said = sample.probabilities[:, 0] if sample.binary else sample.probabilities.max(axis=1)
    return [
        Example(
            row=row,
            id=ids[row],
            truth=int(sample.labels[row]),
            predicted=int(sample.predicted[row]),
            probability=float(said[row]),
        )
        for row in rows.tolist()
    ]


def blocks(sequence: str) -> list[list[str]]:
    """A sequence in blocks of ten bases, each cut into runs of one letter."""
    shown = sequence[:MOST_BASES]
    return [
        ["".join(run) for _, run in groupby(shown[start : start + _BLOCK])]
        for start in range(0, len(shown), _BLOCK)
    ]
