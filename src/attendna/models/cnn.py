"""The baseline that attention must beat: a convolution stem and residual dilated convolutions.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width, ``P`` width after pooling, ``T`` outputs.
"""

from typing import Literal, Self

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from attendna.models.layers.convolution import ChannelDropout, Convolution, MaskedBatchNorm
from attendna.models.layers.heads import Head
from attendna.models.layers.padding import Mask
from attendna.models.layers.pooling import AnyPoolingConfig, CLSConfig, MeanMaxConfig
from attendna.models.layers.stem import AnyStemConfig, default_stem
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class CNNConfig(ModelConfig):
    """Settings of the convolutional network."""

    name: Literal["cnn"] = "cnn"
    stem: AnyStemConfig | None = None
    """None chooses by the tokenizer: convolution over single bases, embedding of longer words."""
    width: int = Field(default=96, ge=1)
    blocks: int = Field(default=3, ge=0)
    """Residual blocks; each looks twice as far as the one before."""
    kernel: int = Field(default=3, ge=1)
    pooling: AnyPoolingConfig = MeanMaxConfig()
    hidden: int | None = Field(default=None, ge=1)
    """Width of a hidden layer in the head; none for a linear head."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of channels dropped after each block."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.pooling, CLSConfig):
            raise ValueError("cls pooling needs attention, which a cnn has not")
        return self

    def build(self, tokenizer: Tokenizer, outputs: int) -> "CNN":
        """The network, with fresh weights."""
        return CNN(self, tokenizer, outputs)


class CNN(SequenceModel):
    """Stem, residual convolutions, pooling, head."""

    def __init__(self, config: CNNConfig, tokenizer: Tokenizer, outputs: int) -> None:
        super().__init__()
        width = config.width
        self.stem = (config.stem or default_stem(tokenizer)).build(tokenizer, width)
        self.blocks = nn.ModuleList(
            ResidualBlock(width, config.kernel, 2**depth, config.dropout)
            for depth in range(config.blocks)
        )
        self.pooling = config.pooling.build(width)
        self.width = self.pooling.width
        self.head = Head(self.width, outputs, hidden=config.hidden, dropout=config.head_dropout)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """The pooled representation."""
        x, mask = self.stem(tokens)
        for block in self.blocks:
            x = block(x, mask)
        return self.pooling(x, mask)

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))


class ResidualBlock(nn.Module):
    """Norm, activation, dilated convolution, twice over, added to the input."""

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.wide_norm = MaskedBatchNorm(width)
        self.wide = Convolution(width, width, kernel, dilation=dilation, bias=False)
        self.point_norm = MaskedBatchNorm(width)
        self.point = nn.Linear(width, width)
        self.dropout = ChannelDropout(dropout)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask) -> Float[Tensor, "B S D"]:
        """Tokens that know their neighbors."""
        y = self.wide(F.gelu(self.wide_norm(x, mask)), mask)
        return x + self.dropout(self.point(F.gelu(self.point_norm(y, mask))))
