"""The page about a language model."""

import json
import shutil
from pathlib import Path

import pytest
from tests.training.pretraining.genomes import patterned, settings

from attendna.core.errors import FolderError
from attendna.report.language_run import LanguageRunPage
from attendna.report.run import Run
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language")
    config = PretrainingConfig.model_validate(settings())
    return pretrain(config, [patterned(folder / "genome")], folder / "run")


def test_the_model_stands_above_those_who_count(run: Path) -> None:
    sheet = LanguageRunPage(Run(run)).sheet()
    rows = json.loads((run / "metrics.json").read_text())
    value, n = rows[0]["value"], rows[0]["n"]
    assert f"Of {n:,} hidden bases held out {value:.1%} are told right" in sheet.lead
    assert [section.id for section in sheet.sections] == ["result", "training", "settings"]
    (table,) = sheet.sections[0].tables
    assert table.rows[0][:2] == ["this model", f"{value:.4f}"]
    named = [row[0] for row in table.rows]
    assert {"Markov 0", "Markov 5, told", "both sides 5"} <= set(named)
    assert len(named) == len({row["run"] for row in rows})
    points = sheet.sections[0].charts[0].figure.data
    assert [trace.y[0] for trace in points] == named
    assert points[0].x[0] == value
    best = max(r["value"] for r in rows[1:] if r["metric"] == "masked_accuracy"
               and r["run"] != rows[0]["run"])  # fmt: skip
    assert sheet.tiles[0][1] == f"{best:.1%}"


def test_of_words_it_says_what_stands_fair_beside_them(run: Path, tmp_path: Path) -> None:
    assert "byte-pair" not in LanguageRunPage(Run(run)).sheet().sections[0].texts[0]
    shutil.copytree(run, tmp_path / "words")
    settings = (run / "run.yaml").read_text().replace("name: onehot", "name: bpe")
    (tmp_path / "words" / "run.yaml").write_text(settings)
    (text,) = LanguageRunPage(Run(tmp_path / "words")).sheet().sections[0].texts
    assert "whole words of a byte-pair encoding" in text


def test_a_training_under_way_has_no_page(run: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_bytes((run / "run.yaml").read_bytes())
    with pytest.raises(FolderError, match="not finished"):
        LanguageRunPage(Run(tmp_path)).sheet()
