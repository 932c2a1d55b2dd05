import json
from pathlib import Path

import pytest

from attendna.cli import demo
from attendna.cli.main import run
from attendna.evaluation.evaluate import read_metrics


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with a training of seconds."""
    trainer = demo.SETTINGS["trainer"] | {"epochs": 2, "threads": 1, "device": "cpu"}
    stem = demo.SETTINGS["model"]["stem"] | {"channels": 16}
    model = demo.SETTINGS["model"] | {"width": 16, "heads": 2, "stem": stem}
    monkeypatch.setattr(demo, "SETTINGS", demo.SETTINGS | {"trainer": trainer, "model": model})
    monkeypatch.setattr(demo, "EXPLAINED", 3)


@pytest.mark.usefixtures("small")
def test_every_step_leaves_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--sequences", "400", "--json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    for step in range(1, 7):
        assert f"{step} of 6" in said.err
    assert Path(result["report"]).stat().st_size > 1_000_000
    assert (out / "ism" / "logo.svg").is_file()
    stored = {r["metric"]: r["value"] for r in read_metrics(out / "run") if r["split"] == "test"}
    assert result["test"] == pytest.approx(stored)
    assert 0.5 < result["base_auroc"] <= 1

    assert run(["demo", "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
