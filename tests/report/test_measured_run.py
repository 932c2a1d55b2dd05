"""The page about runs of numbers and of tracks, and about transfers."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.training.learnable import learnable

from attendna.core.errors import FolderError
from attendna.evaluation.evaluate import evaluate, read_metrics
from attendna.report import measured_run
from attendna.report.html import write_report
from attendna.report.measured_run import MeasuredRunPage, scatter
from attendna.report.run import Run
from attendna.training.frozen import TransferConfig, transfer
from attendna.training.run import RunConfig
from attendna.training.train import train

SMALL = {
    "tokenizer": "onehot",
    "model": {"name": "cnn", "width": 8, "blocks": 1},
    "trainer": {"epochs": 2, "threads": 1, "device": "cpu"},
}


def trained(home: Path, kind: str, classes: tuple[str, ...]) -> Path:
    task = learnable(home / "task", kind, classes)
    settings = SMALL | ({"objective": {"loss": "huber"}} if kind == "regression" else {})
    run = train(RunConfig.model_validate(settings), task.folder, home / "run", progress=False)
    evaluate(run, task.folder, device="cpu", resamples=20)
    return run


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("numbers"), "regression", ("up", "<down>"))


def test_numbers_are_drawn_beside_what_was_measured(numbers: Path, tmp_path: Path) -> None:
    sheet = MeasuredRunPage(Run(numbers)).sheet()
    found = [section.id.split("-")[-1] for section in sheet.sections]
    assert found == ["test", "valid", "training", "settings"]
    value = {(r["split"], r["metric"]): r["value"] for r in read_metrics(numbers)}
    assert sheet.lead.startswith(f"spearman {value['test', 'spearman']:.4f} (")
    test = sheet.sections[0]
    assert [chart.title.split(":")[0] for chart in test.charts] == ["up", "<down>"]
    _, points = test.charts[0].figure.data
    frame = pl.read_parquet(numbers / "predictions.parquet").filter(split="test")
    assert len(points.x) == frame["label"].list.get(0).is_not_null().sum()
    assert sorted(points.y) == pytest.approx(sorted(frame["up"]), abs=1e-4)
    assert {row[0]: row[1] for row in test.tables[0].rows}["mse"] == f"{value['test', 'mse']:.4f}"
    assert [row[0] for row in test.tables[1].rows] == ["up", "<down>"]
    page = write_report(numbers, tmp_path / "page.html").read_text()
    assert "<down>" not in page
    assert "&lt;down&gt;" in page


def test_tracks_have_tables_and_no_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_run, "MOST_LISTED", 1)
    run = trained(tmp_path, "multilabel", ("a", "b"))
    sheet = MeasuredRunPage(Run(run)).sheet()
    test = sheet.sections[0]
    assert not test.charts
    assert len(test.tables[1].rows) == 1
    assert test.tables[1].caption == "1 more in track_metrics.parquet"
    assert sheet.lead.startswith("auprc ")


def test_a_transfer_says_its_learner(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    task = learnable(tmp_path / "task", "binary", ("no", "yes"))
    config = TransferConfig.model_validate({"run": runs[0], "learner": {"name": "logistic"}})
    out = transfer(config, task.folder, tmp_path / "out", device="cpu", progress=False)
    sheet = MeasuredRunPage(Run(out)).sheet()
    assert ("Learner", "logistic") in [tile[:2] for tile in sheet.tiles]
    assert sheet.sections[-1].code[0][0] == "All settings (transfer.yaml)"
    assert write_report(out, tmp_path / "page.html").is_file()


def test_nothing_measured_has_no_page(numbers: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_bytes((numbers / "run.yaml").read_bytes())
    with pytest.raises(FolderError, match="not finished"):
        MeasuredRunPage(Run(tmp_path)).sheet()


def test_what_is_equal_lies_on_the_diagonal() -> None:
    layout = scatter(np.array([0.0, 2.0]), np.array([0.4, 0.6]), "test").layout
    assert layout.xaxis.range == layout.yaxis.range
    assert layout.xaxis.range[0] < 0
    assert layout.xaxis.range[1] > 2
