"""Correlations from sums against correlations of values."""

import numpy as np
import pytest

from attendna.evaluation.track_sums import TrackSums


@pytest.fixture
def values() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    observed = random.gamma(1.0, 2.0, (5, 40, 3)).astype(np.float32)
    predicted = (observed + random.gamma(1.0, 2.0, observed.shape)).astype(np.float32)
    observed[1, 3:9, 0] = np.nan
    observed[2, :, 1] = np.nan
    return predicted, observed


@pytest.mark.parametrize("log", [False, True])
def test_sums_are_as_good_as_values(values: tuple[np.ndarray, np.ndarray], log: bool) -> None:
    predicted, observed = values
    parts = [TrackSums.of(predicted[i : i + 2], observed[i : i + 2], log=log) for i in (0, 2, 4)]
    sums = TrackSums.joined(parts)
    one, other = (np.log1p(v) if log else v for v in (predicted, observed))
    for track in range(3):
        known = ~np.isnan(other[..., track])
        expected = np.corrcoef(one[..., track][known], other[..., track][known])[0, 1]
        assert sums.by_track()[track] == pytest.approx(expected)
    by_record = sums.by_record()
    assert np.isnan(by_record[2, 1])
    assert by_record[0, 2] == pytest.approx(np.corrcoef(one[0, :, 2], other[0, :, 2])[0, 1])


def test_what_does_not_vary_is_not_defined(values: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, observed = values
    flat = np.full_like(predicted, 0.1)
    assert np.isnan(TrackSums.of(flat, observed).by_track()).all()


def test_intervals_hold_the_value(values: tuple[np.ndarray, np.ndarray]) -> None:
    sums = TrackSums.of(*values)
    draws = sums.resampled(500, 0)
    assert draws.shape == (500, 3)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert ((low < sums.by_track()) & (sums.by_track() < high)).all()
    assert np.array_equal(draws, sums.resampled(500, 0))
