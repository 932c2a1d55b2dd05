"""What every registered metric must do, tested the moment its registry line exists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendna.evaluation.metrics import METRICS, Metric, Sample, Weighted, all_metrics
from attendna.evaluation.uncertainty import bootstrap, interval

CLASSES = [2, 3]


@pytest.fixture(params=list(METRICS))
def metric(request: pytest.FixtureRequest) -> Metric:
    return METRICS[request.param]


def sample(classes: int, rows: int = 60, seed: int = 0, decimals: int = 8) -> Sample:
    """Informative probabilities; with few decimals there are ties."""
    generator = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    logits = generator.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    probabilities = np.round(probabilities, decimals)
    return Sample.of(labels, probabilities[:, 1] if classes == 2 else probabilities)


def perfect(classes: int) -> Sample:
    labels = np.arange(12) % classes
    certain = np.eye(classes)[labels]
    return Sample.of(labels, certain[:, 1] if classes == 2 else certain)


def test_it_is_described(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.title
    assert metric.undefined
    assert metric in list(all_metrics())


@pytest.mark.parametrize("classes", CLASSES)
def test_it_has_one_value_a_weighting(metric: Metric, classes: int) -> None:
    rows = sample(classes)
    weights = np.random.default_rng(1).integers(1, 4, (5, 60)).astype(np.float64)
    values = metric(Weighted(rows, weights))
    assert values.shape == (5,)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("classes", CLASSES)
def test_a_weight_of_two_is_a_row_twice(metric: Metric, classes: int) -> None:
    rows = sample(classes, decimals=1)
    weights = np.random.default_rng(2).integers(0, 3, (1, 60))
    repeated = np.repeat(np.arange(60), weights[0])
    again = Sample(rows.labels[repeated], rows.probabilities[repeated], rows.threshold)
    weighted = metric(Weighted(rows, weights.astype(np.float64)))
    assert weighted[0] == pytest.approx(metric.value(again), rel=1e-12)


@pytest.mark.parametrize("classes", CLASSES)
@settings(max_examples=12)
@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_is_of_no_matter(classes: int, seed: int) -> None:
    rows = sample(classes, decimals=2)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = Sample(rows.labels[order], rows.probabilities[order], rows.threshold)
    for metric in all_metrics():
        assert metric.value(shuffled) == pytest.approx(metric.value(rows), rel=1e-12)


@pytest.mark.parametrize("classes", CLASSES)
def test_nothing_is_better_than_perfect(metric: Metric, classes: int) -> None:
    best, other = metric.value(perfect(classes)), metric.value(sample(classes))
    assert best > other if metric.higher_is_better else best < other


@pytest.mark.parametrize("classes", CLASSES)
def test_its_interval_holds_its_value(metric: Metric, classes: int) -> None:
    rows = sample(classes)
    values = bootstrap([rows], [metric], np.random.default_rng(0), 200)[0, 0]
    low, high = interval(metric, metric.value(rows), values)
    assert low <= metric.value(rows) <= high
    assert high - low > 0.01


def test_what_is_not_defined_is_nan_without_a_warning(metric: Metric) -> None:
    nothing = Weighted(sample(2), np.zeros((1, 60)))
    assert np.isnan(metric(nothing)).all()


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("name", [metric.name for metric in all_metrics() if metric.of_confusion])
def test_a_metric_of_the_confusion_matrix_needs_nothing_else(name: str, classes: int) -> None:
    metric = METRICS[name]
    assert metric.of_confusion is not None
    once = sample(classes)
    rows = Weighted(once, np.ones((1, once.n)))
    assert metric.of_confusion(rows.confusion)[0] == metric(rows)[0]
