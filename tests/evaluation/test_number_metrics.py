"""Metrics of measured numbers against plain ones."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from attendna.core.errors import UserError
from attendna.evaluation.number_metrics import NUMBER_METRICS, NumberSample

PLAIN = {
    "spearman": lambda y, x: stats.spearmanr(y, x)[0],
    "pearson": lambda y, x: stats.pearsonr(y, x)[0],
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r2_score,
}


def sample(rows: int = 80, decimals: int = 1) -> NumberSample:
    """Few decimals make ties."""
    random = np.random.default_rng(0)
    observed = random.normal(5, 1, rows)
    return NumberSample(
        observed.round(decimals), (observed + random.normal(0, 1, rows)).round(decimals)
    )


@pytest.mark.parametrize("name", list(NUMBER_METRICS))
@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_it_is_the_plain_one_and_a_weight_is_a_repetition(name: str, decimals: int) -> None:
    rows, metric = sample(decimals=decimals), NUMBER_METRICS[name]
    assert metric.name == name
    assert metric.value(rows) == pytest.approx(PLAIN[name](rows.observed, rows.predicted))
    weights = np.random.default_rng(1).integers(0, 4, (3, rows.n))
    found = metric(rows.weighted(weights.astype(np.float64)))
    for value, times in zip(found, weights, strict=True):
        repeated = [np.repeat(part, times) for part in (rows.observed, rows.predicted)]
        assert value == pytest.approx(PLAIN[name](*repeated))


def test_what_does_not_vary_has_no_correlation() -> None:
    flat = NumberSample(np.full(5, 0.3), np.arange(5.0))
    turned = NumberSample(np.arange(5.0), np.full(5, 0.3))
    for name in ("spearman", "pearson"):
        assert np.isnan(NUMBER_METRICS[name].value(flat))
        assert np.isnan(NUMBER_METRICS[name].value(turned))
    assert np.isnan(NUMBER_METRICS["r2"].value(flat))
    assert NUMBER_METRICS["r2"].value(turned) < 0


def test_what_cannot_be_measured_is_told() -> None:
    with pytest.raises(UserError, match="there are no rows"):
        NumberSample(np.zeros(0), np.zeros(0))
    with pytest.raises(UserError, match="the prediction of row 2 is nan"):
        NumberSample(np.zeros(2), np.array([0, np.nan]))
