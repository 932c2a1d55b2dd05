import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from tests.models.test_track_source import SMALL

from attendna.cli.main import run


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


def test_a_table_a_plan_and_a_page(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["profile", str(settings), "--tracks", "human=3", "--steps", "1", "--device", "cpu"]
    out = tmp_path / "out"
    sweep = ["--length", "512,1_024,2048", "--attention", "sparse", "--mode", "forward"]
    assert run([*words, *sweep, "--memory", "2GB", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert said.count("forward, sparse, 1 layer, ") == 3
    assert "2 GB hold " in said
    assert pl.read_parquet(out / "profile.parquet").height == 3
    assert pl.read_csv(out / "profile.csv")["length"].to_list() == [512, 1024, 2048]
    tree = json.loads((out / "profile.json").read_text())
    assert [point["status"] for point in tree["points"]] == ["measured"] * 3
    assert (out / "profile.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_wrong_input_is_one_line_and_nothing_is_written(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for words, said in (
        (["--length", "half"], "--length half is no whole number; write digits"),
        (["--length", "513"], "513 bases are no whole number of bins"),
        (["--length", "512", "--layers", "two"], "--layers two is no whole number"),
        (["--length", "512", "--attention", "linear"], "there is no attention 'linear'"),
        (["--length", "512", "--mode", "sleep"], "there is no mode 'sleep'"),
        (["--length", "512", "--precision", "fp8"], "there is no precision 'fp8'"),
        (["--length", "512", "--memory", "much"], "'much' is no size of memory"),
        (["--length", "512", "--tracks", "human"], "--tracks human is no head"),
        (["--length", "512", "--set", "model.blocks=3"], "blocks"),
    ):
        assert run(["profile", str(settings), *words, "--out", str(out)]) == 2, words
        error = capsys.readouterr().err
        assert said in error
        assert "Traceback" not in error
        assert not out.exists()
    assert run(["profile", str(tmp_path / "none.yaml"), "--length", "512", "--out", str(out)]) == 2
    assert "none.yaml" in capsys.readouterr().err
