"""The plan of a training: how many steps, how fast at each, and when the model is validated."""

import math
from dataclasses import dataclass

from attendna.training.run import OptimizerConfig, TrainerConfig

LONGEST_ROUND = 2_000
"""Steps after which a model is validated and saved even where an epoch is longer."""


@dataclass(frozen=True)
class Schedule:
    """Steps of a training, cut into rounds that each end with a validation.

    ``ends[i]`` is the number of steps done when round ``i`` ends.
    """

    steps: int
    steps_an_epoch: float
    warmup_steps: int
    floor: float
    ends: tuple[int, ...]

    @classmethod
    def plan(
        cls, trainer: TrainerConfig, optimizer: OptimizerConfig, rows: int, share: float = 1.0
    ) -> "Schedule":
        """The plan for so many training rows.

        Parameters
        ----------
        share
            Plan only this share of the steps, with everything in proportion.
        """
        batches = math.ceil(rows / trainer.batch_size)
        steps_an_epoch = batches / optimizer.accumulate
        steps = max(trainer.min_steps, math.ceil(trainer.epochs * steps_an_epoch))
        if trainer.max_steps is not None:
            steps = min(steps, trainer.max_steps)
        steps = max(1, round(share * steps))
        rounds = trainer.validations or _rounds(steps, steps_an_epoch)
        return cls.of_steps(steps, rounds, optimizer, steps_an_epoch)

    @classmethod
    def of_steps(
        cls, steps: int, validations: int, optimizer: OptimizerConfig, steps_an_epoch: float
    ) -> "Schedule":
        """A plan of so many steps and validations."""
        # Rounded up, so that no round is empty and the last ends with the training.
        ends = sorted({math.ceil(steps * (i + 1) / validations) for i in range(validations)})
        warmup = round(optimizer.warmup * steps)
        return cls(steps, steps_an_epoch, warmup, optimizer.floor, tuple(ends))

    def factor(self, step: int) -> float:
        """Learning rate of a step, as a share of the highest: a rise, then half a cosine."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        remaining = max(1, self.steps - 1 - self.warmup_steps)
        progress = min(1.0, (step - self.warmup_steps) / remaining)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2


def _rounds(steps: int, steps_an_epoch: float) -> int:
    """One round an epoch; a long epoch is cut into equal parts."""
    parts = math.ceil(steps_an_epoch / LONGEST_ROUND)
    return max(1, min(steps, round(parts * steps / steps_an_epoch)))
