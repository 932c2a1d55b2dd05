import numpy as np

from attendna.models.learners.columns import learn, predict
from attendna.models.learners.linear import LogisticConfig, RidgeConfig

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(60, 4)).astype(np.float32)


def test_every_track_is_learned_of_the_rows_where_it_is_known() -> None:
    targets = np.stack([FEATURES[:, 0], -FEATURES[:, 1]], axis=1).astype(np.float64)
    garbled = targets.copy()
    garbled[:30, 1] = np.nan
    ridge = RidgeConfig(penalty=0.01)
    learned = learn(ridge, FEATURES, garbled, 0, seed=0, threads=1)
    np.testing.assert_allclose(predict(ridge, learned, FEATURES, 0), targets, atol=0.01)


def test_a_track_that_never_changes_keeps_its_value() -> None:
    targets = np.stack([FEATURES[:, 0] > 0, np.ones(60), np.full(60, np.nan)], axis=1)
    logistic = LogisticConfig(strength=100.0)
    learned = learn(logistic, FEATURES, targets.astype(np.float64), 2, seed=0, threads=1)
    found = predict(logistic, learned, FEATURES, 2)
    assert ((found[:, 0] > 0.5) == (FEATURES[:, 0] > 0)).all()
    assert (found[:, 1] == 1).all()
    assert (found[:, 2] == 0).all()
