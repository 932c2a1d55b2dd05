"""What Lightning trains: one step of the model, its optimizer and its learning rate.

Shapes: ``B`` batch, ``M`` members, ``T`` outputs.
"""

from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from attendna.models.model import SequenceModel
from attendna.tokens.tokenizer import Tokenizer
from attendna.training.batches import DROPOUT, Batch, seed_of
from attendna.training.objectives import Objective
from attendna.training.run import OptimizerConfig
from attendna.training.schedule import Schedule
from attendna.training.sharding import shard


class Learner(LightningModule):
    """A model with its optimizer, its learning rate and the mean of its loss.

    Parameters
    ----------
    model
        What is trained; frozen parameters stay as they are.
    optimizer, schedule
        How.
    seed
        Of everything that is drawn.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: OptimizerConfig, schedule: Schedule, seed: int
    ) -> None:
        super().__init__()
        self.model = model
        self.optimizer_config = optimizer
        self.schedule = schedule
        self.seed = seed
        # Buffers, so that a round that was saved half done goes on adding up.
        self.register_buffer("loss_sum", torch.zeros(()))
        self.register_buffer("rows_seen", torch.zeros((), dtype=torch.int64))
        self.loss_sum: Tensor
        self.rows_seen: Tensor

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; quickly where Lightning notes the running hook, forty times a step."""
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def seed_step(self, number: int) -> None:
        """Set torch's generator, which dropout draws from, by the number of a batch alone: what it
        draws does not depend on what happened before a training was killed."""
        torch.manual_seed(seed_of(self.seed, DROPOUT, number))

    def count(self, loss: Tensor, rows: int) -> Tensor:
        """Take a batch's mean loss into that of the round."""
        # Added up on the device: asking for the number would wait for the step to end.
        self.loss_sum.add_(loss.detach(), alpha=rows)
        self.rows_seen.add_(rows)
        return loss

    def take_mean_loss(self) -> tuple[float, int]:
        """Mean loss of the rows seen since this was last asked, and how many they were."""
        rows = int(self.rows_seen)
        mean = float(self.loss_sum) / max(1, rows)
        self.loss_sum.zero_()
        self.rows_seen.zero_()
        return mean, rows

    def configure_model(self) -> None:
        """Leave each process its share of the model, where Lightning was told to."""
        if self.device_mesh is not None:
            shard(self, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        """AdamW without decay of vectors, and the learning rate of every step."""
        settings = self.optimizer_config
        optimizer = torch.optim.AdamW(
            parameter_groups(self.model, settings),
            lr=settings.learning_rate,
            betas=settings.betas,
            fused=True,
        )

        # A plain function, of which nothing is stored; of a method its attributes would be.
        def factor(step: int) -> float:
            return self.schedule.factor(step)

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,  # noqa: ARG002 - it has all parameters
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002 - by the norm
    ) -> None:
        """Clip here: Lightning refuses to beside a fused optimizer under bfloat16, where it takes
        the gradients to be scaled, which those of bfloat16 never are."""
        if gradient_clip_val is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)


class TrainingModule(Learner):
    """A model of classes with all that a training step needs."""

    def __init__(
        self,
        model: SequenceModel,
        tokenizer: Tokenizer,
        *,
        objective: Objective,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        seed: int,
    ) -> None:
        super().__init__(model, optimizer=optimizer, schedule=schedule, seed=seed)
        self.model: SequenceModel
        self.tokenizer = tokenizer
        self.objective = objective

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of a batch."""
        self.seed_step(batch.number)
        tokens = self.tokenizer(batch.codes, batch.lengths)
        logits = self.model.member_logits(tokens)
        if batch.alternative is not None:
            # Both alleles lose the same channels: what differs between them is the allele alone.
            self.seed_step(batch.number)
            logits = self.model.member_logits(self.tokenizer(*batch.alternative)) - logits
        loss = self.objective(logits, batch.labels)
        return self.count(loss, len(batch.labels))


def is_decayed(name: str, parameter: Tensor) -> bool:
    """Whether weight decay applies: to matrices, but not to vectors nor to learned positions."""
    return parameter.ndim > 1 and "positions" not in name.split(".")


def parameter_groups(model: nn.Module, settings: OptimizerConfig) -> list[dict[str, Any]]:
    """What is trained, by how fast it learns and whether it is decayed."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    depths = {name: depth_of(name) for name, _ in named}
    top = 1 + max((depth for depth in depths.values() if depth is not None), default=0)
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    for name, parameter in named:
        below = 0
        if settings.layer_decay < 1:
            depth = depths[name]
            below = 0 if depth is None else top - depth
        key = below, is_decayed(name, parameter)
        if key not in groups:
            groups[key] = {
                "params": [],
                "weight_decay": settings.weight_decay if key[1] else 0.0,
                "lr": settings.learning_rate * settings.layer_decay**below,
            }
        groups[key]["params"].append(parameter)
    # What is decayed first, and of each what is on top.
    return [groups[key] for key in sorted(groups, key=lambda key: (not key[1], key[0]))]


def depth_of(name: str) -> int | None:
    """How many layers of blocks lie below a parameter; none for what lies above them all."""
    parts = [part for part in name.split(".") if part not in ("body", "encoder", "members")]
    while parts and parts[0].isdigit():
        parts = parts[1:]
    if parts[0] in ("blocks", "layer"):
        return int(parts[1]) + 1
    lowest = ("embeddings", "embeddings_project", "positions", "stem", "tower")
    return 0 if parts[0] in lowest else None
