"""Every classic learner: learns what can be learned, and predicts the same from its file."""

from pathlib import Path

import numpy as np
import pytest

from attendna.core.config import parse
from attendna.models.learners.columns import learn, predict
from attendna.models.learners.learner import LEARNERS
from attendna.models.learners.learner_file import read_learner, write_learner

CASES = [(name, classes) for name in LEARNERS for classes in (0, 2, 3)]


def rows(classes: int, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    features = random.normal(size=(count, 8)).astype(np.float32)
    value = features[:, 0] - features[:, 3] + 0.3 * random.normal(size=count)
    if classes:
        value = np.digitize(value, np.quantile(value, np.arange(1, classes) / classes))
    return features, value.astype(np.float64)[:, None]


@pytest.mark.parametrize(("name", "classes"), CASES)
def test_learners_learn_and_are_stored(name: str, classes: int, tmp_path: Path) -> None:
    learner = parse(LEARNERS[name], {"name": name}, "test")
    if ("classes" if classes else "numbers") not in learner.learns:
        pytest.skip(f"{name} does not learn this")
    features, targets = rows(classes)
    learned = learn(learner, features[:200], targets[:200], classes, seed=0, threads=1)
    found = predict(learner, learned, features, classes)
    assert found.shape == (300, classes if classes > 2 else 1)
    if classes:
        assert ((found >= 0) & (found <= 1)).all()
        called = found.argmax(1) if classes > 2 else (found[:, 0] >= 0.5)
        assert (called[200:] == targets[200:, 0]).mean() > (0.7 if classes == 2 else 0.6)
    else:
        assert np.corrcoef(found[200:, 0], targets[200:, 0])[0, 1] > 0.85
    write_learner(tmp_path, {"format": 1}, learned)
    _, _, again = read_learner(tmp_path)
    np.testing.assert_array_equal(predict(learner, again, features, classes), found)


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_learned_follows_from_the_seed(name: str) -> None:
    learner = parse(LEARNERS[name], {"name": name}, "test")
    classes = 2 if "classes" in learner.learns else 0
    features, targets = rows(classes)
    found = [
        predict(
            learner,
            learn(learner, features, targets, classes, seed=seed, threads=threads),
            features,
            classes,
        )
        for seed, threads in ((1, 1), (1, 2))
    ]
    np.testing.assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize("name", LEARNERS)
def test_settings_at_random_are_settings(name: str) -> None:
    learner = parse(LEARNERS[name], {"name": name}, "test")
    generator = np.random.default_rng(0)
    drawn = [learner.drawn(generator) for _ in range(20)]
    assert all(parse(type(learner), one.to_tree(), "test") == one for one in drawn)
    assert len({repr(one) for one in drawn}) > 5
