import sys

import numpy as np
import pytest

from attendna.core.errors import MissingExtraError
from attendna.models.learners.boosted import XGBoostConfig

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(400, 5)).astype(np.float32)


def test_trees_learn_what_no_line_can() -> None:
    targets = (FEATURES[:, 0] * FEATURES[:, 1]).astype(np.float64)
    learner = XGBoostConfig(rounds=200, learning_rate=0.1, features=1.0)
    learned = learner.fit(FEATURES[:300], targets[:300], 0, seed=0, threads=1)
    found = learner.predict(learned, FEATURES[300:], 0)[:, 0]
    assert np.corrcoef(found, targets[300:])[0, 1] > 0.8


def test_a_missing_package_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    targets = FEATURES[:, 0].astype(np.float64)
    with pytest.raises(MissingExtraError, match=r"pip install 'attendna\[trees\]'"):
        XGBoostConfig().fit(FEATURES, targets, 0, seed=0, threads=1)
