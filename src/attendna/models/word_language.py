"""Language models of words of varying length, which a byte-pair encoding makes.

A hidden word is read as [MASK], whatever its length, and told whole, out of all there are: what is
told thus says how long it is, too.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width, ``n`` words that are asked, ``V`` vocabulary.
"""

from typing import TypeAlias

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attendna.models.language import LanguageModel, Told, language_head, places_of
from attendna.models.model import ModelConfig
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class WordLanguageModel(nn.Module):
    """An encoder without its head, and a head that tells words."""

    def __init__(self, config: ModelConfig, tokenizer: BPETokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        # What only classifies is neither trained nor stored.
        self.encoder = config.backbone(tokenizer)
        self.head = language_head(self.encoder.token_width, tokenizer.vocabulary_size)

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B S D"]:
        """What the encoder makes of words, as far as the longest row of the batch goes."""
        trimmed = _trimmed(tokens)
        x, _ = self.encoder.read(trimmed)
        # Without the token that the pooling may add in front.
        return x[:, -trimmed.ids.shape[1] :]

    def read_some(self, tokens: TokenBatch, rows: Bool[Tensor, "B S"]) -> Float[Tensor, "n D"]:
        """The same of some words alone, one after the other, for less."""
        wanted, real = places_of(rows)
        return self.encoder.read_at(_trimmed(tokens), wanted)[real]

    def log_probabilities(self, x: Float[Tensor, "n D"]) -> Float[Tensor, "n V"]:
        """Of every word."""
        return self.head(x).float().log_softmax(-1)


def _trimmed(tokens: TokenBatch) -> TokenBatch:
    """As far as the longest row goes."""
    longest = int(tokens.mask.sum(1).max())
    ids, mask = tokens.ids[:, :longest], tokens.mask[:, :longest]
    return TokenBatch(ids, mask, lambda: tokens.spans[:, :longest])


AnyLanguageModel: TypeAlias = LanguageModel | WordLanguageModel


def language_model(config: ModelConfig, tokenizer: Tokenizer, tell: Told) -> AnyLanguageModel:
    """The language model for what a tokenizer reads, with fresh weights.

    Raises
    ------
    ConfigError
        The model is no encoder, or its tokens are not the words that are to be told.
    """
    if isinstance(tokenizer, BPETokenizer):
        return WordLanguageModel(config, tokenizer)
    return LanguageModel(config, tokenizer, tell)
