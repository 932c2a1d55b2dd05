"""Evaluation against scikit-learn on the stored predictions, and what it refuses."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as sk
from tests.planted import forget_digests, plant

from attendna.core.errors import FolderError, UserError
from attendna.evaluation.evaluate import SeenRowsWarning, evaluate, read_metrics
from attendna.models.checkpoint import load
from attendna.tasks.store import Task


@pytest.fixture
def run(runs: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs[0], tmp_path / "run"))


def test_the_rows_are_those_of_sklearn_on_the_stored_predictions(run: Path, planted: Task) -> None:
    result = evaluate(run, planted.folder, resamples=200)
    stored = pl.read_parquet(run / "predictions.parquet").filter(split="test")
    labels, scores = stored["label"].to_numpy(), stored["bound"].to_numpy()
    threshold = load(run)[0].threshold
    assert stored["id"].to_list() == list(planted.read("test").ids)
    expected = {
        "auroc": sk.roc_auc_score(labels, scores),
        "auprc": sk.average_precision_score(labels, scores),
        "mcc": sk.matthews_corrcoef(labels, scores >= threshold),
        "accuracy": sk.accuracy_score(labels, scores >= threshold),
        "f1": sk.f1_score(labels, scores >= threshold),
        "brier": sk.brier_score_loss(labels, scores),
    }
    for name, value in expected.items():
        assert result.value(name) == pytest.approx(value, abs=1e-6)
    for row in result.rows:
        assert (row.n, row.prevalence, row.threshold) == (60, 0.5, threshold)
        assert row.low <= row.value <= row.high
    assert result.value("auroc") > 0.8


def test_measuring_again_replaces_the_rows_of_that_split_only(run: Path, planted: Task) -> None:
    before = read_metrics(run)
    assert {row["split"] for row in before} == {"valid"}
    for _ in range(2):
        evaluate(run, planted.folder, resamples=20)
    after = read_metrics(run)
    assert [row for row in after if row["split"] == "valid"] == before
    assert len(after) == 2 * len(before)
    assert pl.read_parquet(run / "predictions.parquet").height == 120 + 60


def test_rows_the_run_may_have_seen_are_refused_or_warned_of(
    run: Path, planted: Task, tmp_path: Path
) -> None:
    other = plant(tmp_path / "other", seed=1)
    with pytest.raises(FolderError, match="may have seen the rows to be measured"):
        evaluate(run, other.folder, resamples=20)
    with pytest.warns(SeenRowsWarning, match="nothing says that it has not seen rows"):
        evaluate(run, other.folder, resamples=20, other_split=True)
    three = plant(tmp_path / "three", classes=("none", "one", "two"))
    with pytest.raises(UserError, match="has the classes none, one, two"):
        evaluate(run, three.folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(run, planted.folder, "valid", resamples=20)


def test_a_damaged_file_is_named_and_left(run: Path, planted: Task) -> None:
    for name in ("metrics.json", "predictions.parquet"):
        kept = (run / name).read_bytes()
        (run / name).write_text("[[")
        with pytest.raises(UserError, match=f"{name}.* damaged.*; delete it and evaluate again"):
            evaluate(run, planted.folder, resamples=20)
        assert (run / name).read_text() == "[["
        (run / name).write_bytes(kept)
    evaluate(run, planted.folder, resamples=20)


def test_an_undefined_metric_is_null_with_its_reason(
    run: Path, planted: Task, tmp_path: Path
) -> None:
    """A split of one class has no AUROC."""
    folder = Path(shutil.copytree(planted.folder, tmp_path / "one"))
    test = pl.read_parquet(folder / "test.parquet").filter(label=1)
    test.write_parquet(folder / "test.parquet")
    forget_digests(folder)
    spec = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(spec.replace("test: 60", "test: 30"))
    result = evaluate(run, folder, resamples=20)
    assert np.isnan(result.value("auroc"))
    row = next(
        row for row in read_metrics(run) if (row["split"], row["metric"]) == ("test", "auroc")
    )
    assert row["value"] is None
    assert row["reason"]
    json.loads((run / "metrics.json").read_text())
