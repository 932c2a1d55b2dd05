import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from attendna.training.tuning.phase import REASON
from attendna.training.tuning.progress import told
from attendna.training.tuning.storage import optuna
from attendna.training.tuning.tuning import Tuning


def test_each_trial_is_told_once(tree: dict[str, Any], begin: Callable[..., Tuning]) -> None:
    tuning, stream = begin(tree), io.StringIO()
    states = optuna().trial.TrialState

    def finish(value: float | None, state: Any, reason: str = "") -> None:
        taken = tuning.take()
        assert taken is not None
        if reason:
            taken.trial.set_user_attr(REASON, reason)
        taken.phase.study.tell(taken.trial, value, state)

    finish(0.5, states.COMPLETE)
    with told(tuning, Console(file=stream)) as tell:
        tell()
        finish(0.75, states.COMPLETE)
        tell()
        tell()
        finish(None, states.FAIL, "no [numbers]")
        tell()
    assert stream.getvalue().splitlines() == [
        "search 1 complete auroc 0.7500",
        "search 2 failed (no [numbers])",
    ]
