"""Every metric against scikit-learn with the same weights, and where it is not defined."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from attendna.core.errors import UserError
from attendna.evaluation.metrics import (
    ECE_BINS,
    METRICS,
    Sample,
    Weighted,
    calibration_bin,
    confidence_and_hit,
)

# A few values on purpose: ties, thresholds met exactly, and the ends of the scale.
BINARY = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5001, 0.9, 1.0])),
    min_size=4,
    max_size=30,
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def value(name: str, sample: Sample, weights: np.ndarray | None = None) -> float:
    if weights is None:
        return METRICS[name].value(sample)
    return float(METRICS[name](Weighted(sample, weights[None].astype(np.float64)))[0])


@settings(max_examples=30)
@given(BINARY, st.integers(0, 100))
def test_binary_metrics_are_those_of_scikit_learn(rows: list, seed: int) -> None:
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.random.default_rng(seed).integers(1, 4, labels.size)
    sample = Sample.of(labels, scores)
    called = scores >= 0.5
    options = {"sample_weight": weights}
    expected = {
        "auroc": reference.roc_auc_score(labels, scores, **options),
        "auprc": reference.average_precision_score(labels, scores, **options),
        "mcc": reference.matthews_corrcoef(labels, called, **options),
        "accuracy": reference.accuracy_score(labels, called, **options),
        "recall": reference.recall_score(labels, called, **options),
        "specificity": reference.recall_score(labels, called, pos_label=0, **options),
        "f1": reference.f1_score(labels, called, **options),
        "brier": reference.brier_score_loss(labels, scores, **options),
    }
    if called.any():
        expected["precision"] = reference.precision_score(labels, called, **options)
    for name, wanted in expected.items():
        assert value(name, sample, weights) == pytest.approx(wanted, abs=1e-12), name
    inside = np.clip(scores, 1e-3, 1 - 1e-3)
    assert value("log_loss", Sample.of(labels, inside), weights) == pytest.approx(
        reference.log_loss(labels, inside, **options)
    )


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_many_classes_are_those_of_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(200) % 4)
    probabilities = generator.dirichlet(np.ones(4), 200) + 0.3 * np.eye(4)[labels]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    weights = generator.integers(0, 3, 200)
    sample, called = Sample.of(labels, probabilities), probabilities.argmax(axis=1)
    options = {"sample_weight": weights}
    macro = options | {"average": "macro"}
    specificities = [reference.recall_score(labels != k, called != k, **options) for k in range(4)]
    expected = {
        "auroc": reference.roc_auc_score(labels, probabilities, multi_class="ovr", **macro),
        "auprc": reference.average_precision_score(labels, probabilities, **macro),
        "mcc": reference.matthews_corrcoef(labels, called, **options),
        "accuracy": reference.accuracy_score(labels, called, **options),
        "precision": reference.precision_score(labels, called, **macro),
        "recall": reference.recall_score(labels, called, **macro),
        "specificity": np.mean(specificities),
        "f1": reference.f1_score(labels, called, **macro),
        "log_loss": reference.log_loss(labels, probabilities, **options),
    }
    for name, wanted in expected.items():
        assert value(name, sample, weights) == pytest.approx(wanted, rel=1e-12), name
    half = ((probabilities - np.eye(4)[labels]) ** 2).sum(axis=1) / 2
    assert value("brier", sample, weights) == pytest.approx(np.average(half, weights=weights))


def test_two_columns_are_measured_like_one() -> None:
    """A binary task written as two classes: what is about both classes is their mean."""
    generator = np.random.default_rng(0)
    labels = np.arange(100) % 2
    positive = generator.uniform(size=100)
    one = Sample.of(labels, positive)
    two = Sample.of(labels, np.column_stack([1 - positive, positive]))
    assert one.binary
    assert not two.binary
    for name in ("auroc", "accuracy", "mcc", "brier", "log_loss"):
        assert value(name, two) == pytest.approx(value(name, one))


def test_the_published_example_of_ece() -> None:
    """Two rows said .95 of which one is right, two said .55 of which one is right."""
    sample = Sample.of(np.array([1, 0, 1, 0]), np.array([0.95, 0.95, 0.55, 0.55]))
    assert value("ece", sample) == pytest.approx((0.45 + 0.05) / 2)


def test_ece_of_many_classes_is_about_the_predicted_one() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.7, 0.1, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    sample = Sample.of(np.array([0, 1, 1, 2]), probabilities)
    confidence, hit = confidence_and_hit(sample)
    assert confidence.tolist() == [0.7, 0.7, 0.8, 0.6]
    assert hit.tolist() == [1, 0, 1, 1]
    assert value("ece", sample) == pytest.approx((abs(1.4 - 1) + 0.2 + 0.4) / 4)


def test_calibration_bins_cover_the_scale() -> None:
    edges = np.arange(ECE_BINS + 1) / ECE_BINS
    assert calibration_bin(edges + 1e-9 * (edges < 1)).tolist() == [*range(15), 14]
    assert calibration_bin(np.array([0.0, 1.0])).tolist() == [0, ECE_BINS - 1]


def test_what_is_not_defined_is_nan() -> None:
    scores = np.array([0.2, 0.7, 0.9])
    positives = Sample.of(np.ones(3), scores)
    assert {n for n in METRICS if np.isnan(value(n, positives))} == {
        "auroc", "auprc", "mcc", "specificity",
    }  # fmt: skip
    negatives = Sample.of(np.zeros(3), scores)
    assert {n for n in METRICS if np.isnan(value(n, negatives))} == {
        "auroc", "auprc", "mcc", "recall",
    }  # fmt: skip
    uncalled = Sample.of(np.array([0, 1, 1]), scores, threshold=0.95)
    assert {n for n in METRICS if np.isnan(value(n, uncalled))} == {"precision"}
    assert value("mcc", uncalled) == 0
    assert value("f1", uncalled) == 0


def test_a_class_without_rows_leaves_macro_metrics_undefined() -> None:
    sample = Sample.of(np.array([0, 1, 0]), np.array([[0.6, 0.3, 0.1]] * 3))
    for name in ("auroc", "auprc", "recall", "precision", "f1"):
        assert np.isnan(value(name, sample)), name
    assert value("accuracy", sample) == pytest.approx(2 / 3)


def test_the_threshold_is_met_from_above() -> None:
    sample = Sample.of(np.array([0, 1]), np.array([0.4999, 0.5]))
    assert sample.predicted.tolist() == [0, 1]
    assert Sample.of(np.array([0, 1]), np.array([0.2, 0.3]), 0.25).predicted.tolist() == [0, 1]


def test_prevalence() -> None:
    assert Sample.of(np.array([0, 1, 1, 1]), np.full(4, 0.5)).prevalence == 0.75
    assert Sample.of(np.array([0, 0, 1, 2]), np.full((4, 3), 1 / 3)).prevalence == 0.5


def test_no_metric_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in METRICS:
            value(name, Sample.of(np.ones(3), np.array([0.0, 1.0, 1.0])))


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], np.empty((0, 1)), "no rows to measure"),
        ([0, 2], [0.1, 0.2], "the labels reach from 0 to 2, the predictions know 2 classes"),
        ([-1, 1], [0.1, 0.2], "the labels reach from -1 to 1"),
        ([0, 1], [0.1, np.nan], "the prediction of row 2 is .*not a probability"),
        ([0, 1], [1.5, 0.5], "the prediction of row 1 is"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, probabilities, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Sample.of(np.array(labels, dtype=np.int64), np.array(probabilities))
