"""Known motifs as a model: how much of each a sequence holds, and a line over that.

The occupancy of a motif is log2(1 + the sum of its odds against equal bases over all places of both
strands), in bits: many weak sites count beside one strong one, and no threshold is asked for. It
is the same for a sequence and its reverse complement. Nothing in it is learned but the line, so its
vectors serve any learner of ``transfer`` at once.

Source: the sum over sites is that of Granek and Clarke 2005, "Explicit equilibrium modeling of
transcription-factor binding and gene regulation" (GOMER), where a site is far from saturated.

Shapes: ``B`` batch, ``S`` bases, ``M`` motifs, ``G`` of them at a time, ``K`` bases of the longest,
``T`` outputs.
"""

from collections.abc import Sequence
from typing import Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from attendna.core.errors import ConfigError
from attendna.genome.alphabet import N
from attendna.genome.motif import Motif
from attendna.genome.motif_source import open_motifs
from attendna.models.layers.convolution import MaskedBatchNorm
from attendna.models.layers.heads import Head
from attendna.models.layers.padding import real_tokens
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.onehot import OneHotTokenizer
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

PRIOR = 0.05
"""Weight of equal bases beside a motif's own: a base it never has speaks against a site, but not
without end."""

_NEVER = -1000.0
_UNKNOWN = int(N)
_AT_ONCE = 64


class MotifsConfig(ModelConfig):
    """Settings of the model of known motifs."""

    name: Literal["motifs"] = "motifs"
    source: str | None = None
    """A file of motifs, ``jaspar``, or ``jaspar:TAXON``; none draws motifs at
    random, as a control. It is read when a training starts and never again: the motifs are among
    the model's weights."""
    motifs: int = Field(default=256, ge=1)
    """How many motifs there are."""
    longest: int = Field(default=12, ge=1)
    """Bases of the longest."""
    hidden: int | None = Field(default=None, ge=1)
    """Width of a hidden layer in the head; none for a linear head."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    @classmethod
    def of(cls, motifs: Sequence[Motif], source: str | None = None) -> Self:
        """Settings with room for some motifs."""
        return cls(source=source, motifs=len(motifs), longest=max(map(len, motifs)))

    def build(self, tokenizer: Tokenizer, outputs: int) -> "Motifs":
        """The model, with motifs at random."""
        if not isinstance(tokenizer, OneHotTokenizer):
            raise ConfigError("model motifs: it reads single bases", "set tokenizer to onehot")
        return Motifs(self, outputs)

    def initialize(self, tokenizer: Tokenizer, outputs: int) -> "Motifs":
        """The model with the motifs of the source, where one is named.

        Raises
        ------
        UserError
            There is no such source, or ``motifs`` and ``longest`` are not those of it.
        """
        model = self.build(tokenizer, outputs)
        if self.source is not None:
            motifs = open_motifs(self.source).motifs
            there = self.of(motifs)
            if (there.motifs, there.longest) != (self.motifs, self.longest):
                raise ConfigError(
                    f"model motifs: {self.source} has {there.motifs:,} of up to {there.longest} "
                    f"bases, not {self.motifs:,} of {self.longest}",
                    f"set model.motifs={there.motifs} and model.longest={there.longest}",
                )
            model.take(motifs)
        return model


class Motifs(SequenceModel):
    """Occupancies of motifs, normalized, and a head."""

    def __init__(self, config: MotifsConfig, outputs: int) -> None:
        super().__init__()
        self.width = config.motifs
        # Bits of A, C, G, T and of what is unknown, at each base of a motif on both strands.
        self.register_buffer("bits", torch.zeros(config.motifs, 2, config.longest, _UNKNOWN + 1))
        self.register_buffer("lengths", torch.zeros(config.motifs, dtype=torch.int64))
        self.bits: Tensor
        self.lengths: Tensor
        self.norm = MaskedBatchNorm(config.motifs)
        self.head = Head(config.motifs, outputs, hidden=config.hidden, dropout=config.head_dropout)
        drawn = (3 * torch.randn(config.motifs, config.longest, 4, dtype=torch.float64)).softmax(2)
        self.take([Motif(str(number), each.numpy()) for number, each in enumerate(drawn)])

    def take(self, motifs: Sequence[Motif]) -> None:
        """Have these motifs, as many and as long as there is room for."""
        self.bits.zero_()
        for number, motif in enumerate(motifs):
            for strand, read in enumerate((motif, motif.reverse_complement())):
                odds = (read.probabilities * 4 + PRIOR) / (1 + PRIOR)
                self.bits[number, strand, : len(motif), :_UNKNOWN] = torch.from_numpy(odds).log2()
                self.bits[number, strand, : len(motif), _UNKNOWN] = _NEVER
            self.lengths[number] = len(motif)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B M"]:
        """The occupancy of each motif, in bits."""
        ids, _ = real_tokens(tokens)
        # Motifs of about one length together: the short ones are most, and cost by the longest.
        order = self.lengths.argsort()
        longest = self.lengths[order].tolist()
        # Sites that reach beyond an end hold unknown bases there, and so are none.
        bases = F.one_hot(F.pad(ids.long(), (0, longest[-1] - 1), value=_UNKNOWN), _UNKNOWN + 1)
        bases = bases.to(self.bits.dtype)
        odds = [
            self._odds(bases, group, longest[start : start + _AT_ONCE][-1])
            for start, group in zip(
                range(0, len(longest), _AT_ONCE), order.split(_AT_ONCE), strict=True
            )
        ]
        return (1 + torch.cat(odds, dim=1)[:, order.argsort()]).log2()

    def _odds(self, bases: Tensor, group: Tensor, longest: int) -> Float[Tensor, "B G"]:
        """The odds of some motifs, of at most ``longest`` bases, summed over places and strands."""
        windows = bases.unfold(1, longest, 1).flatten(2)
        bits = self.bits[group][:, :, :longest].transpose(2, 3).flatten(2).flatten(0, 1)
        # Odds of half precision would be wrong by a tenth.
        with torch.autocast(bases.device.type, enabled=False):
            return (windows @ bits.T).exp2().sum(1).unflatten(1, (-1, 2)).sum(2)

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.norm(self.embed(tokens)[:, None])[:, 0])
