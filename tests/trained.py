"""Small trained runs on one planted task, for every test that only reads or copies them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Every test session reads this file, also those that never train: imports are made when needed.
if TYPE_CHECKING:
    from attendna.tasks.store import Task


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> "Task":
    """A binary task of 240, 120 and 60 rows."""
    from tests.planted import plant

    return plant(tmp_path_factory.mktemp("planted") / "task")


@pytest.fixture(scope="session")
def runs(planted: "Task", tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run that has learned something, and one that has learned less."""
    from attendna.training.run import RunConfig
    from attendna.training.train import train

    out = tmp_path_factory.mktemp("runs")
    for name, epochs in (("good", 8), ("poor", 1)):
        settings = {
            "tokenizer": "onehot",
            "model": {"name": "cnn", "width": 16, "blocks": 1},
            "optimizer": {"learning_rate": 0.01},
            "trainer": {"epochs": epochs, "batch_size": 32, "threads": 1, "device": "cpu"},
        }
        train(RunConfig.model_validate(settings), planted.folder, out / name, progress=False)
    return out / "good", out / "poor"


@pytest.fixture(scope="session")
def light(planted: "Task", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the light attention model."""
    from attendna.training.run import RunConfig
    from attendna.training.train import train

    settings = {
        "tokenizer": {"name": "kmer", "k": 4},
        "model": {"name": "enhancer_attention", "embedding": "learned"},
        "optimizer": {"learning_rate": 0.03},
        "trainer": {"epochs": 20, "batch_size": 32, "threads": 1, "device": "cpu"},
    }
    out = tmp_path_factory.mktemp("light") / "run"
    return train(RunConfig.model_validate(settings), planted.folder, out, progress=False)
