import json
import shutil
from pathlib import Path

import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.cli.main import run
from attendna.tasks.store import Task


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    tables = {"train/a": apart(30), "train/b": apart(30, 50)}
    tables |= {"test/a": apart(20), "test/b": apart(20, 90)}
    return write_intervals(tmp_path / "leaky", tables)


def test_an_audit_is_printed_with_its_verdict(
    leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit.json"
    assert run(["data", "audit", str(leaky), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "test, 40 rows: leaks" in said.out
    assert "20 of 20 a rows (100.0%) are also training rows" in said.out
    assert "look-up" in said.out
    assert "data clean" in said.err
    assert run(["data", "audit", str(leaky), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())
    assert sorted(path.name for path in leaky.iterdir()) == ["test", "train"]


def test_a_task_folder_keeps_its_audit_and_its_report_shows_it(
    planted: Task,
    runs: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task, page = tmp_path / "task", tmp_path / "report.html"
    shutil.copytree(planted.folder, task)
    words = ["report", str(runs[0]), "--task", str(task), "--out", str(page), "--force"]
    assert run(words) == 0
    assert "has not been audited" in page.read_text("utf-8")
    assert run(["data", "audit", str(task)]) == 0
    assert (task / "audit.json").is_file()
    assert run(words) == 0
    text = page.read_text("utf-8")
    assert text.index("Audit of the validation split") < text.index('id="data"')
    capsys.readouterr()


def test_wrong_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert run(["data", "audit", str(folder)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
