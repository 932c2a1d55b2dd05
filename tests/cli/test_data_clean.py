import json
from pathlib import Path

import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.cli.main import run


def test_what_was_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = {"train/a": apart(30), "train/b": apart(30, 50)}
    tables |= {"test/a": apart(20), "test/b": apart(20, 90)}
    source, out = str(write_intervals(tmp_path / "leaky", tables)), tmp_path / "clean"
    assert run(["data", "clean", source, "--out", str(out)]) == 0
    assert "left out 20 duplicates and 0 contradictory rows" in capsys.readouterr().err
    words = ["data", "clean", source, "--out", str(out)]
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*words, "--force", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["duplicates"], found["out"]) == (20, str(out))
    assert run(["data", "audit", str(out), "--json"]) == 0
    assert {s["level"] for s in json.loads(capsys.readouterr().out)["splits"]} == {"clean"}
