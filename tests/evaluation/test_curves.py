"""Curves against scikit-learn's, and what they say of each metric."""

import numpy as np
import pytest
from sklearn import metrics as reference

from attendna.core.errors import UserError
from attendna.evaluation.curves import precision_recall, roc
from attendna.evaluation.metrics import METRICS, Contrast, Sample


def contrast(decimals: int, seed: int = 0) -> Contrast:
    generator = np.random.default_rng(seed)
    positive = generator.random(150) < 0.3
    return Contrast(positive, np.round(generator.random(150) * 0.7 + 0.3 * positive, decimals))


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_roc_is_that_of_scikit_learn(decimals: int) -> None:
    rows = contrast(decimals)
    curve = roc(rows)
    x, y, thresholds = reference.roc_curve(rows.positive, rows.score, drop_intermediate=False)
    assert curve.x == pytest.approx(x)
    assert curve.y == pytest.approx(y)
    assert curve.thresholds == pytest.approx(thresholds)
    sample = Sample.of(rows.positive.astype(int), rows.score)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(METRICS["auroc"].value(sample))


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_precision_recall_is_that_of_scikit_learn(decimals: int) -> None:
    rows = contrast(decimals)
    curve = precision_recall(rows)
    precision, recall, thresholds = reference.precision_recall_curve(rows.positive, rows.score)
    # Theirs runs from the lowest threshold up and adds a last point that no threshold has.
    assert curve.x == pytest.approx(recall[-2::-1])
    assert curve.y == pytest.approx(precision[-2::-1])
    assert curve.thresholds == pytest.approx(thresholds[::-1])
    assert curve.x[-1] == 1
    assert curve.y[-1] == pytest.approx(rows.positive.mean())


def test_one_class_has_no_curve() -> None:
    with pytest.raises(UserError, match="ROC curve of one class"):
        roc(Contrast(np.array([True, True]), np.array([0.1, 0.2])))
    with pytest.raises(UserError, match="without positive rows"):
        precision_recall(Contrast(np.array([False, False]), np.array([0.1, 0.2])))
