"""What Lightning pretrains on words of varying length: the loss of a step.

Shapes: ``B`` batch, ``S`` words, ``D`` width.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor

from attendna.models.word_language import WordLanguageModel
from attendna.training.batches import MASKS, seed_of
from attendna.training.module import Learner
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.word_masking import hide_words
from attendna.training.pretraining.word_windows import WordBatch
from attendna.training.run import OptimizerConfig
from attendna.training.schedule import Schedule


class WordPretrainingModule(Learner):
    """A language model of words with all that a training step needs."""

    def __init__(
        self,
        model: WordLanguageModel,
        *,
        masking: MaskingConfig,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        seed: int,
    ) -> None:
        super().__init__(model, optimizer=optimizer, schedule=schedule, seed=seed)
        self.model: WordLanguageModel
        self.masking = masking

    def training_step(self, batch: WordBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of a batch."""
        self.seed_step(batch.number)
        generator = torch.Generator(batch.ids.device)
        generator.manual_seed(seed_of(self.seed, MASKS, batch.number))
        tokenizer = self.model.tokenizer
        words = tokenizer.words(batch.ids, batch.mask)
        read, asked = hide_words(words, tokenizer, self.masking, generator)
        if self.masking.loss_on == "all":
            asked = batch.mask
        loss = word_loss(self.model, self.model(read), batch.ids, asked, batch.weights)
        return self.count(loss, len(batch.ids))


def word_loss(
    model: WordLanguageModel,
    x: Float[Tensor, "B S D"],
    ids: Int32[Tensor, "B S"],
    asked: Bool[Tensor, "B S"],
    weights: Float32[Tensor, "B S"],
) -> Float[Tensor, ""]:
    """Mean cross entropy of the words that are asked.

    Parameters
    ----------
    x
        What the encoder made of the words with some hidden.
    ids
        The words as they are.
    """
    logits = model.head(x[asked]).float()
    losses = F.cross_entropy(logits, ids[asked].long(), reduction="none")
    weight = weights[asked]
    return (losses * weight).sum() / weight.sum().clamp_min(1e-9)
