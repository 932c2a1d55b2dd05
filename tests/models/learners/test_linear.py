import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from attendna.models.learners.linear import LogisticConfig, RidgeConfig

RANDOM = np.random.default_rng(0)
FEATURES = (RANDOM.normal(size=(120, 6)) * [1, 10, 0.1, 1, 1, 0] + 3).astype(np.float32)


def test_ridge_is_that_of_standardized_features() -> None:
    targets = FEATURES @ np.arange(6.0) + RANDOM.normal(size=120)
    plain = make_pipeline(StandardScaler(), Ridge(alpha=5)).fit(FEATURES.astype(float), targets)
    learner = RidgeConfig(penalty=5.0)
    learned = learner.fit(FEATURES, targets, 0, seed=0, threads=1)
    found = learner.predict(learned, FEATURES, 0)[:, 0]
    np.testing.assert_allclose(found, plain.predict(FEATURES.astype(float)), rtol=1e-4)


def test_logistic_regression_is_that_of_standardized_features() -> None:
    for classes in (2, 3):
        edges = np.quantile(FEATURES[:, 0], np.arange(1, classes) / classes)
        targets = np.digitize(FEATURES[:, 0] + 0.3 * RANDOM.normal(size=120), edges)
        plain = make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=1000))
        plain.fit(FEATURES.astype(float), targets)
        learner = LogisticConfig(strength=1.0)
        learned = learner.fit(FEATURES, targets.astype(np.float64), classes, seed=0, threads=1)
        wanted = plain.predict_proba(FEATURES.astype(float))
        found = learner.predict(learned, FEATURES, classes)
        np.testing.assert_allclose(found, wanted[:, 1:] if classes == 2 else wanted, atol=1e-3)
