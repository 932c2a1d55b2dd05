"""Held-out windows of which always the same words are hidden, measured in bases.

Models of words and Markov models of bases are asked for the same bases, those of the hidden words,
and compared by them:

- Perplexity: the model pays the negative log probability of each hidden word, which counts for all
  its bases. With the word its length is told as well, so that this is what the bases cost at most.
  Fair beside it is ``markov_k_told``: it pays for a word's bases one after the other, each in sight
  of those before, which is what the whole stretch of bases costs in it. ``markov_k`` tells each
  base as if its hidden neighbors stayed hidden.
- Accuracy: of each base what the model holds for the likeliest there, summed over the words that
  reach so far; where the word truly ends it is not shown. That is an answer without sight of any
  hidden base, as those of ``markov_k`` and ``both_sides_k`` are.

Byte pairs themselves say something of the bases in them, since not every stretch is a word: the
models of bases, which do not know the words, are not told where hidden ones begin and end but by
what is visible around them.

Shapes: ``w`` windows, ``L`` bases, ``S`` words, ``n`` hidden words of a batch, ``V`` vocabulary.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.evaluation.language import Hidden, Tally
from attendna.models.word_language import WordLanguageModel
from attendna.prediction.device import Precision, autocast
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.tokenizer import TokenBatch
from attendna.training.batches import MASKS, seed_of
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.validation import measures_of
from attendna.training.pretraining.word_masking import hide_words

BATCH = 16
"""Each hidden word has a number for every word that there is."""


class HeldOutWords:
    """Measures a language model of words on windows of the held-out chromosomes.

    What is hidden is hidden altogether: nothing is left as it is or replaced. As many words are
    hidden as in training.
    """

    def __init__(
        self,
        codes: UInt8[ndarray, "w L"],
        tokenizer: BPETokenizer,
        masking: MaskingConfig,
        seed: int,
        precision: Precision,
    ) -> None:
        self.tokenizer = tokenizer
        self.precision: Precision = precision
        length = codes.shape[1]
        self.words = tokenizer(torch.from_numpy(codes), torch.full((len(codes),), length))
        generator = torch.Generator().manual_seed(seed_of(seed, MASKS, 1 << 62))
        all_masked = masking.replace(mask=1.0, random=0.0)
        self.read, self.asked = hide_words(self.words, tokenizer, all_masked, generator)
        ends = self.words.spans[..., 1].masked_fill(~self.words.mask, length)
        places = torch.arange(length, dtype=torch.int32).repeat(len(codes), 1)
        word = torch.searchsorted(ends.contiguous(), places, right=True)
        self.hidden = Hidden(codes, self.asked.gather(1, word).numpy())

    def tally(self, model: WordLanguageModel) -> Tally:
        """How the model fared in each window."""
        was, device = model.training, next(model.parameters()).device
        model.eval()
        found: list[tuple[Tensor, Tensor]] = []
        with torch.inference_mode():
            for first in range(0, len(self.asked), BATCH):
                rows = slice(first, first + BATCH)
                truth = self.words.ids[rows][self.asked[rows]].long().to(device)
                found.append(self._judge(self._told(model, rows, device), truth))
        model.train(was)
        correct, loss = (torch.cat(parts).double().cpu() for parts in zip(*found, strict=True))
        window = self.asked.nonzero()[:, 0].numpy()
        bases = self.tokenizer.widths[self.words.ids[self.asked].long()].double()
        sums = (
            np.bincount(window, weights=values.numpy(), minlength=len(self.asked))
            for values in (correct, loss, bases)
        )
        return Tally(*sums)

    def _told(
        self, model: WordLanguageModel, rows: slice, device: torch.device
    ) -> Float[Tensor, "n V"]:
        """Log probabilities of every word at each hidden one of some windows."""
        ids, mask = self.read.ids[rows].to(device), self.read.mask[rows].to(device)
        tokens = TokenBatch(ids, mask, lambda: self.read.spans[rows].to(device))
        with autocast(device, self.precision):
            return model.log_probabilities(model.read_some(tokens, self.asked[rows].to(device)))

    def _judge(
        self, told: Float[Tensor, "n V"], truth: Int64[Tensor, " n"]
    ) -> tuple[Int64[Tensor, " n"], Float[Tensor, " n"]]:
        """Of each hidden word how many bases are told right, and what it costs in nats."""
        loss = -told.gather(1, truth[:, None]).squeeze(1)
        chances, letters = told.exp(), self.tokenizer.letters.to(told.device)
        widths = self.tokenizer.widths.to(told.device)[truth]
        correct = torch.zeros_like(truth)
        for place in range(int(widths.max()) if len(truth) else 0):
            reach = (widths > place).nonzero().flatten()
            # The fifth column, of words that end before, says nothing of the base.
            having = F.one_hot(letters[:, place].long(), 5)[:, :4].to(told.dtype)
            likeliest = (chances[reach] @ having).argmax(1)
            correct[reach] += likeliest == letters[truth[reach], place]
        return correct, loss

    def measure(self, model: WordLanguageModel) -> dict[str, float]:
        """The loss in nats a base, and what follows from it; see :func:`.measures_of`."""
        return measures_of(self.tally(model))
