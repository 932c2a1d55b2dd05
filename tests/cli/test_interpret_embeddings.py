import json
from pathlib import Path

import polars as pl
import pytest

from attendna.cli.main import run
from attendna.tasks.store import Task


def test_the_rows_of_a_task_are_laid_out(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task, out = str(planted.folder), tmp_path / "out"
    words = ["interpret", "embeddings", str(runs[0]), task, "--out", str(out)]
    assert run([*words, "--split", "valid", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sequences"] == 120
    # The model has learned the classes, and its head reads them.
    assert said["alike"] > said["by_chance"] + 0.2
    points = pl.read_parquet(out / "points.parquet")
    assert tuple(points["id"]) == planted.read("valid").ids
    assert "By class" in (out / "embeddings.html").read_text(encoding="utf-8")
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*words, "--force", "--split", "test"]) == 0
    assert "of the nearest neighbors" in capsys.readouterr().err
