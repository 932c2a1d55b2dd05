"""A planted task, and the settings of a network small enough to be trained in a test."""

from pathlib import Path
from typing import Any

import pytest
from tests.planted import plant

from attendna.training.run import RunConfig

SMALL: dict[str, Any] = {
    "tokenizer": "onehot",
    "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2},
    "trainer": {"epochs": 3, "batch_size": 32, "threads": 1, "precision": "fp32", "device": "cpu"},
}


def small(**sections: Any) -> RunConfig:
    """The small settings, with other keys, or with some of the trainer's replaced."""
    tree = dict(SMALL)
    for key, value in sections.items():
        merge = isinstance(value, dict) and key == "trainer"
        tree[key] = {**tree[key], **value} if merge else value
    return RunConfig.model_validate(tree)


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A binary task of 240, 120 and 60 rows."""
    return plant(tmp_path_factory.mktemp("planted") / "task").folder
