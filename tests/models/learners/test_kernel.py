import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from attendna.models.learners.kernel import PORTION, KernelRidgeConfig

RANDOM = np.random.default_rng(0)
FEATURES = (RANDOM.normal(size=(90, 5)) * [1, 10, 0.1, 1, 0] + 3).astype(np.float32)
TARGETS = (np.sin(FEATURES[:, 0]) + FEATURES[:, 1] / 10 + 4).astype(np.float64)


def test_it_is_the_mean_of_a_gaussian_process() -> None:
    learner = KernelRidgeConfig(width=0.7, penalty=0.2)
    learned = learner.fit(FEATURES, TARGETS, 0, seed=0, threads=1)
    changing = FEATURES[:, :4].astype(float)
    rows = (changing - changing.mean(0)) / changing.std(0)
    # Distances of rows are means over the four features that change.
    process = GaussianProcessRegressor(RBF(0.7 * 2), alpha=0.2, optimizer=None)
    wanted = process.fit(rows, TARGETS - TARGETS.mean()).predict(rows) + TARGETS.mean()
    found = learner.predict(learned, FEATURES, 0)[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_rows_like_none_are_told_the_mean() -> None:
    learner = KernelRidgeConfig()
    learned = learner.fit(FEATURES, TARGETS, 0, seed=0, threads=1)
    far = learner.predict(learned, FEATURES[:2] + 1_000, 0)
    np.testing.assert_allclose(far, TARGETS.mean(), rtol=1e-5)


def test_many_rows_are_told_in_portions_as_few_are() -> None:
    learner = KernelRidgeConfig()
    learned = learner.fit(FEATURES, TARGETS, 0, seed=0, threads=1)
    many = np.tile(FEATURES, (2 * PORTION // len(FEATURES) + 2, 1))
    found = learner.predict(learned, many, 0)
    np.testing.assert_allclose(found[-90:], learner.predict(learned, FEATURES, 0), rtol=1e-5)


def test_of_many_rows_some_are_learned_from() -> None:
    learner = KernelRidgeConfig(most=40)
    learned = [learner.fit(FEATURES, TARGETS, 0, seed=seed, threads=1) for seed in (0, 0, 1)]
    assert learned[0]["rows"].shape == (40, 5)
    np.testing.assert_array_equal(learned[0]["rows"], learned[1]["rows"])
    assert not np.array_equal(learned[0]["rows"], learned[2]["rows"])
