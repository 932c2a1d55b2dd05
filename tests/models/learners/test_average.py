import numpy as np
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.learners.average import AverageConfig
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.kernel import KernelRidgeConfig
from attendna.models.learners.linear import LogisticConfig, RidgeConfig

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(80, 4)).astype(np.float32)
NUMBERS = np.sin(FEATURES[:, 0]).astype(np.float64) + FEATURES[:, 1]
CLASSES = (NUMBERS > 0).astype(np.float64)


@pytest.mark.parametrize(
    ("parts", "targets", "classes"),
    [
        ((RidgeConfig(), KernelRidgeConfig()), NUMBERS, 0),
        ((LogisticConfig(), RandomForestConfig(trees=20)), CLASSES, 2),
    ],
    ids=["numbers", "classes"],
)
def test_it_tells_the_mean_of_its_parts(parts, targets, classes: int) -> None:
    learner = AverageConfig(of=parts)
    learned = learner.fit(FEATURES, targets, classes, seed=3, threads=1)
    alone = [
        part.predict(part.fit(FEATURES, targets, classes, seed=3, threads=1), FEATURES, classes)
        for part in parts
    ]
    found = learner.predict(learned, FEATURES, classes)
    np.testing.assert_allclose(found, (alone[0] + alone[1]) / 2, rtol=1e-6)


def test_it_learns_what_all_of_them_learn() -> None:
    assert AverageConfig().learns == ("classes", "numbers")
    assert AverageConfig(of=(RandomForestConfig(), RidgeConfig())).learns == ("numbers",)
    assert AverageConfig(of=(LogisticConfig(), RidgeConfig())).learns == ()


def test_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="of"):
        parse(AverageConfig, {"name": "average", "of": []}, "test")
