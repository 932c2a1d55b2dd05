import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from attendna.core.errors import DivergedError
from attendna.tasks.store import Task
from attendna.training.run import RunFolder
from attendna.training.train import train
from attendna.training.tuning import work as module
from attendna.training.tuning.phase import KILLED, REASON
from attendna.training.tuning.tuning import Tuning
from attendna.training.tuning.work import reached, work

Begin = Callable[..., Tuning]
RATE = "optimizer.learning_rate"
LAST_IS_SLOW = 1
"""A seed that puts the last of three values last."""


def test_trials_are_trained_and_the_value_is_that_of_the_log(
    tree: dict[str, Any], begin: Begin
) -> None:
    tree["base"]["trainer"]["epochs"] = 3
    tuning = begin(tree, trials=2)
    work(tuning.plan)
    assert tuning.done
    for trial in tuning.phases[0].trials():
        run = tuning.folder.run("search", trial.number)
        log = pl.read_csv(run.log)
        assert trial.value == log["valid_auroc"].max()
        assert list(trial.intermediate_values.values()) == log["valid_auroc"].to_list()
        assert {"valid_f1", "valid_specificity", "valid_accuracy"} <= set(log.columns)
        assert run.finished
        assert not run.last.exists()


def test_a_trial_that_lags_behind_is_stopped(tree: dict[str, Any], begin: Begin) -> None:
    tree["base"]["trainer"]["epochs"] = 4
    tree["space"] = {RATE: {"choices": [0.01, 0.02, 1e-9]}}
    tree["base"]["trainer"]["batch_size"] = 16
    tree["base"]["tokenizer"]["k"] = 4
    tree["metric"] = "loss"
    tree["sampler"] = {"name": "grid", "seed": LAST_IS_SLOW}
    tree["pruner"] = {"name": "median", "startup": 2, "warmup": 1}
    tuning = begin(tree, trials=3)
    work(tuning.plan)
    *_, last = tuning.phases[0].trials()
    assert last.params == {RATE: "1e-09"}
    assert last.state.name == "PRUNED"
    run = tuning.folder.run("search", 2)
    assert 2 <= len(last.intermediate_values) < 4
    assert pl.read_csv(run.log).height == len(last.intermediate_values)
    assert not run.finished


def test_what_fails_is_told_and_the_search_goes_on(tree: dict[str, Any], begin: Begin) -> None:
    tree["base"]["optimizer"] = {"clip": None, "warmup": 0.0}
    tree["space"] = {RATE: {"choices": [0.01, 1e30]}, "tokenizer.k": {"choices": [2, 40]}}
    tuning = begin(tree | {"sampler": {"name": "grid"}}, trials=4)
    work(tuning.plan)
    states = {
        (trial.params[RATE], trial.params["tokenizer.k"]): trial
        for trial in tuning.phases[0].trials()
    }
    assert states["0.01", "2"].state.name == "COMPLETE"
    for key, reason in ((("1e+30", "2"), ""), (("0.01", "40"), "tokenizer.k")):
        assert states[key].state.name == "FAIL"
        assert reason in states[key].user_attrs[REASON]
        assert "\n" not in states[key].user_attrs[REASON]


def test_a_trial_goes_on_where_its_process_was_killed(
    tree: dict[str, Any], begin: Begin, task: Task, tmp_path: Path
) -> None:
    tree["base"]["trainer"]["epochs"] = 3
    tuning = begin(tree, trials=1)
    taken = tuning.take()
    assert taken is not None
    assert taken.claim is not None
    run = tuning.folder.run("search", 0)
    settings = tuning.search.settings(taken.values, rows=80, metric="auroc")

    class PowerCutError(Exception):
        pass

    def cut(rows: Any) -> None:
        taken.trial.report(rows[-1]["valid_auroc"], len(rows) - 1)
        if len(rows) == 2:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        train(settings, task.folder, run.path, progress=False, watch=cut)
    taken.claim.release()
    work(tuning.plan)
    (trial,) = tuning.phases[0].trials()
    assert (trial.state.name, trial.user_attrs[KILLED]) == ("COMPLETE", 2)
    assert sorted(trial.intermediate_values) == [0, 1, 2]
    whole = RunFolder(train(settings, task.folder, tmp_path / "whole", progress=False))
    assert whole.weights.read_bytes() == run.weights.read_bytes()


def test_who_is_told_to_stop_was_not_killed(
    tree: dict[str, Any], begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = begin(tree, trials=1)

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        work(tuning.plan)
    (trial,) = tuning.phases[0].trials()
    assert (trial.state.name, trial.user_attrs[KILLED]) == ("RUNNING", 0)
    monkeypatch.undo()
    work(tuning.plan)
    assert tuning.done


def test_only_the_best_is_kept_if_asked(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree, trials=3, keep="best")
    work(tuning.plan)
    best = tuning.ranked(tuning.phases[0])[0].number
    for number in range(3):
        run = tuning.folder.run("search", number)
        assert run.finished is (number == best)
        assert run.log.is_file()
        assert run.config.is_file()


def test_a_run_that_was_never_a_number_diverged(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.log.write_text("step,epoch,valid_loss\n1,1,nan\n2,2,nan\n", encoding="utf-8")
    with pytest.raises(DivergedError):
        reached(run, "valid_loss", lower_is_better=True)
    run.log.write_text("step,epoch,valid_loss\n1,1,nan\n2,2,3.5\n3,3,4\n", encoding="utf-8")
    assert reached(run, "valid_loss", lower_is_better=True) == 3.5
    assert reached(run, "valid_loss", lower_is_better=False) == 4.0
    shutil.rmtree(tmp_path)
