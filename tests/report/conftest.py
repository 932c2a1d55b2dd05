"""Run folders to make pages of: a trained one, and ones with predictions of any kind."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tests.planted import plant

from attendna.core.config import to_yaml
from attendna.evaluation.evaluate import EvaluationResult, evaluate, measure, write_evaluation
from attendna.evaluation.metrics import Sample
from attendna.models.checkpoint import Checkpoint, InputContract, save
from attendna.tasks.spec import SplitName
from attendna.tasks.store import Task, open_task
from attendna.training.run import RunConfig
from attendna.training.train import train

MODEL = {"name": "cnn", "width": 4, "blocks": 1}

MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A binary task of 240, 120 and 60 rows of differing lengths."""
    return plant(tmp_path_factory.mktemp("report") / "task")


@pytest.fixture(scope="session")
def trained(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained after a search and has seen its test split."""
    settings = {
        "tokenizer": "onehot",
        "model": MODEL,
        "trainer": {"epochs": 3, "batch_size": 32, "threads": 1, "device": "cpu"},
        "variants": [
            {"name": "one-strand", "set": {"strands": "single"}},
            {"name": "both-strands", "set": {"strands": "conjoined"}},
        ],
        "probe": {"share": 0.4},
    }
    folder = tmp_path_factory.mktemp("report") / "run"
    train(RunConfig.model_validate(settings), task.folder, folder, progress=False)
    evaluate(folder, task.folder, "test", resamples=50)
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make a run folder out of probabilities for the splits of a task; the model is untrained."""

    def make(task: Task, said: Mapping[SplitName, np.ndarray], threshold: float = 0.5) -> Path:
        folder = tmp_path / "made"
        folder.mkdir()
        task = open_task(task.folder)
        spec = task.spec
        checkpoint = Checkpoint(
            run_id="abc123",
            tokenizer={"name": "onehot"},
            model=MODEL,
            strands="augment",
            label_kind=spec.label_kind,
            classes=spec.classes,
            threshold=threshold,
            input=InputContract(
                shortest=24, longest=48, task=spec.name, split_hash=task.split_hash()
            ),
        )
        torch.manual_seed(0)
        save(folder, checkpoint, checkpoint.build())
        config = RunConfig.model_validate({"tokenizer": "onehot", "model": MODEL})
        (folder / "run.yaml").write_text(to_yaml(config.to_tree()))
        names = spec.classes[1:] if spec.label_kind == "binary" else spec.classes
        for split, probabilities in said.items():
            rows = task.read(split)
            sample = Sample.of(rows.labels, probabilities, threshold)
            columns = {
                name: sample.probabilities[:, t].astype(np.float32) for t, name in enumerate(names)
            }
            head = {"task": spec.name, "split": split, "id": rows.ids, "label": rows.labels}
            measured = measure(
                sample, spec.label_kind, run="abc123", task=spec.name, split=split, resamples=50
            )
            write_evaluation(folder, EvaluationResult(measured, pl.DataFrame(head | columns)))
        return folder

    return make


def metric_rows(run: Path) -> list[dict[str, object]]:
    """The rows of ``metrics.json``."""
    return json.loads((run / "metrics.json").read_text())


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task of three classes."""
    folder = tmp_path_factory.mktemp("report") / "three"
    return plant(folder, classes=("none", "one", "two"))
