import json
from pathlib import Path

import pytest

from attendna.cli.main import run

SMALL = ["--set", "genes=2", "--set", "chromosomes=2", "--set", "tissues=3"]


def test_files_are_written_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "simulate-regulation", "--out", str(tmp_path / "made"), *SMALL]
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["genes"], told["tissues"]) == (4, 3)
    assert (tmp_path / "made" / "genome.fa").read_text().count(">") == 2
    assert run(words) == 2
    assert "--force" in capsys.readouterr().err


def test_a_wrong_setting_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "simulate-regulation", "--out", str(tmp_path / "made"), "--set", "gene=2"]
    assert run(words) == 2
    assert "gene" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
