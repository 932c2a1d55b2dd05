import json
import struct
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import FolderError, UserError
from attendna.evaluation.evaluate import PREDICTIONS_FILE
from attendna.models import checkpoint
from attendna.report.run import Run
from attendna.tasks.store import Task


def test_header_is_that_of_the_model(trained: Path) -> None:
    header = Run(trained).header
    stored, model = checkpoint.load(trained)
    assert header is not None
    assert header.checkpoint == json.loads(json.dumps(stored.to_tree()))
    assert header.parameters == model.parameter_count() > 0
    assert header.numbers == sum(value.numel() for value in model.state_dict().values())
    assert (header.classes, header.binary) == (("background", "bound"), True)


def test_all_parts_of_a_finished_run_are_read(trained: Path) -> None:
    run = Run(trained)
    assert run.config["model"]["name"] == "cnn"
    assert run.environment is not None
    assert run.environment["task"] == "planted"
    assert run.log is not None
    assert run.log["step"].is_sorted()
    assert run.search is not None
    assert set(run.search["variants"]) == {"one-strand", "both-strands"}
    assert run.metrics is not None
    assert set(run.metrics["split"]) == {"valid", "test"}


def test_predictions_are_beside_the_truth(trained: Path, task: Task) -> None:
    evaluated = Run(trained).evaluated("planted")
    assert list(evaluated) == ["valid", "test"]
    rows = task.read("test")
    assert evaluated["test"].ids == rows.ids
    assert (evaluated["test"].sample.labels == rows.labels).all()
    assert evaluated["test"].sample.threshold == checkpoint.load(trained)[0].threshold
    assert Run(trained).evaluated("another task") == {}


def test_several_classes_have_a_column_each(make_run, three_classes: Task) -> None:
    said = np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float32)
    sample = Run(make_run(three_classes, {"test": said})).evaluated("planted")["test"].sample
    assert sample.probabilities == pytest.approx(said)


def test_missing_parts_are_none(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    run = Run(tmp_path)
    assert run.header is run.environment is run.search is run.log is run.metrics is None
    assert run.evaluated("planted") == {}


def test_a_log_without_rows_is_none(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    (tmp_path / "log.csv").write_text("epoch,step,train_loss,learning_rate,seconds\n")
    assert Run(tmp_path).log is None


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no such run folder"):
        Run(tmp_path / "absent")
    with pytest.raises(FolderError, match=r"it has no run\.yaml"):
        Run(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"\xff" * 40,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 40) + b'{"__metadata__": {"attendna": "{}"}}    ',
    ],
)
def test_damaged_weights_are_an_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(FolderError, match=r"model\.safetensors is damaged") as caught:
        _ = Run(tmp_path).header
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", "[{"),
        ("metrics.json", '[{"value": 1}]'),
        ("metrics.json", '{"value": 1}'),
        ("environment.json", "\x00"),
        ("search.json", "{"),
        ("log.csv", "a,b\n1,2\n3,4,5\n"),
    ],
)
def test_other_damaged_files_too(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=f"{name}(:| is) damaged") as caught:
        getattr(Run(tmp_path), name.partition(".")[0])
    assert "\n" not in str(caught.value)


def test_damaged_predictions(trained: Path, tmp_path: Path) -> None:
    for name in ("run.yaml", "model.safetensors"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    (tmp_path / PREDICTIONS_FILE).write_bytes(b"PAR1 no more")
    with pytest.raises(UserError, match="damaged"):
        Run(tmp_path).evaluated("planted")
