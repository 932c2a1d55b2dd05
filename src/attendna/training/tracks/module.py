"""What Lightning trains on tracks: the loss of a step, with what it may learn from a dense model.

Shapes: ``b`` records, ``l`` bins, ``t`` tracks, ``L`` bins of the window, ``D`` width.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from attendna.models.enformer import Enformer
from attendna.models.track_model import TrackModel, one_hot
from attendna.training.module import Learner
from attendna.training.run import OptimizerConfig
from attendna.training.schedule import Schedule
from attendna.training.tracks.batches import TrackBatch
from attendna.training.tracks.config import DistillationConfig

LEAST = 1e-7
"""Predictions are taken to be at least this, of which there is a logarithm."""


def poisson_loss(
    predicted: Float[Tensor, "b l t"], targets: Float[Tensor, "b l t"]
) -> Float[Tensor, ""]:
    """Mean of ``predicted - target log(predicted)`` over the targets that are known."""
    known = ~targets.isnan()
    counts = targets.nan_to_num(0.0)
    losses = predicted - counts * predicted.clamp_min(LEAST).log()
    return (losses * known).sum() / known.sum().clamp_min(1)


class TrackModule(Learner):
    """A model of tracks with all that a training step needs."""

    def __init__(
        self,
        model: TrackModel,
        *,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        seed: int,
        distillation: DistillationConfig | None = None,
        teacher: Enformer | None = None,
        swap_every: int | None = None,
    ) -> None:
        super().__init__(model, optimizer=optimizer, schedule=schedule, seed=seed)
        self.model: TrackModel
        self.distillation = distillation
        # In a list: its weights are no part of the state that is saved.
        self._teacher = [teacher.eval().requires_grad_(False)] if teacher is not None else []
        self.swap_every = swap_every

    def training_step(self, batch: TrackBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of a batch."""
        self.seed_step(batch.number)
        if self.swap_every is not None:
            swap(self.model, self.global_step // self.swap_every + 1)
        settings = self.distillation
        loss = torch.zeros((), device=batch.targets.device)
        if settings is None or not settings.alone:
            loss = poisson_loss(self.model(batch.codes, batch.head), batch.targets)
        if settings is not None:
            loss = loss + settings.weight * attention_error(
                self.model, self._teacher[0], one_hot(batch.codes, torch.float32)
            )
        return self.count(loss, len(batch.codes))

    def on_fit_start(self) -> None:
        """Bring the dense model to where the other is."""
        for teacher in self._teacher:
            teacher.to(self.device)


def attention_error(
    model: Any, teacher: Enformer, bases: Float[Tensor, "b 4 w"]
) -> Float[Tensor, ""]:
    """Mean over layers of what attention gives wrong, as a share of the variance of what is right.

    Every layer reads what the dense model's layer reads.
    """
    with torch.no_grad():
        x = teacher.tower.in_tiles(bases, 512).transpose(1, 2)
    errors: list[Tensor] = []
    right: Any = teacher.blocks
    for own, dense in zip(model.blocks, right, strict=True):
        with torch.no_grad():
            wanted = dense.attention(dense.attention_norm(x))
        read = own.attention(own.attention_norm(x))
        errors.append((read - wanted).square().mean() / wanted.var().clamp_min(1e-12))
        with torch.no_grad():
            x = dense.continued(x, wanted)
    return torch.stack(errors).mean()


def swap(model: Any, layers: int) -> None:
    """Make the attention of the first ``layers`` layers sparse, and that of the others dense."""
    for number, block in enumerate(model.blocks):
        block.attention.dense = number >= layers
