import json
from pathlib import Path

import numpy as np
import pytest
from tests.planted import plant

from attendna.evaluation.evaluate import evaluate
from attendna.report.data_card import describe
from attendna.report.page import Page
from attendna.report.run import Run
from attendna.tasks.store import Task, open_task


def with_log(folder: Path, monitor: str, values: list[str]) -> Page:
    (folder / "run.yaml").write_text(f"trainer: {{monitor: {monitor}}}\n")
    rows = [f"{at + 1},{10 * at + 10},0.5,{value},0.1,1" for at, value in enumerate(values)]
    header = f"epoch,step,train_loss,valid_{monitor},learning_rate,seconds"
    (folder / "log.csv").write_text("\n".join([header, *rows]) + "\n")
    return Page(Run(folder))


@pytest.mark.parametrize(
    ("monitor", "values", "epoch"),
    [
        ("mcc", ["0.1", "0.4", "0.4", "0.2"], 2),
        ("loss", ["0.5", "0.3", "0.3", "0.4"], 2),
        ("brier", ["0.2", "0.3", "0.1", "0.4"], 3),
        ("mcc", ["nan", "0.1", "nan", "0.3"], 4),
    ],
)
def test_kept_is_the_first_of_the_best(
    tmp_path: Path, monitor: str, values: list[str], epoch: int
) -> None:
    kept = with_log(tmp_path, monitor, values).kept
    assert kept is not None
    assert kept["epoch"] == epoch


def test_nothing_is_kept_where_nothing_was_measured(tmp_path: Path) -> None:
    assert with_log(tmp_path, "mcc", ["nan", "nan"]).kept is None


def test_kept_is_what_training_kept(trained: Path) -> None:
    page = Page(Run(trained))
    assert page.kept is not None
    valid = next(block for block in page.measures if block.split == "valid")
    assert valid.values["mcc"].value is not None
    # The log has the metrics of the threshold 1/2; AUROC does not depend on it.
    assert page.kept["valid_auroc"] == pytest.approx(valid.values["auroc"].value)


def test_the_headline_is_of_the_test_split(trained: Path) -> None:
    page = Page(Run(trained))
    assert not page.untested
    assert page.main is not None
    assert (page.main.split, page.main.n, page.main.prevalence) == ("test", 60, 0.5)
    assert [metric.name for metric, _ in page.headline()] == ["mcc", "auroc"]


def test_before_evaluation_only_validation_was_looked_at(make_run, task: Task) -> None:
    page = Page(Run(make_run(task, {"valid": np.linspace(0, 1, 120)})))
    assert page.untested
    assert page.main is not None
    assert page.main.split == "valid"
    assert page.shown_split == "valid"


def test_another_task_does_not_pass_for_the_own_one(make_run, task: Task, tmp_path: Path) -> None:
    run = make_run(task, {"valid": np.linspace(0, 1, 120)})
    other = plant(tmp_path / "other", seed=1)
    other.spec.name  # noqa: B018 - the same name with other rows
    with pytest.warns(UserWarning, match="was trained on other rows"):
        evaluate(run, other.folder, "test", other_split=True, resamples=20)
    page = Page(Run(run), other, describe(other))
    assert page.other_task
    assert not Page(Run(run), open_task(task.folder)).other_task


def test_variants_are_ranked_best_first(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 0\n")
    scores = {"a": 0.3, "b": float("nan"), "c": 0.5}
    for monitor, order in (("mcc", "cab"), ("loss", "acb")):
        tried = {name: {"set": {}, "score": score} for name, score in scores.items()}
        search = {"monitor": monitor, "chosen": "c", "variants": tried}
        (tmp_path / "search.json").write_text(json.dumps(search))
        assert "".join(name for name, _ in Page(Run(tmp_path)).variants) == order
    assert {name for name, _ in Page(Run(trained)).variants} == {"one-strand", "both-strands"}


def test_confusion_counts_every_row_once(make_run, task: Task) -> None:
    labels = task.read("test").labels
    said = np.where(np.arange(60) < 10, 1 - labels, labels).astype(float)
    page = Page(Run(make_run(task, {"test": said})))
    matrix = page.confusion()
    assert [[cell.sequences for cell in row] for row in matrix] == [[25, 5], [5, 25]]
    assert matrix[0][1].share == pytest.approx(5 / 30)


def test_sequences_are_those_of_the_examples(trained: Path, task: Task) -> None:
    page = Page(Run(trained), task, describe(task))
    shown = [example for _, _, items in page.examples() for example in items]
    assert shown
    rows = dict(task.read("test").frame.select("id", "sequence").iter_rows())
    assert all(page.sequences[example.id] == rows[example.id] for example in shown)
    assert Page(Run(trained)).sequences == {}


def test_curves_need_two_classes(make_run, task: Task) -> None:
    titles = [
        chart.title
        for chart in Page(Run(make_run(task, {"test": np.full(60, 0.5)}))).curve_charts()
    ]
    assert titles == ["ROC", "Precision and recall", "Calibration", "Predictions on the test split"]


def test_the_glossary_explains_every_metric(trained: Path) -> None:
    page = Page(Run(trained))
    told = dict(page.glossary())
    assert set(told) == {metric.title for metric in page.metrics}
    assert all(len(text) > 20 for text in told.values())


def test_metrics_beyond_one_are_not_on_the_common_scale(make_run, task: Task) -> None:
    wrong = 1 - task.read("test").labels
    page = Page(Run(make_run(task, {"test": np.clip(wrong, 1e-6, 1 - 1e-6)})))
    block = page.measures[0]
    assert block.values["log_loss"].value is not None
    assert block.values["log_loss"].value > 1
    chart = page.interval_chart()
    assert chart is not None
    assert "log loss" not in chart.figure.layout.yaxis.ticktext
    assert "AUROC" in chart.figure.layout.yaxis.ticktext


def test_model_facts_name_what_matters(trained: Path) -> None:
    facts = dict(Page(Run(trained)).model_facts())
    assert facts["Architecture"].startswith("cnn: width 4, blocks 1")
    assert facts["Strands"].partition(":")[0] in ("single", "conjoined")
    assert facts["Input"] == "24 to 48 bases"
    assert "bound, chosen on validation" in facts["Threshold"]
