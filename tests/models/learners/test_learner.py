import pytest

from attendna.core.config import Config, parse
from attendna.core.errors import ConfigError
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.learner import AnyLearnerConfig


class Holder(Config):
    learner: AnyLearnerConfig


def test_a_learner_is_chosen_by_its_name() -> None:
    held = parse(Holder, {"learner": {"name": "random_forest", "trees": 7}}, "test")
    assert held.learner == RandomForestConfig(trees=7)
    assert parse(Holder, held.to_tree(), "test") == held


def test_an_unknown_learner_is_refused_with_what_is_near() -> None:
    with pytest.raises(ConfigError, match="did you mean xgboost"):
        parse(Holder, {"learner": {"name": "xgbost"}}, "test")
