import numpy as np
import pytest
from scipy import stats

from attendna.interpret.agreement import rank_correlations


def test_bases_without_a_value_are_left_out() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.random((2, 4, 9)).astype(np.float32)
    one[0, 7:] = np.nan
    other[0, 0] = np.nan
    one[1] = 0.5
    other[2] = np.nan
    found = rank_correlations(one, other)
    assert found[0] == pytest.approx(stats.spearmanr(one[0, 1:7], other[0, 1:7]).statistic)
    assert np.isnan(found[1:3]).all()
    assert found[3] == pytest.approx(stats.spearmanr(one[3], other[3]).statistic)
    assert rank_correlations(one, one)[3] == pytest.approx(1)
