import json
from pathlib import Path

import polars as pl
import pytest
from tests.training.learnable import learnable

from attendna.cli.main import run
from attendna.tasks.store import Task


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))


def transfer(*words: object) -> int:
    return run(["transfer", *map(str, words)])


def test_what_was_learned_predicts_for_a_file(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--task", planted.folder, "--out", out, "--learner", "logistic")
    assert transfer(runs[0], *words, "--set", "learner.strength=1", "--json") == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert next(row["value"] for row in metrics if row["metric"] == "auroc") > 0.9
    source = tmp_path / "a.fa"
    source.write_text(f">a\n{'ACTG' * 8}\n>b\n{'ACTGTGACTCAT' * 3}\n")
    assert run(["predict", str(out), str(source), "--out", str(tmp_path / "a.tsv")]) == 0
    frame = pl.read_csv(tmp_path / "a.tsv", separator="\t")
    assert frame.columns == ["id", "bound", "call", "precision"]


def test_wrong_input_is_one_line(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, task = tmp_path / "out", planted.folder
    numbers = learnable(tmp_path / "numbers", "regression", ("a",), rows=(8, 4, 4)).folder
    for words, told in (
        ((tmp_path, "--task", task), "no trained model is there"),
        ((runs[0], "--task", tmp_path), "is not a task folder"),
        ((runs[0], "--task", numbers, "--learner", "logistic"), "does not learn numbers"),
        ((runs[0], "--task", task, "--learner", "xgbost"), "did you mean xgboost?"),
        ((runs[0], "--task", task, "--share", 0), "share"),
        ((runs[0], "--task", task, "--set", "learner.tree=5"), "learner.tree"),
    ):
        assert transfer(*words, "--out", out) == 2
        message = capsys.readouterr().err.strip()
        assert told in message
        assert len(message.splitlines()) == 1, message
    assert not out.exists()


def test_a_checkpoint_of_others_is_learned_from_and_kept(
    planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.models.huggingface import checkpoints

    checkpoints.dnabert(tmp_path / "dnabert", 3)
    out = tmp_path / "out"
    words = ("--task", planted.folder, "--out", out, "--learner", "logistic")
    assert transfer(tmp_path / "dnabert", *words) == 0
    source = tmp_path / "a.fa"
    source.write_text(f">a\n{'ACTG' * 8}\n>b\n{'ACTGTGACTCAT' * 3}\n")
    predict = ["predict", str(out), str(source), "--out"]
    assert run([*predict, str(tmp_path / "a.tsv")]) == 0
    # The run needs the folder no more.
    (tmp_path / "dnabert").rename(tmp_path / "gone")
    assert run([*predict, str(tmp_path / "b.tsv")]) == 0
    assert (tmp_path / "a.tsv").read_text() == (tmp_path / "b.tsv").read_text()
