"""Which trial comes next: one that a killed process left, one that waits, or a new one.

All of it happens under the lock of the folder, so that no two processes take the same trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from attendna.training.tuning.claim import Claim
from attendna.training.tuning.folder import PhaseName, TuneFolder
from attendna.training.tuning.search import Sampler
from attendna.training.tuning.space import Choices, Range, Value
from attendna.training.tuning.storage import optuna

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

KILLS = 5
"""Times that the process of a trial may be killed, after which the trial has failed: it may be that
it needs more memory than there is."""

KILLED = "killed"
"""Attribute: times that a process began the trial and did not come to tell how it went."""

REASON = "reason"
"""Attribute: why a trial came to nothing."""

OF = "of"
"""Attribute: number of the trial of the search that is trained again on all rows."""


@dataclass(frozen=True, eq=False)
class Taken:
    """A trial that this process has claimed."""

    phase: "Phase"
    trial: "Trial"
    values: Mapping[str, Value]
    claim: Claim | None
    """None where the file system has no locks."""


@dataclass(frozen=True, eq=False)
class Phase:
    """Trials of one kind on one task."""

    name: PhaseName
    folder: TuneFolder
    study: "Study"
    space: Mapping[str, Range | Choices]
    sampler: Sampler
    combinations: Sequence[Mapping[str, Value]] | None
    """Of a grid, what its trials are in turn."""

    def trials(self) -> "list[FrozenTrial]":
        """All there are, in the order of their numbers."""
        return self.study.get_trials(deepcopy=False)

    def ended(self) -> "list[FrozenTrial]":
        """Those that are complete, pruned or failed."""
        return [trial for trial in self.trials() if trial.state.is_finished()]

    def enqueue(self, of: int, values: Mapping[str, Value]) -> None:
        """Have a trial of the search trained here, unless it is already."""
        if all(trial.user_attrs.get(OF) != of for trial in self.trials()):
            self.study.enqueue_trial(dict(values), user_attrs={OF: of})

    def take(self, total: int) -> Taken | None:
        """Claim the trial that comes next; none where all of them are finished or under way."""
        states = optuna().trial.TrialState
        self.study.sampler = self._sampler(len(self.trials()))
        for trial in self.trials():
            if trial.state == states.RUNNING:
                again = self._take_again(trial)
                if again is not None:
                    return again
        trials = self.trials()
        waiting = any(trial.state == states.WAITING for trial in trials)
        if not waiting and len(trials) >= total:
            return None
        if not waiting and self.combinations is not None:
            self.study.enqueue_trial(dict(self.combinations[len(trials)]))
        return self._taken(self.study.ask())

    def _take_again(self, found: "FrozenTrial") -> Taken | None:
        """Claim a trial whose process has ended without a word."""
        claim = Claim.take(self.folder.claim(self.name, found.number))
        if claim is None:
            return None
        # It may have come to its end since it was looked up.
        now = self.trials()[found.number]
        trial = optuna().trial.Trial(self.study, now._trial_id)  # pyright: ignore[reportPrivateUsage]
        if now.state.is_finished():
            claim.release()
        elif now.user_attrs.get(KILLED, 0) >= KILLS:
            trial.set_user_attr(REASON, f"its process was killed {KILLS} times")
            self.study.tell(trial, state=optuna().trial.TrialState.FAIL)
            claim.release()
        else:
            return self._taken(trial, claim)
        return None

    def _taken(self, trial: "Trial", claim: Claim | None = None) -> Taken:
        """Choose the values of a trial, unless it has them, and count that it is begun."""
        path = self.folder.claim(self.name, trial.number)
        claim = claim or Claim.take(path)
        values = {key: suggest(trial, key, dimension) for key, dimension in self.space.items()}
        trial.set_user_attr(KILLED, trial.user_attrs.get(KILLED, 0) + 1)
        return Taken(self, trial, values, claim)

    def _sampler(self, number: int) -> Any:
        """Chooses the values of one trial; processes and restarts do not change what it draws."""
        samplers = optuna().samplers
        seed = int(np.random.SeedSequence([self.sampler.seed, number]).generate_state(1)[0])
        if self.sampler.name == "tpe":
            return samplers.TPESampler(n_startup_trials=self.sampler.startup, seed=seed)
        return samplers.RandomSampler(seed=seed)


def suggest(trial: "Trial", key: str, dimension: Range | Choices) -> Value:
    """The value of a key in a trial."""
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(key, [str(point) for point in dimension.points()])
    low, high, step = dimension.low, dimension.high, dimension.step
    if dimension.whole:
        return trial.suggest_int(key, int(low), int(high), step=int(step or 1), log=dimension.log)
    return trial.suggest_float(key, low, high, step=step, log=dimension.log)
