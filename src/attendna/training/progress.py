"""What a person sees of a training: a bar with speed and time left, and a line for every round."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from attendna.training.record import Record, Row

REFRESH_EVERY = 0.2
"""Seconds between two pictures of the bar; a picture costs as much as a step of a small model."""
LINE_EVERY = 10.0
"""Seconds without a line after which a log without a bar gets one."""


class SequencesPerSecond(ProgressColumn):
    """How fast the training goes."""

    def __init__(self, batch_rows: int) -> None:
        super().__init__()
        self.batch_rows = batch_rows

    def render(self, task: Task) -> Text:
        """The speed of the last seconds."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed * self.batch_rows:,.0f} sequences/s")


class ProgressBar(Callback):
    """Shows a training on standard error; where that is no terminal there are lines and no bar.

    Parameters
    ----------
    console
        Where to.
    record
        The log whose rows become lines.
    title
        What is trained.
    batch_rows
        Sequences of a step.
    """

    def __init__(self, console: Console, record: Record, title: str, batch_rows: int) -> None:
        self.console = console
        self.record = record
        self.title = title
        self._shown = 0
        self._drawn = 0.0
        self._printed = 0.0
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("steps"),
            SequencesPerSecond(batch_rows),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=record.schedule.steps)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar, where the training stands."""
        del pl_module
        self._shown = len(self.record.rows)
        self._printed = time.monotonic()
        self.console.print(self.title, soft_wrap=True)
        self._bar.update(self._task, completed=trainer.global_step)
        self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """Redraw now and then; print what a validation found, and the step after a long pause."""
        del pl_module
        if len(self.record.rows) > self._shown:
            self._shown = len(self.record.rows)
            self.console.print(self._line(self.record.rows[-1]), soft_wrap=True)
            self._printed = time.monotonic()
        now = time.monotonic()
        if not self.console.is_terminal and now - self._printed >= LINE_EVERY:
            self._printed = now
            steps = self.record.schedule.steps
            self.console.print(f"step {trainer.global_step}/{steps}", soft_wrap=True)
        if now - self._drawn > REFRESH_EVERY:
            self._drawn = now
            self._bar.update(self._task, completed=trainer.global_step, refresh=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the bar away."""
        del trainer, pl_module
        self._bar.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away before the error is told."""
        del trainer, pl_module, exception
        self._bar.stop()

    def _line(self, row: Row) -> str:
        measures = [
            f"{name} {row[name]:.4f}"
            for name in ("train_loss", "valid_loss", f"valid_{self.record.monitor}")
        ]
        best = "  best so far" if self.record.best is row else ""
        return (
            f"epoch {row['epoch']:g}  step {row['step']:g}/{self.record.schedule.steps}  "
            + "  ".join(dict.fromkeys(measures))
            + f"  {row['sequences_per_second']:,.0f} sequences/s{best}"
        )
