"""A search as it goes: a bar, and a line for each trial that has come to its end."""

import contextlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from attendna.training.tuning.phase import REASON
from attendna.training.tuning.result import STATES
from attendna.training.tuning.tuning import Tuning

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@contextlib.contextmanager
def told(tuning: Tuning, console: Console) -> Generator[Callable[[], None]]:
    """Gives what to call to have the trials told that ended since the last call."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # Into a file a bar is but an empty line.
        disable=not console.is_terminal,
    )
    shown = {phase.name: bar.add_task(phase.name, total=None) for phase in tuning.phases}
    known = {(phase.name, trial.number) for phase in tuning.phases for trial in phase.ended()}

    def tell() -> None:
        for phase in tuning.phases:
            ended = phase.ended()
            for trial in ended:
                if (phase.name, trial.number) not in known:
                    known.add((phase.name, trial.number))
                    line = f"{phase.name} {trial.number} {spell(trial, tuning.metric)}"
                    console.print(line, soft_wrap=True, markup=False)
            best = "".join(f", best {trial.value:.4f}" for trial in tuning.ranked(phase)[:1])
            bar.update(
                shown[phase.name],
                completed=len(ended),
                total=tuning.total(phase) or None,
                description=f"{phase.name}{best}",
            )

    with bar:
        yield tell


def spell(trial: "FrozenTrial", metric: str) -> str:
    """How a trial went."""
    words = [STATES[trial.state.name]]
    if trial.value is not None:
        words.append(f"{metric} {trial.value:.4f}")
    if REASON in trial.user_attrs:
        words.append(f"({trial.user_attrs[REASON]})")
    return " ".join(words)
