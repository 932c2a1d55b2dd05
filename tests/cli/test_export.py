import json
from pathlib import Path

import pytest
from tests.models.huggingface import checkpoints
from tests.models.huggingface.test_export import tuned

from attendna.cli.main import run as attendna
from attendna.tasks.store import Task


def test_a_run_is_written_as_transformers_reads_it(
    planted: Task, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.dnabert(tmp_path / "theirs", 3)
    run = tuned(tmp_path / "theirs", planted, tmp_path / "run")
    words = ["export", str(run), "--out", str(tmp_path / "out")]
    capsys.readouterr()
    assert attendna([*words, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert {"README.md", "config.json", "model.safetensors", "vocab.txt"} <= set(files)
    assert "tokenizer_config.json" in files
    assert attendna(words) == 2
    assert "add --force" in capsys.readouterr().err
    assert attendna([*words, "--force"]) == 0
    assert capsys.readouterr().err == f"wrote {tmp_path / 'out'}\n"
    assert attendna(["export", str(runs[0]), "--out", str(tmp_path / "other")]) == 2
    assert "transformers has no class" in capsys.readouterr().err
