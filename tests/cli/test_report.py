import json
from pathlib import Path

import pytest
from tests.planted import plant

from attendna.cli.main import run
from attendna.core.provenance import commanded
from attendna.report.html import write_report
from attendna.tasks.store import Task


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run folder whose training has only begun."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.yaml").write_text("seed: 1\n")
    return folder


def test_report_writes_the_page_and_says_so(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = plant(tmp_path / "task").folder
    out = tmp_path / "new" / "report.html"
    words = ["report", str(begun), "--task", str(task), "--out", str(out)]
    assert run(words) == 0
    assert f"wrote {out} (2." in capsys.readouterr().err
    with commanded(words):
        expected = write_report(begun, tmp_path / "again.html", task)
    assert out.read_bytes() == expected.read_bytes()


def test_report_as_json(begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.html"
    assert run(["report", str(begun), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(out), "bytes": out.stat().st_size}


def test_wrong_input_is_one_line_and_writes_nothing(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    wrong = {
        "no such run folder": [str(tmp_path / "absent"), "--out", str(out)],
        "not a run folder": [str(tmp_path), "--out", str(out)],
        "no such task folder": [str(begun), "--out", str(out), "--task", str(tmp_path / "absent")],
        "has no scores.parquet": [str(begun), "--out", str(out), "--ism", str(begun)],
        "exists": [str(begun), "--out", str(taken)],
        "is a folder": [str(begun), "--out", str(tmp_path), "--force"],
        "--out": [str(begun)],
    }
    for complaint, arguments in wrong.items():
        assert run(["report", *arguments]) == 2
        said = capsys.readouterr()
        assert complaint in said.err
        assert said.err.count("\n") == 1
        assert said.err.startswith("error: ")
        assert not said.out
    assert not out.exists()
    assert taken.read_text() == "mine"


def test_force_replaces(begun: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert run(["report", str(begun), "--out", str(out)]) == 0
    old = out.stat().st_ino
    assert run(["report", str(begun), "--out", str(out), "--force"]) == 0
    assert out.stat().st_ino != old
    assert out.read_text("utf-8").startswith("<!doctype html>")


def test_the_task_of_another_run_is_refused(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    other = plant(tmp_path / "other", seed=9)
    assert run(["report", str(runs[0]), "--task", str(other.folder), "--out", str(out)]) == 2
    assert "give the folder it was trained on" in capsys.readouterr().err
    assert not out.exists()
    assert run(["report", str(runs[0]), "--task", str(planted.folder), "--out", str(out)]) == 0
