"""Intervals cover, tests agree with their definitions, and everything is paired."""

import numpy as np
import pytest
from scipy import stats

from attendna.core.errors import UserError
from attendna.evaluation.metrics import METRICS, Sample
from attendna.evaluation.uncertainty import (
    Estimate,
    bootstrap,
    delong,
    delong_interval,
    delong_test,
    ends,
    interval,
    mcnemar,
    mean_of_rows,
    paired_difference,
    resampled_ratios,
    resamples,
)


def simulated(n: int, seed: int, signal: float = 1.0, noise: float = 1.0) -> Sample:
    """Rows of which half are positive on average; their logits differ by ``2 * signal``."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, n)
    logits = signal * (2 * labels - 1) + noise * generator.normal(size=n)
    return Sample.of(labels, 1 / (1 + np.exp(-logits)))


def test_resamples_draw_n_rows_evenly() -> None:
    chunks = list(resamples(50_000, 5, np.random.default_rng(0)))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    weights = np.concatenate(chunks)
    assert (weights.sum(axis=1) == 50_000).all()
    # A row is left out of a resample with probability (1 - 1/n)^n, which is 1/e.
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.003)


def test_resamples_are_those_of_drawing_rows() -> None:
    weights = next(resamples(7, 3, np.random.default_rng(5)))
    drawn = np.random.default_rng(5).integers(7, size=(3, 7))
    assert weights.tolist() == [np.bincount(row, minlength=7).tolist() for row in drawn]


def test_bootstrap_gives_what_measuring_each_resample_gives() -> None:
    sample = simulated(40, 1)
    metrics = [METRICS[name] for name in ("auroc", "mcc", "ece")]
    fast = bootstrap([sample], metrics, np.random.default_rng(2), 20)[0]
    drawn = np.random.default_rng(2).integers(40, size=(20, 40))
    for c, metric in enumerate(metrics):
        slow = [
            metric.value(Sample(sample.labels[rows], sample.probabilities[rows])) for rows in drawn
        ]
        assert fast[c] == pytest.approx(slow)


def test_the_spread_of_resampled_accuracy_is_binomial() -> None:
    sample = simulated(500, 3)
    values = bootstrap([sample], [METRICS["accuracy"]], np.random.default_rng(0), 4000)[0, 0]
    share = METRICS["accuracy"].value(sample)
    assert values.std() == pytest.approx(np.sqrt(share * (1 - share) / 500), rel=0.05)


@pytest.mark.parametrize("name", ["auroc", "accuracy", "mcc", "brier"])
def test_intervals_cover_the_truth_about_95_times_in_100(name: str) -> None:
    metric = METRICS[name]
    truth = metric.value(simulated(200_000, 0))
    hits = 0
    for seed in range(150):
        sample = simulated(150, seed + 1)
        values = bootstrap([sample], [metric], np.random.default_rng(seed), 200)[0, 0]
        low, high = interval(metric, metric.value(sample), values)
        hits += low <= truth <= high
    # Three standard errors of 150 trials around 95 %, and a little below: the method is asymptotic.
    assert 0.88 <= hits / 150 <= 0.995


def test_the_interval_of_ece_takes_its_inflation_off() -> None:
    """Of overconfident predictions the true error is known; resampling alone overstates it."""
    ece = METRICS["ece"]
    truth = ece.value(simulated(400_000, 0, signal=1, noise=1.5))
    hits, plain = 0, 0
    for seed in range(100):
        sample = simulated(2_000, seed + 1, signal=1, noise=1.5)
        values = bootstrap([sample], [ece], np.random.default_rng(seed), 200)[0, 0]
        low, high = interval(ece, ece.value(sample), values)
        assert 0 <= low <= ece.value(sample) <= high
        hits += low <= truth <= high
        plain += np.quantile(values, 0.025) <= truth <= np.quantile(values, 0.975)
    assert hits >= 85
    assert hits > plain


def test_there_is_no_interval_where_resamples_are_undefined() -> None:
    metric = METRICS["auroc"]
    values = np.full(100, 0.7)
    assert interval(metric, 0.7, values) == (0.7, 0.7)
    assert np.isnan(interval(metric, np.nan, values)).all()
    values[:4] = np.nan
    assert interval(metric, 0.7, values) == (0.7, 0.7)
    values[:6] = np.nan
    assert np.isnan(interval(metric, 0.7, values)).all()


def test_samples_of_other_rows_are_refused() -> None:
    with pytest.raises(UserError, match="not of the same rows"):
        bootstrap([simulated(20, 0), simulated(20, 1)], [METRICS["mcc"]], np.random.default_rng(0))
    with pytest.raises(UserError, match="0 resamples"):
        bootstrap([simulated(20, 0)], [METRICS["mcc"]], np.random.default_rng(0), 0)


def test_a_model_does_not_differ_from_itself() -> None:
    values = bootstrap([simulated(50, 0)], [METRICS["mcc"]], np.random.default_rng(0), 200)[0, 0]
    assert paired_difference(0.4, 0.4, values, values) == (0, 0, 0, 1)


def test_a_paired_difference_is_seen_where_intervals_overlap() -> None:
    """Two models err on nearly the same rows: apart they look alike, paired they do not."""
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 2
    noise = 1.5 * generator.normal(size=400)
    samples = [
        Sample.of(labels, 1 / (1 + np.exp(-(shift * (2 * labels - 1) + noise))))
        for shift in (0.8, 1.0)
    ]
    metric = METRICS["accuracy"]
    worse, better = (metric.value(sample) for sample in samples)
    values = bootstrap(samples, [metric], np.random.default_rng(1), 1000)[:, 0]
    assert interval(metric, worse, values[0]).high > interval(metric, better, values[1]).low
    found = paired_difference(better, worse, values[1], values[0])
    assert found.value == better - worse
    assert 0 < found.low < found.value < found.high
    assert found.p_value == pytest.approx(2 / 1001)
    turned = paired_difference(worse, better, values[0], values[1])
    assert turned.p_value == found.p_value
    assert turned.high == pytest.approx(-found.low)


def test_p_values_of_no_difference_are_even() -> None:
    """Two equally good models: a p-value below 1/5 comes about one time in five."""
    metric = METRICS["accuracy"]
    small = 0
    for seed in range(120):
        generator = np.random.default_rng(seed)
        labels = np.arange(150) % 2
        samples = [
            Sample.of(labels, 1 / (1 + np.exp(-(2 * labels - 1) - generator.normal(size=150))))
            for _ in range(2)
        ]
        values = bootstrap(samples, [metric], generator, 200)[:, 0]
        found = paired_difference(
            metric.value(samples[0]), metric.value(samples[1]), values[0], values[1]
        )
        small += found.p_value < 0.2
    assert 0.08 < small / 120 < 0.32


def placements(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong 1988 by its definition: every positive against every negative, ties half."""
    areas, components = [], []
    for score in scores:
        x, y = score[positive], score[~positive]
        wins = (x[:, None] > y).astype(float) + 0.5 * (x[:, None] == y)
        areas.append(wins.mean())
        components.append((wins.mean(axis=1), wins.mean(axis=0)))
    covariance = np.empty((len(scores), len(scores)))
    for i, (x_i, y_i) in enumerate(components):
        for j, (x_j, y_j) in enumerate(components):
            covariance[i, j] = np.cov(x_i, x_j)[0, 1] / x_i.size + np.cov(y_i, y_j)[0, 1] / y_i.size
    return np.array(areas), covariance


