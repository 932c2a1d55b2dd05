"""One process of a search: it takes trials and trains them until all are finished."""

import math
import shutil
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attendna.core.delimited import read_numbers
from attendna.core.errors import DivergedError, ResourceError, UserError
from attendna.core.files import exclusive
from attendna.tasks.store import open_task
from attendna.training.run import RunFolder
from attendna.training.train import train
from attendna.training.tuning.phase import KILLED, REASON, Phase, Taken
from attendna.training.tuning.storage import optuna, quietly
from attendna.training.tuning.tuning import Plan, Tuning

if TYPE_CHECKING:
    from optuna.trial import Trial

    from attendna.training.record import Row, Watch

_PAUSE = 0.5
"""Seconds until a process that has nothing to do looks again."""

_LOG = ("run.yaml", "environment.json", "log.csv")
"""What stays of a trial that is not kept."""


class PrunedError(Exception):
    """The trial lags behind those before it."""


def work(plan: Plan) -> None:
    """Train trials until all of them, also those of other processes, are finished.

    What is wrong with a single trial is told in its attributes, and the search goes on.

    Raises
    ------
    ResourceError
        The machine said no, as where the disk is full; the trial stays begun, and goes on where it
        was when the search does.
    """
    tuning = Tuning.open(plan)
    while not tuning.done:
        taken = tuning.take()
        if taken is None:
            time.sleep(_PAUSE)
            continue
        try:
            _try(tuning, taken)
        finally:
            if taken.claim is not None:
                taken.claim.release()


def _try(tuning: Tuning, taken: Taken) -> None:
    """Train a trial and tell how it went."""
    trial, phase = taken.trial, taken.phase
    states = optuna().trial.TrialState
    value: float | None = None
    try:
        value = _train(tuning, taken)
        state = states.COMPLETE
    except PrunedError:
        state = states.PRUNED
    except (KeyboardInterrupt, ResourceError):
        # Not killed: it said so.
        trial.set_user_attr(KILLED, trial.user_attrs[KILLED] - 1)
        raise
    except UserError as error:
        state = _failed(trial, str(error))
    except Exception as error:  # noqa: BLE001 - one trial must not stop the search; it is reported
        state = _failed(trial, f"{type(error).__name__}: {error}")
    with quietly():
        phase.study.tell(trial, value, state)
    with exclusive(tuning.folder.lock):
        _clear(tuning, phase)


def _failed(trial: "Trial", reason: str) -> Any:
    trial.set_user_attr(REASON, " ".join(reason.split("\n")))
    return optuna().trial.TrialState.FAIL


def _train(tuning: Tuning, taken: Taken) -> float:
    """Train a trial, from where it was if it was begun; gives what it reached."""
    task = tuning.task_of(taken.phase)
    run = tuning.folder.run(taken.phase.name, taken.trial.number)
    config = tuning.search.settings(taken.values, rows=training_rows(task), metric=tuning.metric)
    column = f"valid_{tuning.metric}"
    watch = _watch(taken.trial, column)
    train(config, task, run.path, resume=True, progress=False, watch=watch)
    return reached(run, column, lower_is_better=tuning.lower_is_better)


@cache
def training_rows(task: Path) -> int:
    """How many rows a task trains on."""
    return len(open_task(task, ("train",)).read("train"))


def _watch(trial: "Trial", column: str) -> "Watch":
    """Tells of every validation, and breaks a training off that lags behind."""

    def watch(rows: "Sequence[Row]") -> None:
        with quietly():
            # Of a training that goes on after a kill, one may be told already.
            trial.report(rows[-1][column], len(rows) - 1)
            if trial.should_prune():
                raise PrunedError

    return watch


def reached(run: RunFolder, column: str, *, lower_is_better: bool) -> float:
    """The best validation of a run.

    Raises
    ------
    DivergedError
        None of them is a number.
    """
    values = read_numbers(run.log, ("step",)).get_column(column).fill_nan(None)
    best = values.min() if lower_is_better else values.max()
    if not isinstance(best, float) or not math.isfinite(best):
        raise DivergedError(f"{column} was never a number", "try a lower learning rate")
    return best


def _clear(tuning: Tuning, phase: Phase) -> None:
    """Remove what finished trials need no more: states to resume from, and weights not kept."""
    best = {trial.number for trial in tuning.ranked(phase)[:1]}
    for trial in phase.trials():
        run = tuning.folder.run(phase.name, trial.number).path
        if not trial.state.is_finished() or not run.is_dir():
            continue
        for state in [*run.glob("checkpoints"), *run.glob("members/*/checkpoints")]:
            shutil.rmtree(state, ignore_errors=True)
        if tuning.plan.keep == "best" and trial.number not in best:
            for path in run.iterdir():
                if path.name not in _LOG:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
