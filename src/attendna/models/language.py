"""Language models of DNA: an encoder, and a head that tells what was hidden from it.

A hidden base is read as N. The unknown id of fixed words, which stands for any word with an N, is
therefore their mask id: no row is added to the vocabulary, the encoder of a language model is that
of a classifier, and an N in a sequence that is classified later reads like a hidden base.

Each base is told by one token, whatever the tokenizer, so that tokenizers compare base by base: of
a patch all its bases, of overlapping words the middle one, of a stem that pools all in the window.
Words of varying length are another model's, see :mod:`.word_language`.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens, ``D`` width, ``n`` tokens that are asked, ``Q`` the
most of a sequence, ``c`` bases that a token tells, ``V`` words.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, Num, UInt8
from torch import Tensor, nn

from attendna.core.errors import ConfigError
from attendna.models.model import ModelConfig
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

Told = Literal["bases", "words"]
"""What a head predicts: every base of a token for itself, or its word out of all there are."""


@dataclass(frozen=True)
class Words:
    """How a tokenizer reads bases: words of ``size``, one every ``stride``."""

    size: int
    stride: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Words":
        """Find out from the first two tokens of a sequence.

        Raises
        ------
        ConfigError
            The words are not fixed: their ids do not follow from one stretch of bases each.
        """
        lengths = range(1, 1 << 10)
        length = next((length for length in lengths if tokenizer.count(length) > 1), 0)
        codes = torch.zeros((1, length), dtype=torch.uint8)
        spans = tokenizer(codes, torch.tensor([length])).spans[0].tolist()
        first, second = spans[:2] if len(spans) > 1 else ((0, 0), (0, 0))
        size = first[1] - first[0]
        if tokenizer.vocabulary_size != 4**size + 1:
            raise ConfigError(
                "a language model reads fixed words", "set tokenizer to onehot, kmer or patch"
            )
        return cls(size, second[0] - first[0])

    @property
    def overlap(self) -> bool:
        """Whether a base belongs to several words."""
        return self.stride < self.size


def places_of(
    rows: Bool[Tensor, "B S"],
) -> tuple[Int64[Tensor, "B Q"], Bool[Tensor, "B Q"]]:
    """Places of the tokens that are asked in each sequence, and which of them are no padding."""
    counts = rows.sum(1)
    most = max(1, int(counts.max()))
    wanted = (~rows).to(torch.uint8).sort(dim=1, stable=True).indices[:, :most]
    return wanted, torch.arange(most, device=rows.device) < counts[:, None]


def language_head(width: int, told: int) -> nn.Sequential:
    """From a token's vector to logits of what is told."""
    return nn.Sequential(
        nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, told)
    )


class LanguageModel(nn.Module):
    """An encoder without its head, and a language head.

    Raises
    ------
    ConfigError
        The model is no encoder, or its tokens are not the words that are to be told.
    """

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer, tell: Told) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.tell: Told = tell
        self.words = Words.of(tokenizer)
        # What only classifies is neither trained nor stored.
        self.encoder = config.backbone(tokenizer)
        self.pool = pool = self.encoder.pool
        if tell == "words" and pool > 1:
            raise ConfigError(
                f"tell: words, but the stem makes one token of {pool}",
                "set tell: bases, or model.stem.pool=1",
            )
        self.stride = self.words.stride * pool
        self.count = min(self.stride, self.words.size * pool)
        """Bases that a token tells."""
        self.first = (self.words.size - self.count) // 2 if pool == 1 else 0
        """The first of them, counted from the token's first base."""
        width = self.encoder.token_width
        told = 4**self.words.size if tell == "words" else 4 * self.count
        self.head = language_head(width, told)

    def forward(self, codes: UInt8[Tensor, "B L"]) -> Float[Tensor, "B S D"]:
        """What the encoder makes of windows of one length, token by token."""
        x, _ = self.encoder.read(self._tokens_of(codes))
        # Without the token that the pooling may add in front.
        return x[:, -self.tokens(codes.shape[1]) :]

    def read_some(
        self, codes: UInt8[Tensor, "B L"], rows: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "n D"]:
        """The same of some tokens alone, one after the other, for less."""
        wanted, real = places_of(rows)
        return self.encoder.read_at(self._tokens_of(codes), wanted)[real]

    def _tokens_of(self, codes: UInt8[Tensor, "B L"]) -> TokenBatch:
        lengths = torch.full((len(codes),), codes.shape[1], device=codes.device)
        return self.tokenizer(codes, lengths)

    def asked(self, bases: Bool[Tensor, "B L"]) -> Bool[Tensor, "B S"]:
        """Which tokens are asked for what they tell, where some bases are hidden."""
        if self.tell == "words":
            return self.spelled(bases).any(2)
        return self.owned(bases, fill=0).any(2)

    def tokens(self, length: int) -> int:
        """Tokens behind the stem of a window of ``length`` bases."""
        return -(-self.tokenizer.count(length) // self.pool)

    def owned(self, bases: Num[Tensor, "B L"] | Bool[Tensor, "B L"], fill: int) -> Tensor:
        """What lies at the bases each token tells, as ``[B, S, c]``.

        ``fill`` stands where the last token reaches beyond the window.
        """
        tokens = self.tokens(bases.shape[1])
        reach = self.first + (tokens - 1) * self.stride + self.count
        padded = F.pad(bases, (0, max(0, reach - bases.shape[1])), value=fill)
        return padded[:, self.first : reach].unfold(1, self.count, self.stride)

    def spelled(self, bases: Num[Tensor, "B L"] | Bool[Tensor, "B L"]) -> Tensor:
        """What lies at the bases of each token's word, as ``[B, S, k]``."""
        found = bases.unfold(1, self.words.size, self.words.stride)
        return found[:, : self.tokens(bases.shape[1])]

    def log_probabilities(self, x: Float[Tensor, "n D"]) -> Float[Tensor, "n c 4"]:
        """Of each base of the bases a token tells."""
        logits = self.head(x).float()
        if self.tell == "bases":
            return logits.unflatten(1, (self.count, 4)).log_softmax(-1)
        whole = logits.log_softmax(-1)
        size = self.words.size
        places = range(self.first, self.first + self.count)
        # Summed over all words that have the base at the place.
        return torch.stack(
            [
                whole.unflatten(1, (4**place, 4, 4 ** (size - place - 1))).logsumexp((1, 3))
                for place in places
            ],
            dim=1,
        )
