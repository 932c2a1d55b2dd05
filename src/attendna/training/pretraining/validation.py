"""Held-out windows of which always the same bases are hidden.

Shapes: ``w`` windows, ``L`` bases, ``h`` hidden bases.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import DivergedError
from attendna.evaluation.language import ACCURACY, PERPLEXITY, Hidden, Tally
from attendna.models.language import LanguageModel
from attendna.prediction.device import Precision, autocast
from attendna.training.batches import MASKS, seed_of
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.masking import hide

BATCH = 64


class HeldOut:
    """Measures a language model on windows of the held-out chromosomes.

    What is hidden is hidden altogether: nothing is left as it is or replaced. As many bases are
    hidden as in training.
    """

    def __init__(
        self,
        codes: UInt8[ndarray, "w L"],
        model: LanguageModel,
        masking: MaskingConfig,
        seed: int,
        precision: Precision,
    ) -> None:
        self.codes = torch.from_numpy(codes)
        generator = torch.Generator().manual_seed(seed_of(seed, MASKS, 1 << 62))
        all_masked = masking.replace(mask=1.0, random=0.0)
        masked = hide(self.codes, model.words, all_masked, generator)
        self.masked, self.asked = masked.codes, masked.hidden & _told(model, codes.shape[1])
        self.precision: Precision = precision
        self.hidden = Hidden(codes, self.asked.numpy())

    def probabilities(self, model: LanguageModel) -> Float32[ndarray, "h 4"]:
        """What the model says of the hidden bases."""
        was, device = model.training, next(model.parameters()).device
        model.eval()
        found: list[Tensor] = []
        with torch.inference_mode(), autocast(device, self.precision):
            parts = zip(self.masked.split(BATCH), self.asked.split(BATCH), strict=True)
            for codes, asked in parts:
                chosen = model.owned(asked.to(device), fill=0)
                rows = chosen.any(2)
                x = model.read_some(codes.to(device), rows)
                told = model.log_probabilities(x)[chosen[rows]]
                found.append(told.exp().cpu())
        model.train(was)
        return torch.cat(found).numpy()

    def tally(self, model: LanguageModel) -> Tally:
        """How the model fared in each window."""
        return Tally.of(self.hidden, self.probabilities(model))

    def measure(self, model: LanguageModel) -> dict[str, float]:
        """The loss in nats a base, and what follows from it; see :func:`measures_of`."""
        return measures_of(self.tally(model))


def measures_of(tally: Tally) -> dict[str, float]:
    """The loss in nats a base, and what follows from it.

    Raises
    ------
    DivergedError
        The model has diverged.
    """
    loss = float(tally.loss.sum() / tally.asked.sum())
    if not np.isfinite(loss):
        raise DivergedError(
            "the training has diverged: the loss is no number",
            "set optimizer.learning_rate lower, or the warm-up longer",
        )
    accuracy = float(tally.correct.sum() / tally.asked.sum())
    return {"loss": loss, ACCURACY: accuracy, PERPLEXITY: float(np.exp(loss))}


def _told(model: LanguageModel, length: int) -> Bool[Tensor, " L"]:
    """Which bases of a window some token tells."""
    places = model.owned(torch.arange(length)[None], fill=length).flatten()
    told = torch.zeros(length + 1, dtype=torch.bool)
    told[places] = True
    return told[:length]
