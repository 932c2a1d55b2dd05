import json
from pathlib import Path

import pytest

from attendna.cli.main import run
from attendna.core.recipes import recipes


def test_recipes_are_listed_shown_and_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recipes", "list", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(recipes())
    assert run(["recipes", "list"]) == 0
    assert "s_enformer_small" in capsys.readouterr().out
    assert run(["recipes", "show", "classify"]) == 0
    assert capsys.readouterr().out == recipes()["classify"].read_text()
    copy = ["recipes", "copy", "classify", "--out", str(tmp_path / "mine.yaml")]
    assert run(copy) == 0
    assert (tmp_path / "mine.yaml").read_bytes() == recipes()["classify"].read_bytes()
    assert run(copy) == 2
    assert run(["recipes", "show", "clasify"]) == 2
    assert "did you mean classify" in capsys.readouterr().err
