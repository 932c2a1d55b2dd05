import json
import shutil
from pathlib import Path

import pytest

from attendna.cli.main import run
from attendna.evaluation.evaluate import read_metrics
from attendna.tasks.store import Task


@pytest.fixture
def good(runs: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs[0], tmp_path / "run"))


def test_the_table_and_the_json_say_what_the_run_folder_holds(
    good: Path, planted: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(good), "--task", str(planted.folder), "--resamples", "50"]
    assert run([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    stored = [row for row in read_metrics(good) if row["split"] == "test"]
    assert rows == stored
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert "planted, test: 60 rows, prevalence 0.500" in shown
    for row in stored:
        assert row["metric"] in shown
        assert f"{row['value']:.4f}" in shown


def test_wrong_input_is_one_line(
    good: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (good / "metrics.json").read_bytes()
    task = str(planted.folder)
    for words, said in (
        ([str(tmp_path / "none"), "--task", task], "none"),
        ([str(good), "--task", str(tmp_path / "none")], "no such task folder"),
        ([str(good), "--task", task, "--split", "tset"], "tset"),
        ([str(good), "--task", task, "--device", "cuda:7"], "cuda"),
        ([str(good)], "--task"),
    ):
        assert run(["evaluate", *words]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    assert (good / "metrics.json").read_bytes() == before


def test_a_task_folder_in_place_of_a_run_is_named(
    planted: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(planted.folder)
    assert run(["evaluate", folder, "--task", folder]) == 2
    assert "is a task folder and no run" in capsys.readouterr().err
