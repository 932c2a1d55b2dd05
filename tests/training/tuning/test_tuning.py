from collections.abc import Callable
from typing import Any

import pytest

from attendna.training.tuning.phase import OF, Phase
from attendna.training.tuning.tuning import Tuning, less_is_better

Begin = Callable[..., Tuning]


def finish(tuning: Tuning, *values: float) -> None:
    for value in values:
        taken = tuning.take()
        assert taken is not None
        taken.phase.study.tell(taken.trial, value)


def numbers(phase: Phase) -> list[int]:
    return [trial.user_attrs[OF] for trial in phase.trials()]


def test_the_best_trials_go_on_to_all_rows(tree: dict[str, Any], begin: Begin) -> None:
    tree["subset"] = {"rows_a_class": 20, "valid_share": 0.25, "best": 2}
    tuning = begin(tree, trials=4)
    search, full = tuning.phases
    assert tuning.task_of(search) == tuning.folder.subset
    assert tuning.task_of(full) == tuning.plan.task
    finish(tuning, 0.6, 0.9, 0.7, 0.5)
    assert not tuning.done
    taken = tuning.take()
    assert taken is not None
    assert taken.phase is full
    assert taken.values == search.trials()[1].params
    assert numbers(full) == [1, 2]
    taken.phase.study.tell(taken.trial, 0.8)
    finish(tuning, 0.7)
    assert tuning.done
    assert tuning.take() is None


def test_more_trials_send_more_on(tree: dict[str, Any], begin: Begin) -> None:
    tree["subset"] = {"rows_a_class": 20, "valid_share": 0.25, "best": 1}
    tuning = begin(tree, trials=2)
    finish(tuning, 0.6, 0.5, 0.6)
    assert tuning.done
    further = begin(tree, trials=3)
    finish(further, 0.9)
    assert not further.done
    finish(further, 0.8)
    assert further.done
    assert numbers(further.phases[1]) == [0, 2]


def test_of_a_loss_the_least_is_best(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree | {"metric": "loss"})
    finish(tuning, 0.6, 0.5, 0.7)
    assert [trial.number for trial in tuning.ranked(tuning.phases[0])] == [1, 0, 2]


def test_the_metric_is_that_of_the_task(tree: dict[str, Any], begin: Begin) -> None:
    assert begin(tree | {"metric": "task"}).metric == "mcc"


@pytest.mark.parametrize(("metric", "less"), [("loss", True), ("brier", True), ("f1", False)])
def test_what_is_better(metric: str, less: bool) -> None:
    assert less_is_better(metric) is less
