"""Blocks of attention: from a vector a token to one vector a sequence.

Shapes: ``B`` batch, ``S`` tokens, ``S2`` tokens and what the pooling adds, ``Q`` tokens that are
wanted, ``D`` width, ``P`` width after pooling.
"""

from typing import Literal, Self, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from pydantic import Field, model_validator
from torch import Tensor, nn

from attendna.core.config import Config
from attendna.models.layers.attention import SelfAttention, head_width
from attendna.models.layers.convolution import ChannelDropout
from attendna.models.layers.padding import Mask
from attendna.models.layers.pooling import AnyPoolingConfig, CLSConfig, MeanMaxConfig
from attendna.models.layers.positions import AnyPositionsConfig, Places, Positions, RotaryConfig

FeedForwardKind: TypeAlias = Literal["geglu", "reglu", "relu"]
"""What a feed-forward layer does between its two products: ``geglu`` and ``reglu`` let one half,
through a GELU or a ReLU, gate the other; ``relu`` gates nothing."""


class TransformerConfig(Config):
    """Settings of a stack of blocks."""

    width: int = Field(default=64, ge=1)
    blocks: int = Field(default=2, ge=0)
    heads: int = Field(default=4, ge=1)
    positions: AnyPositionsConfig = RotaryConfig()
    pooling: AnyPoolingConfig = MeanMaxConfig()
    feed: FeedForwardKind = "geglu"
    feed_width: int | None = Field(default=None, ge=1)
    """Width inside the feed-forward layers; twice the width where none is given."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of channels dropped after each attention and feed-forward layer."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.positions.check(head_width(self.width, self.heads))
        if self.blocks == 0 and isinstance(self.pooling, CLSConfig):
            raise ValueError("cls pooling needs a block of attention")
        return self


class Transformer(nn.Module):
    """Positions, blocks and a pooling."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.positions = config.positions.build(width, head_width(width, config.heads))
        self.blocks = nn.ModuleList(Block(config, self.positions) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.pooling = config.pooling.build(width)

    def contextualize(
        self, x: Float[Tensor, "B S D"], mask: Mask
    ) -> tuple[Float[Tensor, "B S2 D"], Bool[Tensor, "B S2"] | None]:
        """Tokens that know each other, and which are real; the pooling may add one in front."""
        x, mask = self.pooling.prepare(self.positions(x), mask)
        return self._through_blocks(x, mask), mask

    def contextualize_some(
        self, x: Float[Tensor, "B S D"], mask: Mask, wanted: Int64[Tensor, "B Q"]
    ) -> Float[Tensor, "B Q D"]:
        """The same of the tokens at ``wanted``, counted with what the pooling adds.

        The last block computes no others: where few are wanted, most of its work is saved.
        """
        x, mask = self.pooling.prepare(self.positions(x), mask)
        return self._through_blocks(x, mask, wanted)

    def _through_blocks(
        self, x: Float[Tensor, "B S2 D"], mask: Mask, wanted: Int64[Tensor, "B Q"] | None = None
    ) -> Float[Tensor, "B Q D"]:
        places = self.positions.places(x.shape[1], x.device)
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            x = block(x, mask, places, wanted if number == last else None)
        return self.norm(x if self.blocks else at(x, wanted))

    def summarize(self, x: Float[Tensor, "B S D"], mask: Mask) -> Float[Tensor, "B P"]:
        """One vector a sequence."""
        own = self.pooling.own
        if not own:
            return self.pooling(*self.contextualize(x, mask))
        wanted = torch.arange(own, device=x.device).expand(len(x), own)
        return self.pooling(self.contextualize_some(x, mask, wanted))


def at(x: Float[Tensor, "B S D"], wanted: Int64[Tensor, "B Q"] | None) -> Float[Tensor, "B Q D"]:
    """The tokens at some places of their sequences; all where none are given."""
    return x if wanted is None else x.take_along_dim(wanted[..., None], 1)


class Block(nn.Module):
    """Attention, then a feed-forward layer, each on normalized input and added to it."""

    def __init__(self, config: TransformerConfig, positions: Positions | None = None) -> None:
        super().__init__()
        width = config.width
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, config.heads, positions)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = FeedForward(width, config.feed_width or 2 * width, config.feed)
        self.dropout = ChannelDropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "B S D"],
        mask: Mask,
        places: Places = None,
        wanted: Int64[Tensor, "B Q"] | None = None,
    ) -> Float[Tensor, "B Q D"]:
        """Tokens that know each other better: all, or those at ``wanted``."""
        read = self.attention(self.attention_norm(x), mask, places, wanted)
        x = at(x, wanted) + self.dropout(read)
        return x + self.dropout(self.feed(self.feed_norm(x)))


class FeedForward(nn.Module):
    """A layer of each token on its own.

    Source: Shazeer 2020, "GLU variants improve transformer", for the gated kinds.
    """

    def __init__(self, width: int, hidden: int, kind: FeedForwardKind) -> None:
        super().__init__()
        self.gated = kind != "relu"
        self.activate = F.gelu if kind == "geglu" else F.relu
        self.expand = nn.Linear(width, (1 + self.gated) * hidden)
        self.contract = nn.Linear(hidden, width)

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """The layer's output."""
        if not self.gated:
            return self.contract(self.activate(self.expand(x)))
        gate, value = self.expand(x).chunk(2, dim=-1)
        return self.contract(self.activate(gate) * value)
