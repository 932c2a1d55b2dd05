"""What training makes small: cross entropy, plain or focal, over the members of a model.

Shapes: ``M`` members, ``B`` batch, ``R`` rows of all members, ``T`` outputs, ``K`` classes.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64
from numpy import ndarray
from torch import Tensor

from attendna.training.run import ObjectiveConfig


class Objective:
    """A loss of logits and labels: the mean over rows, then over the members of an ensemble.

    Every member is trained as if it were alone: it is their losses that are averaged, not their
    logits.

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
        """The loss, in float32 whatever the logits were computed in."""
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
