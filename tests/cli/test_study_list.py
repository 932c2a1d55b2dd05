import json

import pytest

from attendna.cli.main import run


def test_studies_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["t1_positions_desk"]["runs"] == 30
    assert run(["study", "list"]) == 0
    assert "t2_tokenizers_desk" in capsys.readouterr().out
