"""What a search has come to: a table of its trials, and the settings that won.

``trials.parquet`` has a row a trial: ``phase, number, state, value, validations, seconds, reason,
run, of``, then a column for each key of the space with what the trial had there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from attendna.core.config import to_yaml
from attendna.core.delimited import read_numbers
from attendna.core.files import publish_file
from attendna.core.parquet import write_parquet
from attendna.training.run import RunConfig
from attendna.training.tuning.phase import OF, REASON, Phase
from attendna.training.tuning.space import Choices, Range
from attendna.training.tuning.storage import optuna, quietly
from attendna.training.tuning.tuning import Tuning
from attendna.training.tuning.work import training_rows

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

STATES = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}

ENOUGH_TRIALS = 10
"""Finished trials from which on the importance of settings is estimated; of fewer it is chance."""

_TYPES = {
    "phase": pl.String,
    "number": pl.Int64,
    "state": pl.String,
    "value": pl.Float64,
    "validations": pl.Int64,
    "seconds": pl.Float64,
    "reason": pl.String,
    "run": pl.String,
    "of": pl.Int64,
}


@dataclass(frozen=True, eq=False)
class TuneResult:
    """A search that has come to an end."""

    tuning: Tuning
    trials: pl.DataFrame
    logs: pl.DataFrame
    """The logs of all trials one after the other, with their ``phase`` and ``number``."""
    importances: Mapping[str, float]
    """Share of each key in how much the trials of the search differ; empty of too few trials."""
    best: Mapping[str, Any] | None
    """The row of the trial that won; none where none was trained to its end."""
    config: RunConfig | None
    """Its settings."""

    def write(self) -> None:
        """Write the table, and the settings that won as ``best.yaml``."""
        folder = self.tuning.folder
        with publish_file(folder.trials) as partial:
            write_parquet(self.trials, partial)
        if self.config is not None:
            with publish_file(folder.best) as partial:
                partial.write_text(to_yaml(self.config.to_tree()), encoding="utf-8")


def collect(tuning: Tuning) -> TuneResult:
    """Gather what the trials have come to so far."""
    logs: list[pl.DataFrame] = []
    rows: list[dict[str, Any]] = []
    for phase in tuning.phases:
        for trial in phase.trials():
            log = _log(tuning, phase, trial)
            rows.append(_row(tuning, phase, trial, log))
            if log is not None:
                place = {"phase": pl.lit(phase.name), "number": pl.lit(trial.number, pl.Int64)}
                logs.append(log.select(**place, **{name: name for name in log.columns}))
    types: dict[str, Any] = _TYPES | {
        key: _type(dimension) for key, dimension in tuning.search.space.items()
    }
    best, config = _best(tuning)
    return TuneResult(
        tuning,
        pl.DataFrame(rows, types),
        pl.concat(logs, how="diagonal_relaxed") if logs else pl.DataFrame(),
        importances(tuning.phases[0]),
        next((row for row in rows if (row["phase"], row["number"]) == best), None),
        config,
    )


def _type(dimension: Range | Choices) -> Any:
    if isinstance(dimension, Choices):
        return pl.String
    return pl.Int64 if dimension.whole else pl.Float64


def _log(tuning: Tuning, phase: Phase, trial: "FrozenTrial") -> pl.DataFrame | None:
    path = tuning.folder.run(phase.name, trial.number).log
    return read_numbers(path, ("seconds",)) if path.is_file() else None


def _row(
    tuning: Tuning, phase: Phase, trial: "FrozenTrial", log: pl.DataFrame | None
) -> dict[str, Any]:
    run = tuning.folder.run(phase.name, trial.number).path
    return {
        "phase": phase.name,
        "number": trial.number,
        "state": STATES[trial.state.name],
        "value": trial.value,
        "validations": 0 if log is None else log.height,
        "seconds": None if log is None else log["seconds"].sum(),
        "reason": trial.user_attrs.get(REASON),
        "run": str(run.relative_to(tuning.folder.path)) if run.is_dir() else None,
        "of": trial.user_attrs.get(OF),
        **trial.params,
    }


def _best(tuning: Tuning) -> tuple[tuple[str, int] | None, RunConfig | None]:
    """Which trial won, and its settings; of the last phase that has one."""
    for phase in reversed(tuning.phases):
        for trial in tuning.ranked(phase)[:1]:
            rows = training_rows(tuning.plan.task)
            config = tuning.search.settings(trial.params, rows=rows, metric=tuning.metric)
            return (phase.name, trial.number), config
    return None, None


def importances(phase: Phase) -> dict[str, float]:
    """How much of the differences between trials each key explains (fANOVA), the most first.

    Empty where fewer than :data:`ENOUGH_TRIALS` came to their end, or all to the same.
    """
    states = optuna().trial.TrialState
    values = [trial.value for trial in phase.trials() if trial.state == states.COMPLETE]
    if len(values) < ENOUGH_TRIALS or len(set(values)) < 2:
        return {}
    importance = optuna().importance
    with quietly():
        evaluator = importance.FanovaImportanceEvaluator(seed=0)
        found = importance.get_param_importances(phase.study, evaluator=evaluator)
    return {str(key): float(share) for key, share in found.items()}
