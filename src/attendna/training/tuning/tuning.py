"""An opened search: its phases, one after the other, and what is left to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attendna.core.files import exclusive
from attendna.evaluation.measures import find_metric, main_metric
from attendna.tasks.store import open_task
from attendna.training.tuning.folder import Begun, PhaseName, TuneFolder
from attendna.training.tuning.phase import OF, Phase, Taken
from attendna.training.tuning.search import Pruner, Search
from attendna.training.tuning.storage import open_storage, optuna, quietly

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

Keep: TypeAlias = Literal["all", "best"]


@dataclass(frozen=True)
class Plan:
    """What every process of a search is told."""

    out: Path
    task: Path
    trials: int
    keep: Keep = "all"
    """Whose weights stay: those of all trials, or of the best of each phase."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """A search whose folder and storage are open."""

    plan: Plan
    folder: TuneFolder
    search: Search
    metric: str
    phases: Sequence[Phase]

    @classmethod
    def open(cls, plan: Plan) -> "Tuning":
        """Open a search that was begun.

        Raises
        ------
        UserError
            Its folder, its task or its storage cannot be read.
        """
        folder = TuneFolder(plan.out)
        begun = folder.read()
        spec = open_task(plan.task, ("train", "valid")).spec
        metric = begun.search.metric
        if metric == "task":
            metric = main_metric(spec.label_kind, spec.metric)
        storage = open_storage(begun.storage, folder.journal, folder.journal_lock)
        names: list[PhaseName] = ["search"]
        if begun.search.subset is not None and begun.search.subset.best:
            names.append("full")
        phases = [_phase(name, folder, begun, metric, storage) for name in names]
        return cls(plan, folder, begun.search, metric, phases)

    @property
    def lower_is_better(self) -> bool:
        """Whether a small value is searched for."""
        return less_is_better(self.metric)

    def task_of(self, phase: Phase) -> Path:
        """The task that the trials of a phase are trained on."""
        small = phase.name == "search" and self.search.subset is not None
        return self.folder.subset if small else self.plan.task

    def total(self, phase: Phase) -> int:
        """How many trials a phase has in all, as far as is known."""
        if phase.name == "full":
            return len(self.best()) if self.finished(self.phases[0]) else 0
        grid = phase.combinations
        return self.plan.trials if grid is None else min(self.plan.trials, len(grid))

    def finished(self, phase: Phase) -> bool:
        """Whether every trial of a phase has come to an end."""
        trials = phase.trials()
        if len(phase.ended()) < len(trials):
            return False
        if phase.name == "full":
            passed_on = {trial.user_attrs.get(OF) for trial in trials}
            return {trial.number for trial in self.best()} <= passed_on
        return len(trials) >= self.total(phase)

    def best(self) -> "list[FrozenTrial]":
        """The trials of the search that are trained again on all rows."""
        subset = self.search.subset
        return self.ranked(self.phases[0])[: subset.best if subset is not None else 0]

    def ranked(self, phase: Phase) -> "list[FrozenTrial]":
        """The trials of a phase that were trained to their end, the best first."""
        complete = optuna().trial.TrialState.COMPLETE
        sign = 1 if self.lower_is_better else -1
        trials = [trial for trial in phase.trials() if trial.state == complete]
        return sorted(trials, key=lambda trial: (sign * (trial.value or 0.0), trial.number))

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return all(self.finished(phase) for phase in self.phases)

    def take(self) -> Taken | None:
        """Claim the trial that comes next; none where there is nothing to take for now."""
        with exclusive(self.folder.lock), quietly():
            for phase in self.phases:
                if phase.name == "full":
                    for trial in self.best():
                        phase.enqueue(trial.number, trial.params)
                taken = phase.take(self.total(phase))
                if taken is not None or not self.finished(phase):
                    return taken
        return None


def less_is_better(metric: str) -> bool:
    """Whether less of what is searched for is better."""
    return metric == "loss" or not find_metric(metric).higher_is_better


def _phase(name: PhaseName, folder: TuneFolder, begun: Begun, metric: str, storage: Any) -> Phase:
    search, first = begun.search, name == "search"
    with quietly():
        study = optuna().create_study(
            storage=storage,
            study_name=f"{begun.study}-{name}",
            direction="minimize" if less_is_better(metric) else "maximize",
            load_if_exists=True,
            pruner=_pruner(search.pruner if first else Pruner(name="none")),
        )
    combinations = search.combinations() if first else None
    return Phase(name, folder, study, search.space, search.sampler, combinations)


def _pruner(pruner: Pruner) -> Any:
    pruners = optuna().pruners
    if pruner.name == "none":
        return pruners.NopPruner()
    return pruners.MedianPruner(n_startup_trials=pruner.startup, n_warmup_steps=pruner.warmup)
