"""A small task and a search on it whose trials take a second."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.planted import plant

from attendna.tasks.store import Task, open_task
from attendna.training.tuning.folder import TuneFolder
from attendna.training.tuning.search import Search
from attendna.training.tuning.tuning import Plan, Tuning

TREE: dict[str, Any] = {
    "base": {
        "tokenizer": {"name": "kmer", "k": 2},
        "model": "enhancer_attention",
        "strands": "single",
        "trainer": {"epochs": 1, "batch_size": 64, "threads": 1, "device": "cpu", "ema": 0.0},
    },
    "space": {"optimizer.learning_rate": {"low": 1e-3, "high": 0.3, "log": True}},
    "metric": "auroc",
    "sampler": {"name": "random"},
    "pruner": {"name": "none"},
}


@pytest.fixture
def tree() -> dict[str, Any]:
    """The settings of the small search, to be changed at will."""
    return deepcopy(TREE)


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A binary task without test rows, so that none can be read."""
    made = plant(tmp_path_factory.mktemp("tuning") / "task", rows=(80, 40, 20), lengths=(16, 16))
    made.path("test").unlink()
    return made


@pytest.fixture
def begin(task: Task, tmp_path: Path) -> Any:
    """Opens a search in a new folder, without a process that works on it."""

    def opened(tree: dict[str, Any], trials: int = 3, **told: Any) -> Tuning:
        search = Search.model_validate(tree)
        plan = Plan(tmp_path / "out", task.folder, trials, **told)
        folder = TuneFolder(plan.out)
        folder.begin(search, open_task(task.folder, ("train", "valid")), None)
        return Tuning.open(plan)

    return opened
