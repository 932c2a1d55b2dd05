"""Reliability is counting; the threshold is chosen for rows that are still to come."""

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve

from attendna.core.errors import ConfigError, UnknownNameError
from attendna.evaluation.calibration import choose_threshold, reliability
from attendna.evaluation.metrics import ECE_BINS, METRICS, Sample


def calibrated(n: int, seed: int, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn with their probabilities; another temperature makes these over-confident."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=n)
    labels = (generator.random(n) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    return labels, 1 / (1 + np.exp(-temperature * logits))


def test_reliability_is_that_of_scikit_learn() -> None:
    labels, probabilities = calibrated(2000, 0)
    table = reliability(Sample.of(labels, probabilities))
    frequency, mean = calibration_curve(labels, probabilities, n_bins=ECE_BINS)
    assert table["frequency"].to_numpy() == pytest.approx(frequency)
    assert table["probability"].to_numpy() == pytest.approx(mean)
    assert table["n"].sum() == 2000


def test_reliability_adds_up_to_the_ece() -> None:
    sample = Sample.of(*calibrated(500, 1, temperature=3))
    table = reliability(sample)
    gaps = (table["frequency"] - table["probability"]).abs() * table["n"] / 500
    assert gaps.sum() == pytest.approx(METRICS["ece"].value(sample))


def test_reliability_shows_wilson_intervals_of_filled_bins_only() -> None:
    sample = Sample.of(np.array([0, 1, 1, 1]), np.array([0.01, 0.99, 0.99, 1.0]))
    table = reliability(sample)
    assert table["n"].to_list() == [1, 3]
    assert table.row(1)[:2] == pytest.approx((14 / 15, 1.0))
    z2 = stats.norm.ppf(0.975) ** 2
    assert table["frequency_low"].to_list() == pytest.approx([0, 3 / (3 + z2)])
    assert table["frequency_high"].to_list() == pytest.approx([z2 / (1 + z2), 1])


@pytest.mark.parametrize("metric", ["mcc", "accuracy", "f1"])
def test_a_clear_gap_is_found(metric: str) -> None:
    labels = np.repeat([0, 1], 20)
    probabilities = np.concatenate([np.linspace(0.01, 0.2, 20), np.linspace(0.3, 0.6, 20)])
    threshold = choose_threshold(labels, probabilities, metric)
    assert 0.2 < threshold < 0.3
    assert METRICS[metric].value(Sample.of(labels, probabilities, threshold)) == 1


def test_it_is_the_mean_of_the_best_thresholds_of_resamples() -> None:
    """By another route: a loop over resamples and over every threshold."""
    labels, probabilities = calibrated(40, 3)
    drawn = np.random.default_rng(0).integers(40, size=(100, 40))
    edges = np.concatenate([[1 + 1e-6], np.sort(probabilities)[::-1], [0]])
    tried = (edges[1:] + edges[:-1]) / 2
    best = []
    for rows in drawn:
        values = np.array(
            [METRICS["mcc"].value(Sample.of(labels[rows], probabilities[rows], t)) for t in tried]
        )
        good = tried[np.isclose(values, values.max(), atol=1e-12)]
        best.append(good[np.abs(good - 0.5).argmin()])
    assert choose_threshold(labels, probabilities) == pytest.approx(np.mean(best))


def test_new_rows_gain_by_it() -> None:
    """Against the best threshold of the rows themselves, and against 1/2 where that is wrong."""
    labels, probabilities = calibrated(100_000, 0)
    shifted = probabilities**3
    later = {t: METRICS["mcc"].value(Sample.of(labels, shifted, t)) for t in (0.5,)}
    chosen, single = [], []
    for seed in range(1, 31):
        few_labels, few = calibrated(150, seed)
        chosen.append(choose_threshold(few_labels, few**3))
        thresholds = np.sort(few**3) - 1e-9
        values = [METRICS["mcc"].value(Sample.of(few_labels, few**3, t)) for t in thresholds]
        single.append(thresholds[int(np.argmax(values))])
    gain = {
        name: np.mean([METRICS["mcc"].value(Sample.of(labels, shifted, t)) for t in thresholds])
        for name, thresholds in (("chosen", chosen), ("single", single))
    }
    assert gain["chosen"] > gain["single"]
    assert gain["chosen"] > later[0.5] + 0.02


def test_a_seed_gives_one_threshold() -> None:
    labels, probabilities = calibrated(100, 0)
    assert choose_threshold(labels, probabilities) == choose_threshold(labels, probabilities)
    assert choose_threshold(labels, probabilities, seed=1) != choose_threshold(
        labels, probabilities
    )


def test_half_where_there_is_nothing_to_choose_by() -> None:
    assert choose_threshold(np.ones(4), np.array([0.1, 0.2, 0.3, 0.4])) == 0.5


def test_certain_scores_get_a_threshold_between_them() -> None:
    assert choose_threshold(np.array([0, 1, 0, 1]), np.array([0.0, 1.0, 0.0, 1.0])) == 0.5


def test_a_metric_without_threshold_is_refused() -> None:
    labels, probabilities = calibrated(20, 0)
    with pytest.raises(ConfigError, match="auroc does not depend on a threshold; choose it by mcc"):
        choose_threshold(labels, probabilities, "auroc")
    with pytest.raises(UnknownNameError, match="did you mean mcc"):
        choose_threshold(labels, probabilities, "mmc")
