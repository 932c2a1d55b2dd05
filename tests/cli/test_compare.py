import json
from pathlib import Path

import pytest

from attendna.cli.main import run
from attendna.tasks.store import Task


def test_the_table_and_the_json_name_both_runs(
    runs: tuple[Path, Path], planted: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", *map(str, runs), "--task", str(planted.folder), "--resamples", "50"]
    assert run([*words, "--baseline", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = [*map(str, runs), "5-mer regression"]
    assert list(dict.fromkeys(row["run"] for row in found["rows"])) == names
    assert {test["run"] for test in found["tests"]} == set(names[1:])
    assert {test["test"] for test in found["tests"]} == {"bootstrap", "DeLong", "McNemar"}
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert "planted, test: 60 rows, prevalence 0.500" in shown
    assert f"{runs[1]}: difference from {runs[0]}" in shown
    assert "DeLong" in shown


def test_wrong_input_is_one_line(
    runs: tuple[Path, Path], planted: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    good, task = str(runs[0]), str(planted.folder)
    for words, said in (
        ([good, "--task", task], "one run to compare; name two runs, or add --baseline"),
        ([good, str(runs[1]), good, "--task", task], "a run is named twice"),
        ([good, "nowhere", "--task", task], "nowhere"),
        (["--task", task], "RUN"),
    ):
        assert run(["compare", *words]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.startswith("error: ")
        assert error.count("\n") == 1
