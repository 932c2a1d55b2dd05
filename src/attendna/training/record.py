"""What a training leaves behind as it goes: the log, the best model, and the state to resume from.

A round ends with a validation over the whole split. Then the files are written in an order in which
a kill between any two of them loses nothing: the best model, the log, and last the state that
counts the round as done. What was written of a round that does not count is written again, bit for
bit.
"""

import csv
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from lightning.pytorch import Callback, LightningModule, Trainer

from attendna.core.files import publish_file
from attendna.training.module import Learner
from attendna.training.run import RunFolder
from attendna.training.schedule import Schedule

Row = dict[str, float]
Watch = Callable[[Sequence[Row]], object]
"""Is called with the log so far after every validation; what it raises ends the training, whose
state is saved."""


class Record(Callback):
    """Validates, logs, keeps the best model, saves the state, and stops when patience ends.

    Parameters
    ----------
    folder
        Where it is written.
    schedule
        When rounds end.
    validate
        Gives the measures of the model as it is, by the names of the log's columns.
    keep
        Stores the model as it is as the best one.
    monitor
        Which measure decides what is best.
    lower_is_better
        Whether less of it is better.
    patience
        Rounds without a better model after which training stops.
    save_every
        Seconds after which the state is saved even in the middle of a round.
    watch
        Called after each round.
    """

    def __init__(
        self,
        folder: RunFolder,
        schedule: Schedule,
        validate: Callable[[], Mapping[str, float]],
        keep: Callable[[], object],
        *,
        monitor: str,
        lower_is_better: bool,
        patience: int | None,
        save_every: float,
        watch: Watch | None = None,
    ) -> None:
        self.folder = folder
        self.schedule = schedule
        self.validate = validate
        self.keep = keep
        self.monitor = monitor
        self.lower_is_better = lower_is_better
        self.patience = patience
        self.save_every = save_every
        self.watch = watch
        self.rows: list[Row] = []
        self.best_round = -1
        self.seconds = 0.0
        """Time spent in the round that is under way."""
        self._steps = 0
        self._clock = 0.0
        self._saved = 0.0

    @property
    def done(self) -> bool:
        """Whether there is nothing left to train."""
        waited = len(self.rows) - 1 - self.best_round
        impatient = self.patience is not None and bool(self.rows) and waited >= self.patience
        return impatient or len(self.rows) == len(self.schedule.ends)

    @property
    def best(self) -> Row:
        """The log's row of the best model."""
        return self.rows[self.best_round]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; a training that was done is not gone on with."""
        del pl_module
        # Imported late: it takes a second, and only trainings need it.
        from torch.utils.tensorboard import SummaryWriter

        self._steps = trainer.global_step
        trainer.should_stop = self.done
        self._writer = SummaryWriter(
            str(self.folder.tensorboard), purge_step=self._steps if self._steps else None
        )
        self._clock = self._saved = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """End the round, or save the state, when it is time."""
        if trainer.global_step == self._steps:
            return
        self._steps = trainer.global_step
        if self._steps == self.schedule.ends[len(self.rows)]:
            self._end_round(cast("Learner", pl_module), trainer)
            self._save(trainer)
            trainer.should_stop = self.done
            if self.watch is not None:
                self.watch(self.rows)
        elif trainer.received_sigterm or time.monotonic() - self._saved >= self.save_every:
            # Told to make room, as on a shared cluster, a training loses nothing.
            self._save(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the pictures' file."""
        del trainer, pl_module
        self._writer.close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Close the pictures' file of a training that is broken off."""
        del exception
        if hasattr(self, "_writer"):
            self.on_train_end(trainer, pl_module)

    def _end_round(self, module: Learner, trainer: Trainer) -> None:
        # Reading the loss waits for the device, so the clock is read after it.
        loss, rows = module.take_mean_loss()
        self._lap()
        trained = self.seconds
        measures = self.validate()
        self._lap()
        rate = self.schedule.factor(self._steps - 1) * module.optimizer_config.learning_rate
        row: Row = {
            "epoch": round(self._steps / self.schedule.steps_an_epoch, 4),
            "step": self._steps,
            "train_loss": loss,
            **{f"valid_{name}": float(value) for name, value in measures.items()},
            "learning_rate": rate,
            "sequences_per_second": round(rows / max(trained, 1e-9), 1),
            "seconds": round(self.seconds, 3),
        }
        self.seconds = 0.0
        better = self.add(row)
        if not trainer.is_global_zero:
            # Of several processes all know the same; one writes it down.
            return
        if better:
            self.keep()
        write_log(self.folder.log, self.rows)
        for name, value in row.items():
            self._writer.add_scalar(name, value, self._steps)
        self._writer.flush()

    def add(self, row: Row) -> bool:
        """Take in the row of a round; says whether it is the best so far."""
        better = self._is_best(row)
        self.rows.append(row)
        if better:
            self.best_round = len(self.rows) - 1
        return better

    def _is_best(self, row: Row) -> bool:
        if self.best_round < 0:
            return True
        old, new = (r[f"valid_{self.monitor}"] for r in (self.best, row))
        # A measure that is not defined beats nothing, and everything beats it.
        if math.isnan(new) or math.isnan(old):
            return math.isnan(old) and not math.isnan(new)
        return new < old if self.lower_is_better else new > old

    def _lap(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._clock
        self._clock = now

    def _save(self, trainer: Trainer) -> None:
        self._lap()
        if trainer.is_global_zero:
            with publish_file(self.folder.last) as partial:
                trainer.save_checkpoint(partial)
        else:
            # All processes take part, and only the first one writes.
            trainer.save_checkpoint(self.folder.last)
        self._clock = self._saved = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """The log and what follows from it, for the checkpoint."""
        return {"rows": self.rows, "best_round": self.best_round, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint; rows of the log that it does not know are dropped."""
        rows, best, seconds = (state_dict[name] for name in ("rows", "best_round", "seconds"))
        ends = self.schedule.ends
        if (
            [row["step"] for row in rows] != list(ends[: len(rows)])
            or not -1 <= best < len(rows)
            or not seconds >= 0
            or any(not isinstance(value, int | float) for row in rows for value in row.values())
        ):
            raise ValueError("the log is not of this training")
        self.rows, self.best_round, self.seconds = rows, best, float(seconds)
        write_log(self.folder.log, self.rows)


def write_log(path: Path, rows: list[Row]) -> None:
    """Write all rows of the log."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    with publish_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        # Rows from before a measure was added lack it.
        writer = csv.DictWriter(stream, list(rows[-1]), restval="nan", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
