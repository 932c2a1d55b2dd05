"""What Lightning pretrains on words of varying length: the loss of a step.

Shapes: ``n`` words that are asked, ``D`` width.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Int32
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
        x = self.model.read_some(read, asked)
        loss = word_loss(self.model, x, batch.ids[asked], batch.weights[asked])
        return self.count(loss, len(batch.ids))


def word_loss(
    model: WordLanguageModel,
    x: Float[Tensor, "n D"],
    ids: Int32[Tensor, " n"],
    weights: Float32[Tensor, " n"],
) -> Float[Tensor, ""]:
    """Mean cross entropy of the words that are asked.

    Parameters
    ----------
    x
        What the encoder made of them.
    ids
        What they are.
    """
    logits = model.head(x).float()
    losses = F.cross_entropy(logits, ids.long(), reduction="none")
    return (losses * weights).sum() / weights.sum().clamp_min(1e-9)
