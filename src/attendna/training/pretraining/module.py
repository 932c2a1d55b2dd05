"""What Lightning pretrains: the loss of a step.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens, ``D`` width, ``n`` tokens that are asked.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from attendna.models.language import LanguageModel
from attendna.tokens.strand import reverse_complement
from attendna.training.batches import MASKS, seed_of
from attendna.training.module import Learner
from attendna.training.pretraining.config import ContrastiveConfig, MaskingConfig
from attendna.training.pretraining.masking import Masked, hide
from attendna.training.pretraining.windows import WindowBatch
from attendna.training.run import OptimizerConfig
from attendna.training.schedule import Schedule


class PretrainingModule(Learner):
    """A language model with all that a training step needs."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        masking: MaskingConfig,
        contrastive: ContrastiveConfig | None,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        seed: int,
    ) -> None:
        super().__init__(model, optimizer=optimizer, schedule=schedule, seed=seed)
        self.model: LanguageModel
        self.masking = masking
        self.contrastive = contrastive

    def training_step(self, batch: WindowBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of a batch."""
        self.seed_step(batch.number)
        generator = torch.Generator(batch.codes.device)
        generator.manual_seed(seed_of(self.seed, MASKS, batch.number))
        masked = hide(batch.codes, self.model.words, self.masking, generator)
        asked = masked.hidden
        if self.masking.loss_on == "all":
            asked = torch.ones_like(asked)
        rows = self.model.asked(asked)
        if self.contrastive is None:
            x = self.model.read_some(masked.codes, rows)
            loss = language_loss(self.model, x, batch.codes, asked, batch.weights)
        else:
            every = self.model(masked.codes)
            loss = language_loss(self.model, every[rows], batch.codes, asked, batch.weights)
            loss = loss + self.contrastive.weight * self._strands_apart(every, masked)
        return self.count(loss, len(batch.codes))

    def _strands_apart(self, x: Float[Tensor, "B S D"], masked: Masked) -> Float[Tensor, ""]:
        settings = self.contrastive
        if settings is None:
            raise ValueError("there is no contrastive loss")
        lengths = torch.full((len(masked.codes),), masked.codes.shape[1], device=x.device)
        other = self.model(reverse_complement(masked.codes, lengths))
        return contrastive_loss(x.mean(1), other.mean(1), settings.temperature)


def language_loss(
    model: LanguageModel,
    x: Float[Tensor, "n D"],
    codes: UInt8[Tensor, "B L"],
    asked: Bool[Tensor, "B L"],
    weights: Float32[Tensor, "B L"],
) -> Float[Tensor, ""]:
    """Mean cross entropy of the bases that are asked, or of the words that touch one.

    Parameters
    ----------
    x
        What the encoder made of the masked windows' tokens that are asked.
    codes
        The windows as they are.
    """
    if model.tell == "words":
        rows = model.asked(asked)
        powers = 4 ** torch.arange(model.words.size - 1, -1, -1, device=codes.device)
        target = (model.spelled(codes)[rows].long() * powers).sum(1)
        weight = model.spelled(weights)[rows].mean(1)
        logits = model.head(x).float()
    else:
        of_base = model.owned(asked, fill=0)
        rows = of_base.any(2)
        chosen = of_base[rows]
        target = model.owned(codes, fill=0)[rows][chosen].long()
        weight = model.owned(weights, fill=0)[rows][chosen]
        logits = model.head(x).float().unflatten(1, (model.count, 4))[chosen]
    losses = F.cross_entropy(logits, target, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp_min(1e-9)


def contrastive_loss(
    one: Float[Tensor, "B D"], other: Float[Tensor, "B D"], temperature: float
) -> Float[Tensor, ""]:
    """How badly each representation finds its partner among all of the other strand."""
    one, other = (F.normalize(part.float(), dim=1) for part in (one, other))
    likeness = one @ other.T / temperature
    partner = torch.arange(len(one), device=one.device)
    return (F.cross_entropy(likeness, partner) + F.cross_entropy(likeness.T, partner)) / 2
