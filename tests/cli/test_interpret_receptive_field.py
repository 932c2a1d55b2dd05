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


def test_rows_a_summary_and_a_page(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["interpret", "receptive-field", str(settings), "--tracks", "human=3", "--length"]
    words += ["512", "--positions", "5", "--sequences", "2", "--random-weights", "0"]
    assert run([*words, "--out", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["positions"] == [0, 127, 255, 384, 511]
    assert summary["left_over_right"] > 0
    assert summary == json.loads((out / "receptive_field.json").read_text())
    rows = pl.read_parquet(out / "receptive_field.parquet")
    assert rows.height == 5 * 64
    assert pl.read_csv(out / "receptive_field.csv").height == rows.height
    assert (out / "receptive_field.html").is_file()


def test_wrong_input_is_one_line_and_nothing_is_written(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    drawn = ["--random-weights", "0"]
    for words, said in (
        (["--length", "512"], "name a run, or draw them by --random-weights SEED"),
        (drawn, "names no window; give --length BASES"),
        ([*drawn, "--length", "513"], "513 bases are no whole number of bins"),
        ([*drawn, "--length", "512", "--head", "mouse", "--tracks", "human=2"], "no head 'mouse'"),
    ):
        line = ["interpret", "receptive-field", str(settings), *words, "--out", str(out)]
        assert run(line) == 2, words
        error = capsys.readouterr().err
        assert said in error
        assert "Traceback" not in error
        assert not out.exists()
