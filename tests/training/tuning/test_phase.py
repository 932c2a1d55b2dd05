from collections.abc import Callable
from typing import Any

from attendna.training.tuning.phase import KILLED, KILLS, REASON, Taken
from attendna.training.tuning.tuning import Tuning

Begin = Callable[..., Tuning]


def take(tuning: Tuning) -> Taken:
    taken = tuning.take()
    assert taken is not None
    return taken


def abandon(taken: Taken) -> None:
    """What the system does with the claim of a process that is killed."""
    assert taken.claim is not None
    taken.claim.release()


def test_no_trial_is_taken_twice(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree)
    taken = [take(tuning) for _ in range(3)]
    assert [one.trial.number for one in taken] == [0, 1, 2]
    assert tuning.take() is None
    assert not tuning.done


def test_what_a_killed_process_left_is_taken_up(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree)
    first, second = take(tuning), take(tuning)
    abandon(first)
    again = take(Tuning.open(tuning.plan))
    assert again.trial.number == first.trial.number
    assert again.values == first.values
    assert take(tuning).trial.number == second.trial.number + 1
    assert len(tuning.phases[0].trials()) == 3


def test_a_process_killed_before_it_chose_values(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree)
    tuning.phases[0].study.ask()
    taken = take(tuning)
    assert taken.trial.number == 0
    assert 1e-3 <= float(taken.values["optimizer.learning_rate"]) <= 0.3


def test_a_trial_that_is_killed_again_and_again_fails(tree: dict[str, Any], begin: Begin) -> None:
    tuning = begin(tree, trials=1)
    for _ in range(KILLS):
        abandon(take(tuning))
    assert tuning.take() is None
    (trial,) = tuning.phases[0].trials()
    assert trial.state.name == "FAIL"
    assert trial.user_attrs[KILLED] == KILLS
    assert "killed 5 times" in trial.user_attrs[REASON]
    assert tuning.done


def test_a_grid_is_gone_through_once(tree: dict[str, Any], begin: Begin) -> None:
    tree["space"] = {"optimizer.learning_rate": {"choices": [0.1, 0.2, 0.3]}}
    tuning = begin(tree | {"sampler": {"name": "grid", "seed": 1}}, trials=10)
    values = [take(tuning).values["optimizer.learning_rate"] for _ in range(3)]
    assert sorted(map(str, values)) == ["0.1", "0.2", "0.3"]
    assert tuning.take() is None


def test_what_is_drawn_depends_on_the_number_of_the_trial(
    tree: dict[str, Any], begin: Begin
) -> None:
    tuning = begin(tree)
    values = [take(tuning).values["optimizer.learning_rate"] for _ in range(3)]
    assert len(set(values)) == 3
