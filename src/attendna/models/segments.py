"""Sequences too long for a model, read by it in segments.

Every segment is tokenized and read on its own, so that a model of 200 bases reads 1,000 as five
sequences and 40,000 as 200; their representations are then joined.

Shapes: ``B`` batch, ``L`` bases, ``M`` segments of the batch, ``l`` bases of a segment, ``K``
segments of a sequence, ``D`` width of a segment's representation, ``P`` of the joined one, ``T``
outputs.
"""

from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Float, Int64, Integer, UInt8
from pydantic import Field
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from attendna.core.errors import ConfigError
from attendna.genome.alphabet import N
from attendna.genome.segments import segments_of
from attendna.models.layers.heads import Head
from attendna.models.layers.joining import AnyJoinConfig, ConcatConfig
from attendna.models.model import AnyModelConfig, ModelConfig, SequenceModel
from attendna.tokens.onehot import OneHotConfig, OneHotTokenizer
from attendna.tokens.tokenizer import AnyTokenizerConfig, TokenBatch, Tokenizer


class SegmentsConfig(ModelConfig):
    """Settings of a model that reads segments; the run's tokenizer must be ``onehot``."""

    name: Literal["segments"] = "segments"
    length: int = Field(default=200, ge=1)
    """Bases of the longest segment; a sequence is cut evenly into as few as there can be."""
    tokenizer: AnyTokenizerConfig = OneHotConfig()
    """Tokens of the segments, each of which is tokenized on its own."""
    model: AnyModelConfig
    """What reads a segment; its head is not used."""
    join: AnyJoinConfig = ConcatConfig()
    at_once: int = Field(default=1024, ge=1)
    """Segments computed at a time. Where training has more in a batch they are computed again for
    the gradient, so that memory does not grow with the length of the sequences; statistics of a
    batch are then those of so many segments."""
    hidden: int | None = Field(default=None, ge=1)
    """Width of a hidden layer in the head; none for a linear head."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    def build(self, tokenizer: Tokenizer, outputs: int) -> "SegmentReader":
        """The network, with fresh weights."""
        inner = self._tokenizer_of_segments(tokenizer)
        return SegmentReader(self, inner, self.model.build(inner, outputs), outputs)

    def initialize(self, tokenizer: Tokenizer, outputs: int) -> "SegmentReader":
        """The network, whose model of segments begins as it would alone."""
        inner = self._tokenizer_of_segments(tokenizer)
        return SegmentReader(self, inner, self.model.initialize(inner, outputs), outputs)

    def _tokenizer_of_segments(self, tokenizer: Tokenizer) -> Tokenizer:
        if not isinstance(tokenizer, OneHotTokenizer):
            raise ConfigError(
                "model.name: segments are cut from single bases",
                "set tokenizer: onehot, and the tokens of a segment as model.tokenizer",
            )
        inner = self.tokenizer.build()
        if self.length < 2 * inner.minimum_length:
            raise ConfigError(
                f"model.length: of segments of {self.length} bases some would be too short for a "
                f"token of {inner.minimum_length}",
                f"set model.length={2 * inner.minimum_length} or more",
            )
        return inner


class SegmentReader(SequenceModel):
    """A model of segments, a way to join what it says of them, a head."""

    def __init__(
        self, config: SegmentsConfig, tokenizer: Tokenizer, model: SequenceModel, outputs: int
    ) -> None:
        super().__init__()
        self.length, self.at_once = config.length, config.at_once
        self.tokenizer = tokenizer
        self.model = _without_heads(model)
        self.join = config.join.build(model.width)
        self.width = self.join.width
        self.head = Head(self.width, outputs, hidden=config.hidden, dropout=config.head_dropout)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """The segments' representations, joined."""
        lengths = tokens.mask.sum(1)
        codes, sizes, counts = cut(tokens.ids.to(torch.uint8), lengths, self.length)
        read = self._read(codes, sizes)
        most = int(counts.max()) if len(counts) else 0
        mask = torch.arange(most, device=counts.device) < counts[:, None]
        if bool(mask.all()):
            return self.join(read.view(len(counts), most, -1), None)
        laid = read.new_zeros(len(counts), most, read.shape[1])
        return self.join(laid.masked_scatter(mask[..., None], read), mask)

    def _read(
        self, codes: UInt8[Tensor, "M l"], lengths: Int64[Tensor, " M"]
    ) -> Float[Tensor, "M D"]:
        if len(codes) <= self.at_once:
            return self._embed(codes, lengths)
        learns = torch.is_grad_enabled() and any(p.requires_grad for p in self.model.parameters())
        chunks = zip(codes.split(self.at_once), lengths.split(self.at_once), strict=True)
        if not learns:
            return torch.cat([self._embed(*chunk) for chunk in chunks])
        return torch.cat([self._again(*chunk) for chunk in chunks])

    def _again(
        self, codes: UInt8[Tensor, "M l"], lengths: Int64[Tensor, " M"]
    ) -> Float[Tensor, "M D"]:
        """As :meth:`_embed`, but nothing is kept for the gradient."""
        read = checkpoint(self._embed, codes, lengths, use_reentrant=False)
        return cast("Tensor", read)

    def _embed(
        self, codes: UInt8[Tensor, "M l"], lengths: Int64[Tensor, " M"]
    ) -> Float[Tensor, "M D"]:
        return self.model.embed(self.tokenizer(codes, lengths))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))


def _without_heads(model: SequenceModel) -> SequenceModel:
    """The model, where nothing is left that its representation does not need."""
    for part in model.modules():
        if isinstance(part, SequenceModel) and hasattr(part, "head"):
            part.register_module("head", None)
    return model


def cut(
    codes: Integer[Tensor, "B L"],
    lengths: Int64[Tensor, " B"],
    longest: int,
    padding: int = int(N),
) -> tuple[Integer[Tensor, "M l"], Int64[Tensor, " M"], Int64[Tensor, " B"]]:
    """Padded codes in segments: their codes, padded, their lengths, and how many each sequence has.

    Ids of tokens can be cut in the same way.

    See :func:`attendna.genome.segments.segments_of`.
    """
    device = codes.device
    parts = segments_of(lengths.cpu().numpy().astype(np.int64), longest)
    counts, owners, starts, ends = (torch.from_numpy(part).to(device) for part in parts)
    sizes = ends - starts
    places = torch.arange(int(sizes.max()) if len(sizes) else 0, device=device)
    columns = (starts[:, None] + places).clamp(max=max(codes.shape[1] - 1, 0))
    segments = codes[owners[:, None], columns]
    return segments.masked_fill_(places >= sizes[:, None], padding), sizes, counts
