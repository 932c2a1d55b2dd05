"""What a score does at every threshold: ROC and precision-recall curves.

Shapes: ``G`` thresholds.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.errors import UserError
from attendna.evaluation.metrics import Contrast


class Curve(NamedTuple):
    """Points of a curve and the threshold of each, from the highest threshold to the lowest."""

    x: Float64[ndarray, " G"]
    y: Float64[ndarray, " G"]
    thresholds: Float64[ndarray, " G"]


def roc(contrast: Contrast) -> Curve:
    """False positive rate against true positive rate, from (0, 0), where the threshold is infinite.

    Raises
    ------
    UserError
        One of the two classes has no row.
    """
    true, false, scores = _called(contrast)
    if not true[-1] or not false[-1]:
        raise UserError("there is no ROC curve of one class", "evaluate rows of both classes")
    start = np.zeros(1)
    return Curve(
        np.concatenate([start, false / false[-1]]),
        np.concatenate([start, true / true[-1]]),
        np.concatenate([[np.inf], scores]),
    )


def precision_recall(contrast: Contrast) -> Curve:
    """Recall against precision; the last point calls every row positive.

    Raises
    ------
    UserError
        There is no positive row.
    """
    true, false, scores = _called(contrast)
    if not true[-1]:
        raise UserError("there is no recall without positive rows", "evaluate rows of both classes")
    return Curve(true / true[-1], true / (true + false), scores)


def _called(
    contrast: Contrast,
) -> tuple[Float64[ndarray, " G"], Float64[ndarray, " G"], Float64[ndarray, " G"]]:
    called = contrast.called(np.ones((1, contrast.score.size)))
    return called.true[0], called.false[0], contrast.score[contrast.order][contrast.last_of_ties]
