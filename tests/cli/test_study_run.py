import json
import shutil
from pathlib import Path

import pytest
from tests.studied import Done

from attendna.cli.main import run
from attendna.cli.study_run import page


def test_a_study_that_is_done_is_told_and_drawn(
    studied: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(studied.out, tmp_path / "out")
    words = ["study", "run", str(out / "study.yaml"), "--out", str(out)]
    assert run([*words, "--task", f"Planted={studied.task.folder}", "--only", "width=wide"]) == 0
    said = capsys.readouterr().err
    assert "1 of 2  Planted wide seed 3 finished" in said
    assert "index.html" in said
    assert "Planted wild seed 5 diverged" in (out / "index.html").read_text(encoding="utf-8")
    assert run([*words, "--data", str(studied.task.folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["row"] for row in rows} >= {"narrow", "wide", "5-mer regression"}


def test_the_page_has_the_numbers_of_the_table(studied: Done) -> None:
    (task,) = page(studied.result).tasks
    assert [part.metric for part in task.metrics] == ["auroc", "mcc", "accuracy"]
    lines = studied.result.summaries[0].lines
    assert task.metrics[0].marks[0].value == lines[0].value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["t9"], "no study 't9'"),
        (["t1_positions_desk", "--only", "positons=rotary"], "did you mean positions"),
        (["t1_positions_desk", "--only", "rotary"], "write AXIS=LABEL"),
        (["t1_positions_desk", "--task", "Prom=x"], "no task 'Prom'"),
        (["t1_positions_desk", "--seeds", "one"], "--seeds one is no whole number"),
        (["t1_positions_desk", "--data", "gone"], "gone"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["study", "run", *words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert said in error
