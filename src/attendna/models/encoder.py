"""The general attention network: a stem, pre-norm transformer blocks, a pooling and a head.

Sized for two CPU cores by default. On one-hot bases the stem is a convolution that shortens the
sequence, so that attention is between windows of a few bases.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width, ``P`` width after pooling, ``T`` outputs.
"""

from typing import Literal, Self

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from attendna.models.layers.attention import SelfAttention, head_width
from attendna.models.layers.convolution import ChannelDropout
from attendna.models.layers.heads import Head
from attendna.models.layers.padding import Mask
from attendna.models.layers.pooling import AnyPoolingConfig, CLSConfig, MeanMaxConfig
from attendna.models.layers.positions import AnyPositionsConfig, RotaryConfig, Rotation
from attendna.models.layers.stem import AnyStemConfig, default_stem
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class EncoderConfig(ModelConfig):
    """Settings of the encoder."""

    name: Literal["encoder"] = "encoder"
    stem: AnyStemConfig | None = None
    """None chooses by the tokenizer: convolution over single bases, embedding of longer words."""
    width: int = Field(default=64, ge=1)
    blocks: int = Field(default=2, ge=0)
    heads: int = Field(default=4, ge=1)
    positions: AnyPositionsConfig = RotaryConfig()
    pooling: AnyPoolingConfig = MeanMaxConfig()
    hidden: int | None = Field(default=None, ge=1)
    """Width of a hidden layer in the head; none for a linear head."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of channels dropped after each attention and feed-forward layer."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.positions.check(head_width(self.width, self.heads))
        if self.blocks == 0 and isinstance(self.pooling, CLSConfig):
            raise ValueError("cls pooling needs a block of attention")
        return self

    def build(self, tokenizer: Tokenizer, outputs: int) -> "Encoder":
        """The network, with fresh weights."""
        return Encoder(self, tokenizer, outputs)


class Encoder(SequenceModel):
    """Stem, blocks, pooling, head."""

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer, outputs: int) -> None:
        super().__init__()
        width = config.width
        self.stem = (config.stem or default_stem(tokenizer)).build(tokenizer, width)
        self.positions = config.positions.build(width, head_width(width, config.heads))
        self.blocks = nn.ModuleList(
            Block(width, config.heads, config.dropout) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.pooling = config.pooling.build(width)
        self.head = Head(
            self.pooling.width, outputs, hidden=config.hidden, dropout=config.head_dropout
        )

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """The pooled representation."""
        x, mask = self.stem(tokens)
        x, mask = self.pooling.prepare(self.positions(x), mask)
        rotation = self.positions.rotation(x.shape[1], x.device)
        for block in self.blocks:
            x = block(x, mask, rotation)
        return self.pooling(self.norm(x), mask)

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))


class Block(nn.Module):
    """Attention, then a gated feed-forward layer, each on normalized input and added to it."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = GatedFeedForward(width, 2 * width)
        self.dropout = ChannelDropout(dropout)

    def forward(
        self, x: Float[Tensor, "B S D"], mask: Mask, rotation: Rotation | None
    ) -> Float[Tensor, "B S D"]:
        """Tokens that know each other better."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask, rotation))
        return x + self.dropout(self.feed(self.feed_norm(x)))


class GatedFeedForward(nn.Module):
    """A layer of each token on its own, half of which gates the other.

    Source: Shazeer 2020, "GLU variants improve transformer" (GEGLU).
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, 2 * hidden)
        self.contract = nn.Linear(hidden, width)

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """The layer's output."""
        gate, value = self.expand(x).chunk(2, dim=-1)
        return self.contract(F.gelu(gate) * value)