@pytest.mark.parametrize("decimals", [1, 6])
def test_delong_is_its_definition(decimals: int) -> None:
    generator = np.random.default_rng(decimals)
    positive = generator.random(80) < 0.3
    scores = np.round(positive + generator.normal(size=(3, 80)), decimals)
    areas, covariance = delong(positive, scores)
    wanted_areas, wanted_covariance = placements(positive, scores)
    assert areas == pytest.approx(wanted_areas)
    assert covariance == pytest.approx(wanted_covariance)


def test_delong_agrees_with_the_bootstrap() -> None:
    sample = simulated(800, 5)
    positive, score = sample.labels == 1, sample.probabilities[:, 0]
    values = bootstrap([sample], [METRICS["auroc"]], np.random.default_rng(0), 1000)[0, 0]
    by_bootstrap = interval(METRICS["auroc"], METRICS["auroc"].value(sample), values)
    assert delong_interval(positive, score) == pytest.approx(by_bootstrap, abs=0.003)


def test_delong_tests_a_difference() -> None:
    generator = np.random.default_rng(0)
    positive = np.arange(400) % 2 == 1
    good = positive + generator.normal(size=400)
    bad = good + 2 * generator.normal(size=400)
    found = delong_test(positive, good, bad)
    (area_good, area_bad), covariance = placements(positive, np.stack([good, bad]))
    error = np.sqrt(np.array([1, -1]) @ covariance @ np.array([1, -1]))
    assert found.value == pytest.approx(area_good - area_bad)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(found.value / error))
    assert found.low == pytest.approx(found.value - 1.959964 * error)
    assert found.p_value < 1e-4


def test_delong_of_scores_in_the_same_order() -> None:
    positive = np.array([True, False, True, False, True])
    score = np.array([0.9, 0.8, 0.7, 0.2, 0.4])
    assert delong_test(positive, score, score**3) == (0, 0, 0, 1)
    perfect = np.where(positive, 1.0, 0.0)
    assert delong_interval(positive, perfect) == (1, 1)


def test_delong_needs_two_of_each() -> None:
    with pytest.raises(UserError, match="there are 1 positives and 3 negatives"):
        delong_interval(np.array([True, False, False, False]), np.arange(4.0))


def test_mcnemar_counts_the_rows_that_differ() -> None:
    first = np.array([True] * 9 + [False] * 1 + [True] * 50 + [False] * 40)
    second = np.array([False] * 9 + [True] * 1 + [True] * 50 + [False] * 40)
    # Nine against one: 2 (C(10, 0) + C(10, 1)) / 2^10.
    assert mcnemar(first, second) == pytest.approx(22 / 1024)
    assert mcnemar(second, first) == pytest.approx(22 / 1024)
    assert mcnemar(first, first) == 1


def test_the_mean_of_rows_leaves_out_those_without_a_value() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    values[:40] = np.nan
    found = mean_of_rows(values, np.random.default_rng(1))
    known = values[40:]
    assert found.value == pytest.approx(known.mean())
    reach = 1.96 * known.std() / np.sqrt(known.size)
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.1)
    none = mean_of_rows(np.full(3, np.nan), np.random.default_rng(1))
    assert np.isnan(none).all()
    assert none._fields == Estimate._fields


def test_columns_have_the_same_resamples() -> None:
    over = np.random.default_rng(0).random((30, 2))
    under = np.stack([np.ones(30), np.zeros(30)], axis=1)
    draws = resampled_ratios(np.hstack([over, 3 * over]), np.hstack([under, under]),
                             np.random.default_rng(1), 200)  # fmt: skip
    assert draws.shape == (200, 4)
    assert draws[:, 2] == pytest.approx(3 * draws[:, 0])
    assert np.isnan(draws[:, [1, 3]]).all()
    low, high = ends(draws)
    assert low[0] < over[:, 0].mean() < high[0]
    assert np.isnan(low[1])
    assert np.isnan(high[3])
