"""One small study on the planted task, run once for every test that only reads it."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from attendna.studies.run import StudyResult
    from attendna.tasks.store import Task

TREE: dict[str, Any] = {
    "title": "Widths",
    "about": "Is wide better?",
    "scale": "desk",
    "tasks": {"Planted": {"folder": "$data"}},
    "base": {
        "tokenizer": "onehot",
        "model": {"name": "cnn", "width": 16, "blocks": 1},
        "optimizer": {"learning_rate": 0.01},
        "trainer": {"epochs": 2, "batch_size": 64, "threads": 1, "device": "cpu"},
    },
    "axes": {
        "width": [
            {"label": "narrow", "set": {"model.width": 2}},
            {"label": "wide", "set": {"model.width": 16}},
            {"label": "wild", "set": {"optimizer.learning_rate": 1e30, "optimizer.clip": None}},
        ]
    },
    "seeds": [3, 5],
    "metrics": ["auroc", "mcc"],
    "reference": "narrow",
    "paper": {"Planted": {"wide": {"auroc": 0.75}}},
}


@pytest.fixture
def study_tree() -> dict[str, Any]:
    """The settings of the small study, to be changed at will."""
    return deepcopy(TREE)


@dataclass(frozen=True)
class Done:
    """A study that was run, where, and what was said of each run."""

    result: "StudyResult"
    out: Path
    task: "Task"
    said: tuple[Any, ...]


@pytest.fixture(scope="session")
def studied(planted: "Task", tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The small study: two rows of two seeds each, and one that diverges."""
    from attendna.studies.run import run_study
    from attendna.studies.study import Study

    out = tmp_path_factory.mktemp("study") / "out"
    said: list[Any] = []
    result = run_study(Study.model_validate(TREE), out, planted.folder, done=said.append)
    return Done(result, out, planted, tuple(said))
