"""What training makes small, by the kind of labels, over the members of a model.

Every member of an ensemble is trained as if it were alone: it is their losses that are averaged,
not their logits.

Shapes: ``M`` members, ``B`` batch, ``R`` rows of all members, ``T`` outputs, ``K`` classes.
"""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64, Shaped
from numpy import ndarray
from torch import Tensor

from attendna.tasks.spec import LabelKind
from attendna.training.run import ObjectiveConfig


class Objective(ABC):
    """A loss of logits and labels, in float32 whatever the logits were computed in."""

    @abstractmethod
    def __call__(
        self, logits: Float[Tensor, "M B T"], labels: Shaped[Tensor, "B *tracks"]
    ) -> Float[Tensor, ""]:
        """The mean over rows, then over members."""


def objective_of(
    config: ObjectiveConfig, kind: LabelKind, counts: Int64[ndarray, " K"], device: torch.device
) -> Objective:
    """The loss of a kind of labels.

    Parameters
    ----------
    counts
        Training rows of each class; not read where there are none.
    device
        Where logits and labels lie.
    """
    if kind == "multilabel":
        return TrackObjective(config)
    if kind == "regression":
        return NumberObjective(config)
    return ClassObjective(config, counts, device)


class ClassObjective(Objective):
    """Cross entropy of the class of each row, plain or focal.

    Parameters
    ----------
    config
        Which loss.
    counts
        Training rows of each class.
    device
        Where logits and labels lie.
    """

    def __init__(
        self, config: ObjectiveConfig, counts: Int64[ndarray, " K"], device: torch.device
    ) -> None:
        self.config = config
        self.classes = counts.size
        self.weights: Tensor | None = None
        if config.class_weights == "balanced":
            # Mean one over the rows, so that the learning rate keeps its meaning.
            weights = counts.sum() / (counts.size * counts)
            self.weights = torch.as_tensor(weights, dtype=torch.float32, device=device)
        if config.alpha is not None:
            weights = [2 * (1 - config.alpha), 2 * config.alpha]
            self.weights = torch.tensor(weights, dtype=torch.float32, device=device)

    def __call__(
        self, logits: Float[Tensor, "M B T"], labels: Int[Tensor, " B"]
    ) -> Float[Tensor, ""]:
        """The loss; see the base class."""
        members = logits.shape[0]
        flat = logits.float().flatten(0, 1)
        target = labels.long().repeat(members)
        if flat.shape[1] == 1:
            loss, log_wrong = self._binary(flat[:, 0], target)
        else:
            loss, log_wrong = self._multiclass(flat, target)
        if self.config.loss == "focal":
            # (1 - p)^gamma by its logarithm: near p = 1 a power has no finite gradient.
            loss = loss * torch.exp(self.config.gamma * log_wrong)
        if self.weights is not None:
            loss = loss * self.weights[target]
        return loss.mean()

    def _binary(
        self, logits: Float[Tensor, " R"], target: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, " R"], Float[Tensor, " R"]]:
        """The loss of each row, and the logarithm of the probability of its wrong class."""
        smoothing = self.config.label_smoothing
        wanted = target * (1 - smoothing) + smoothing / 2
        loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        return loss, F.logsigmoid(torch.where(target == 1, -logits, logits))

    def _multiclass(
        self, logits: Float[Tensor, "R K"], target: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, " R"], Float[Tensor, " R"]]:
        """The same for several classes: the probability of all the wrong ones."""
        smoothing = self.config.label_smoothing
        loss = F.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)
        others = logits.scatter(1, target[:, None], -torch.inf)
        return loss, others.logsumexp(1) - logits.logsumexp(1)


class TrackObjective(Objective):
    """Cross entropy of every track of every row, plain or focal: the mean over both.

    Source of the focal form: Lin et al. 2017, with ``alpha`` for positives.
    """

    def __init__(self, config: ObjectiveConfig) -> None:
        self.config = config

    def __call__(
        self, logits: Float[Tensor, "M B T"], labels: Float[Tensor, "B T"]
    ) -> Float[Tensor, ""]:
        """The loss; see the base class."""
        config, logits = self.config, logits.float()
        target = labels.float().expand_as(logits)
        wanted = target * (1 - config.label_smoothing) + config.label_smoothing / 2
        loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        if config.loss == "focal":
            # (1 - p)^gamma by its logarithm: near p = 1 a power has no finite gradient.
            log_wrong = F.logsigmoid(torch.where(target == 1, -logits, logits))
            loss = loss * torch.exp(config.gamma * log_wrong)
        if config.alpha is not None:
            loss = loss * torch.where(target == 1, 2 * config.alpha, 2 * (1 - config.alpha))
        return loss.mean()


class NumberObjective(Objective):
    """Of measured numbers: cross entropy of shares, squared or Huber's error; NaN is left out.

    The mean is over all that is known in the batch.
    """

    def __init__(self, config: ObjectiveConfig) -> None:
        self.config = config

    def __call__(
        self, logits: Float[Tensor, "M B T"], labels: Float[Tensor, "B T"]
    ) -> Float[Tensor, ""]:
        """The loss; see the base class."""
        logits = logits.float()
        known = ~torch.isnan(labels)
        target = torch.where(known, labels, 0).float().expand_as(logits)
        if self.config.loss == "mse":
            loss = F.mse_loss(logits, target, reduction="none")
        elif self.config.loss == "huber":
            loss = F.huber_loss(logits, target, reduction="none", delta=self.config.delta)
        else:
            loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        # A batch may hold nothing that is known: its loss is zero then, not 0/0.
        return (loss * known).sum() / (known.sum() * len(logits)).clamp(min=1)
