import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from attendna.models.learners import forest
from attendna.models.learners.forest import RandomForestConfig

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(200, 6)).astype(np.float32)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_arrays_predict_as_the_forest_does(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = FEATURES[:, 0] * FEATURES[:, 1] + 0.2 * RANDOM.normal(size=200)
    targets = np.digitize(value, [-0.3, 0.3][: classes - 1]) if classes else value
    kind = RandomForestClassifier if classes else RandomForestRegressor
    plain = kind(20, min_samples_leaf=2, max_features="sqrt", random_state=4)
    plain.fit(FEATURES, targets.astype(np.float64))
    learner = RandomForestConfig(trees=20, leaf=2)
    learned = learner.fit(FEATURES, targets.astype(np.float64), classes, seed=4, threads=1)
    others = RANDOM.normal(size=(77, 6)).astype(np.float32)
    wanted = plain.predict_proba(others) if classes else plain.predict(others)[:, None]
    wanted = wanted[:, 1:] if classes == 2 else wanted
    np.testing.assert_allclose(learner.predict(learned, others, classes), wanted, atol=1e-6)
    # A few rows at a time are the same.
    monkeypatch.setattr(forest, "CELLS", 200)
    np.testing.assert_allclose(learner.predict(learned, others, classes), wanted, atol=1e-6)


def test_no_rows_are_no_predictions() -> None:
    learner = RandomForestConfig(trees=2)
    learned = learner.fit(FEATURES, FEATURES[:, 0].astype(np.float64), 0, seed=0, threads=1)
    assert learner.predict(learned, FEATURES[:0], 0).shape == (0, 1)
