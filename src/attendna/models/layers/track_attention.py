"""Attention between bins, dense or block-sparse, with any of three ways to know distances.

Source: Avsec et al. 2021 for the relative form; Zaheer et al. 2020 for the blocks.

Shapes: ``B`` batch, ``H`` heads, ``L`` bins, ``D`` width, ``C`` width of a key.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from attendna.core.config import Config
from attendna.models.layers.positions import RotaryPositions, rotate
from attendna.models.layers.relative import GammaScale, relative_features
from attendna.models.layers.sparse.attention import block_sparse_attention, dense_attention
from attendna.models.layers.sparse.chunked import Relative
from attendna.models.layers.sparse.layout import BlockConfig, Layout
from attendna.models.layers.sparse.weights import AttentionWeights


class TrackAttentionConfig(Config):
    """Settings of the attention between bins; the defaults are Enformer's."""

    heads: int = Field(default=8, ge=1)
    key_width: int = Field(default=64, ge=1)
    sparse: BlockConfig | None = None
    """Blocks that are read; none for dense attention."""
    positions: Literal["relative", "rotary", "none"] = "relative"
    gamma_scale: GammaScale = "distances"
    span: int | None = Field(default=None, ge=1)
    """Bins that relative features are spread over; those of each input where none is given. Longer
    inputs than those of training need the number of training."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    position_dropout: float = Field(default=0.01, ge=0, lt=1)


class TrackAttention(nn.Module):
    """Multi-head attention between bins."""

    def __init__(self, config: TrackAttentionConfig, width: int, layer: int) -> None:
        super().__init__()
        self.config = config
        self.layer = layer
        self.dense = False
        """Whether everything is read for now, whatever the settings say."""
        keys = config.heads * config.key_width
        self.query = nn.Linear(width, keys, bias=False)
        self.key = nn.Linear(width, keys, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width)
        # A fresh layer adds nothing: training decides what it is for.
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        if config.positions == "relative":
            self.features = width // config.heads
            self.relative_key = nn.Linear(self.features, keys, bias=False)
            shape = config.heads, 1, config.key_width
            self.content_bias = nn.Parameter(torch.randn(shape))
            self.position_bias = nn.Parameter(torch.randn(shape))
        elif config.positions == "rotary":
            self.rotary = RotaryPositions(config.key_width, 10_000.0)

    def forward(self, x: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """What each bin reads of the others."""
        query, key, relative = self._scored(x)
        value = self._split(self.value(x))
        dropout = self.config.dropout if self.training else 0.0
        layout = self._layout(x.shape[1])
        if layout is None:
            read = dense_attention(query, key, value, relative=relative, dropout=dropout)
        else:
            read = block_sparse_attention(
                query, key, value, layout, relative=relative, dropout=dropout
            )
        return self.output(read.transpose(1, 2).flatten(2))

    def weights(self, x: Float[Tensor, "1 L D"]) -> AttentionWeights:
        """How much each bin reads of the others, to be looked at; in evaluation mode."""
        query, key, relative = self._scored(x)
        return AttentionWeights(query[0], key[0], self._layout(x.shape[1]), relative)

    def _scored(self, x: Float[Tensor, "B L D"]) -> tuple[Tensor, Tensor, Relative | None]:
        """Scaled queries and keys of each head, and what distance adds to their scores."""
        query, key = self._split(self.query(x)), self._split(self.key(x))
        query = query * self.config.key_width**-0.5
        relative = None
        if self.config.positions == "relative":
            relative = Relative(query + self.position_bias, self._distance_keys(x))
            query = query + self.content_bias
        elif self.config.positions == "rotary":
            rotation = self.rotary.rotation(x.shape[1], x.device)
            query, key = rotate(query, rotation), rotate(key, rotation)
        return query, key, relative

    def _layout(self, length: int) -> Layout | None:
        if self.config.sparse is None or self.dense:
            return None
        return self.config.sparse.layout(length, self.config.heads, self.layer)

    def _split(self, x: Float[Tensor, "B L W"]) -> Float[Tensor, "B H L C"]:
        return x.unflatten(2, (self.config.heads, -1)).transpose(1, 2)

    def _distance_keys(self, x: Tensor) -> Float[Tensor, "H R C"]:
        length = x.shape[1]
        span = self.config.span or length
        features = relative_features(length, self.features, span, self.config.gamma_scale)
        features = features.to(device=x.device, dtype=self.relative_key.weight.dtype)
        features = F.dropout(features, self.config.position_dropout, self.training)
        return self.relative_key(features).unflatten(1, (self.config.heads, -1)).transpose(0, 1)
