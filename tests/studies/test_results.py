import polars as pl
import pytest
from tests.studied import Done

from attendna.core.errors import FolderError
from attendna.evaluation.evaluate import read_metrics
from attendna.models.checkpoint import load
from attendna.studies.execute import StudyFolder
from attendna.studies.results import results, runs_of, sample


def test_the_table_has_every_metric_of_every_run(studied: Done) -> None:
    frame = studied.result.results
    assert frame.columns[:4] == ["study", "task", "row", "width"]
    line = frame.filter(
        (pl.col("row") == "wide") & (pl.col("seed") == 5) & (pl.col("metric") == "auroc")
    ).row(0, named=True)
    folder = studied.out / "runs" / "Planted" / "wide" / "5"
    measured = next(
        row for row in read_metrics(folder) if (row["split"], row["metric"]) == ("test", "auroc")
    )
    assert (line["value"], line["low"], line["high"]) == (
        measured["value"], measured["low"], measured["high"],
    )  # fmt: skip
    assert line["parameters"] == load(folder)[1].parameter_count()
    assert line["n"] == 60
    assert line["seconds"] > 0
    lost = frame.filter(pl.col("status") == "diverged")
    assert lost.select("row", "seed", "value").rows() == [("wild", 3, None), ("wild", 5, None)]


def test_what_was_not_run_is_there_too(studied: Done) -> None:
    study = studied.result.study.replace(seeds=[3, 7])
    runs = list(runs_of(study, StudyFolder(studied.out)))
    assert [(run.seed, run.status) for run in runs[:3]] == [
        (3, "finished"), (7, "not run"), (5, "finished"),
    ]  # fmt: skip
    assert results(study, runs).filter(pl.col("status") == "not run").height == 3


def test_predictions_are_of_the_rows_of_the_task(studied: Done) -> None:
    run = next(runs_of(studied.result.study, StudyFolder(studied.out)))
    rows = studied.task.read("test")
    assert sample(run, rows, "binary", 2).n == 60
    with pytest.raises(FolderError, match="of other test rows"):
        sample(run, studied.task.read("valid"), "binary", 2)
