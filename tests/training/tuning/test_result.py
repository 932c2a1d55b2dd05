from collections.abc import Callable
from typing import Any

import polars as pl

from attendna.training.run import RunConfig
from attendna.training.tuning.phase import REASON
from attendna.training.tuning.result import collect, importances
from attendna.training.tuning.storage import optuna
from attendna.training.tuning.tuning import Tuning
from attendna.training.tuning.work import work

Begin = Callable[..., Tuning]
RATE = "optimizer.learning_rate"


def finish(tuning: Tuning, value: Callable[[Any], float]) -> None:
    taken = tuning.take()
    assert taken is not None
    taken.phase.study.tell(taken.trial, value(taken.values))


def test_the_table_holds_what_was_trained(tree: dict[str, Any], begin: Begin) -> None:
    tree["subset"] = {"rows_a_class": 20, "valid_share": 0.25, "best": 1}
    tree["base"]["trainer"]["epochs"] = 2
    tuning = begin(tree, trials=2)
    work(tuning.plan)
    result = collect(tuning)
    result.write()
    table = pl.read_parquet(tuning.folder.trials)
    assert table["phase"].to_list() == ["search", "search", "full"]
    assert table["run"].to_list() == ["search/0000", "search/0001", "full/0000"]
    assert table["validations"].to_list() == [2, 2, 2]
    assert (table["seconds"] > 0).all()
    winner = table.filter(phase="search").sort("value", "number", descending=[True, False])
    assert table["of"].to_list() == [None, None, winner["number"][0]]
    assert table[RATE][2] == winner[RATE][0]
    assert result.logs.group_by("phase").len().sort("phase").rows() == [("full", 2), ("search", 4)]
    assert result.best is not None
    assert (result.best["phase"], result.best["number"]) == ("full", 0)
    trained = RunConfig.read(tuning.folder.run("full", 0).config)
    assert RunConfig.read(tuning.folder.best) == trained


def test_what_failed_has_its_reason(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree, trials=1)
    taken = tuning.take()
    assert taken is not None
    taken.trial.set_user_attr(REASON, "too little memory")
    taken.phase.study.tell(taken.trial, state=optuna().trial.TrialState.FAIL)
    result = collect(tuning)
    row = result.trials.row(0, named=True)
    assert (row["state"], row["value"], row["reason"]) == ("failed", None, "too little memory")
    assert (result.best, result.config, result.importances) == (None, None, {})
    result.write()
    assert not tuning.folder.best.exists()


def test_what_matters_is_important(tree: dict[str, Any], begin: Begin) -> None:
    tree["space"] |= {"trainer.batch_size": {"low": 8, "high": 64}, "seed": {"choices": [1, 2]}}
    tuning = begin(tree, trials=30)
    assert importances(tuning.phases[0]) == {}
    for _ in range(30):
        finish(tuning, lambda values: values["trainer.batch_size"] / 64)
    found = importances(tuning.phases[0])
    assert set(found) == set(tree["space"])
    assert found["trainer.batch_size"] > 0.9
    table = collect(tuning).trials
    assert table.schema["trainer.batch_size"] == pl.Int64
    assert table.schema["seed"] == pl.String
