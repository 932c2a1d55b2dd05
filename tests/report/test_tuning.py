from pathlib import Path
from typing import Any

import polars as pl
import pytest

from attendna.report.tuning import TuningPage, told

RATE, TOKENS = "optimizer.learning_rate", "tokenizer"


def row(number: int, state: str, value: float | None, rate: float, tokens: str) -> dict[str, Any]:
    return {
        "phase": "search", "number": number, "state": state, "value": value, "validations": 2,
        "seconds": 61.0, "reason": "too <b>wild</b>" if state == "failed" else None,
        "run": f"search/{number:04d}", "of": None, RATE: rate, TOKENS: tokens,
    }  # fmt: skip


@pytest.fixture
def page() -> TuningPage:
    """Three trials that were trained, one that was stopped early and one that failed."""
    rows = [
        row(0, "complete", 0.6, 1e-3, "kmer k=3"),
        row(1, "pruned", 0.5, 1e-4, "onehot"),
        row(2, "complete", 0.9, 1e-2, "<onehot>"),
        row(3, "failed", None, 1.0, "onehot"),
        row(4, "complete", 0.7, 1e-1, "kmer k=3"),
    ]
    again = rows[2] | {"phase": "full", "number": 0, "of": 2, "value": 0.95}
    logs = pl.DataFrame(
        {
            "phase": ["search"] * 6,
            "number": [0, 0, 2, 2, 4, 4],
            "epoch": [1.0, 2.0] * 3,
            "valid_loss": [0.6, 0.5] * 3,
            "valid_accuracy": [0.6, 0.7] * 3,
            "valid_specificity": [0.9, 0.75] * 3,
            "valid_f1": [0.1, 0.2] * 3,
            "valid_auroc": [0.1, 0.2] * 3,
        }
    )
    return TuningPage(
        "planted", "auroc", False, pl.DataFrame([*rows, again]), logs,
        {RATE: True, TOKENS: False}, {RATE: 0.8, TOKENS: 0.2}, again,
        [("Sampler", "tpe")],
    )  # fmt: skip


def test_the_history_tells_finished_from_stopped(page: TuningPage) -> None:
    complete, pruned, best = page.history().data
    assert list(complete.x) == [0, 2, 4]
    assert (list(pruned.x), pruned.marker.symbol) == ([1], "circle-open")
    assert list(best.y) == [0.6, 0.9, 0.9]


def test_of_a_loss_the_least_is_best(page: TuningPage) -> None:
    least = TuningPage(**{**vars(page), "lower_is_better": True})
    assert list(least.history().data[2].y) == [0.6, 0.6, 0.6]
    assert least.ranked["number"].to_list() == [0, 4, 2]


def test_curves_show_the_rate_of_false_positives(page: TuningPage) -> None:
    charts = {chart.title: chart.figure for chart in page.curves()}
    assert list(charts) == ["loss", "accuracy", "false positive rate", "F1", "auroc"]
    rates = charts["false positive rate"].data
    assert [list(curve.y) for curve in rates] == [[pytest.approx(0.1), 0.25]] * 3
    assert [curve.name for curve in rates] == ["trial 0", "trial 2", "trial 4"]
    alone = TuningPage(**{**vars(page), "keys": {RATE: True}})
    names = [curve.name for curve in next(iter(alone.curves())).figure.data]
    assert names == ["learning_rate 0.001", "learning_rate 0.01", "learning_rate 0.1"]


def test_each_setting_has_its_slice(page: TuningPage) -> None:
    assert page.slice(RATE).layout.xaxis.type == "log"
    tokens = page.slice(TOKENS)
    assert tokens.layout.xaxis.type == "category"
    assert list(tokens.data[0].x) == ["&lt;onehot&gt;", "kmer k=3", "kmer k=3"]


def test_choices_stand_by_their_size(page: TuningPage) -> None:
    rates = pl.Series(["3e-05", "1e-4", "auto", "2e-05"])
    rows = page.trials.filter(phase="search").head(4)
    trials = rows.with_columns(rates.head(rows.height).alias(RATE))
    drawn = TuningPage(**{**vars(page), "trials": trials}).slice(RATE)
    there = set(trials.filter(state="complete")[RATE])
    assert len(there) > 1
    expected = [rate for rate in ("2e-05", "3e-05", "1e-4", "auto") if rate in there]
    assert list(drawn.layout.xaxis.categoryarray) == expected


def test_of_one_setting_there_is_no_importance(page: TuningPage, tmp_path: Path) -> None:
    for importances, count in (({RATE: 1.0}, 0), ({RATE: 0.7, TOKENS: 0.3}, 1)):
        changed = TuningPage(**{**vars(page), "importances": importances})
        changed.sheet().write(tmp_path / "tune.html")
        text = (tmp_path / "tune.html").read_text(encoding="utf-8")
        assert text.count("fANOVA") == count


def test_lines_go_from_the_lowest_to_the_highest(page: TuningPage) -> None:
    best = page.parallel().data[-1]
    assert list(best.x) == [RATE.replace(".", ".<br>"), TOKENS, "auroc"]
    assert list(best.y) == [pytest.approx(0.5), 0.0, 1.0]


def test_the_page_says_all(page: TuningPage, tmp_path: Path) -> None:
    page.sheet().write(tmp_path / "tune.html")
    text = (tmp_path / "tune.html").read_text(encoding="utf-8")
    for said in (
        "Trial 2, trained again on all rows, is best",
        "Trial 3 (search) failed",
        "1 min 1 s",
    ):
        assert said in text
    assert "<b>wild" not in text


def test_a_search_without_an_end_has_a_page(page: TuningPage, tmp_path: Path) -> None:
    nothing = {
        "trials": page.trials.filter(state="failed"), "logs": pl.DataFrame(), "best": None,
        "importances": {},
    }  # fmt: skip
    TuningPage(**{**vars(page), **nothing}).sheet().write(tmp_path / "tune.html")
    assert "No trial was trained" in (tmp_path / "tune.html").read_text(encoding="utf-8")


def test_values_are_short() -> None:
    assert [told(value) for value in (2.718281828, 3, "onehot")] == ["2.718", "3", "onehot"]


def test_what_was_trained_again_is_no_further_trial(page: TuningPage) -> None:
    tiles = {name: (value, note) for name, value, note in page.sheet().tiles}
    assert tiles["Trials"] == ("5", "3 trained to their end")
    assert tiles["Trained again"] == ("1", "on all rows")


def test_the_same_values_have_one_scale(page: TuningPage) -> None:
    scales = {tuple(page.slice(key).layout.yaxis.range) for key in page.keys}
    assert scales == {tuple(page.history().layout.yaxis.range)}


def test_of_few_trials_no_importance_is_drawn(page: TuningPage) -> None:
    few = TuningPage(**{**vars(page), "importances": {}})
    history = few.sheet().sections[0]
    assert [chart.title for chart in history.charts] == ["Trials in turn"]
    assert "3 trials trained to the end, which is too few" in history.texts[0]
