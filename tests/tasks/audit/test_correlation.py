import numpy as np
import pytest
from scipy.stats import spearmanr

from attendna.tasks.audit.correlation import spearman


def measure(said, measured, groups=None, seed=0):
    groups = np.arange(len(said)) if groups is None else groups
    return spearman(said, measured, groups, np.random.default_rng(seed))


def test_it_is_the_mean_over_tracks_of_what_scipy_says() -> None:
    random = np.random.default_rng(0)
    said = random.normal(size=(300, 3))
    measured = 0.5 * said + random.normal(size=(300, 3))
    measured[random.random((300, 3)) < 0.2] = np.nan
    known = ~np.isnan(measured)
    expected = [spearmanr(said[known[:, t], t], measured[known[:, t], t])[0] for t in range(3)]
    found = measure(said, measured)
    assert found is not None
    assert found.value == pytest.approx(np.mean(expected))
    assert found.low < found.value < found.high
    assert found.n == 300


def test_the_interval_is_that_of_independent_groups() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=(2, 60))
    other = one + other
    alone = measure(one[:, None], other[:, None])
    tenfold = np.repeat(np.stack([one, other]), 10, axis=1)[:, :, None]
    grouped = measure(*tenfold, groups=np.repeat(np.arange(60), 10))
    naive = measure(*tenfold)
    assert alone is not None
    assert grouped is not None
    assert naive is not None
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert naive.high - naive.low < 0.5 * (grouped.high - grouped.low)


def test_a_bootstrap_by_sorting_agrees() -> None:
    random = np.random.default_rng(2)
    one = random.normal(size=200)
    other = one + 2 * random.normal(size=200)
    found = measure(one[:, None], other[:, None])
    slow = [
        spearmanr(one[rows], other[rows])[0] for rows in random.integers(0, 200, size=(500, 200))
    ]
    assert found is not None
    assert (found.low, found.high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.05)


def test_what_says_the_same_of_every_row_has_no_correlation() -> None:
    assert measure(np.ones((5, 2)), np.arange(10.0).reshape(5, 2)) is None
    assert measure(np.arange(4.0)[:, None], np.full((4, 1), np.nan)) is None
