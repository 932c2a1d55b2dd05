"""Convolutions that widen as they shorten the sequence, after DeepSEA and Basset.

Source: Zhou and Troyanskaya 2015, Kelley et al. 2016.

Shapes: ``B`` batch, ``S`` places, ``D`` width.
"""

from itertools import pairwise
from typing import Self

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from attendna.core.config import Config
from attendna.models.layers.convolution import (
    ChannelDropout,
    Convolution,
    MaskedBatchNorm,
    pool_windows,
)
from attendna.models.layers.padding import Mask
from attendna.models.layers.stem import (
    AnyStemConfig,
    ConvolutionStemConfig,
    EmbeddingStemConfig,
    StemConfig,
)
from attendna.tokens.onehot import OneHotTokenizer
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class PyramidConfig(Config):
    """Settings of the convolutions."""

    stem: AnyStemConfig | None = None
    """None chooses by the tokenizer: 25 bases are scanned and the best of every ``pool`` kept, or
    longer words embedded."""
    widths: tuple[int, ...] = Field(default=(128, 256, 512, 1024), min_length=1)
    """Channels after the stem and after each convolution."""
    kernels: tuple[int, ...] = (11, 7, 5)
    """Kernels of the convolutions after the stem."""
    pool: int = Field(default=4, ge=1)
    """Neighbors of which each convolution keeps the best."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of channels dropped after each convolution."""

    @model_validator(mode="after")
    def _has_a_kernel_each(self) -> Self:
        if min(*self.widths, *self.kernels, 1) < 1:
            raise ValueError("widths and kernels are at least 1")
        if len(self.kernels) != len(self.widths) - 1:
            raise ValueError(
                f"{len(self.widths)} widths need {len(self.widths) - 1} kernels after the stem, "
                f"not {len(self.kernels)}"
            )
        return self

    def stem_for(self, tokenizer: Tokenizer) -> StemConfig:
        """The stem of a model that reads this tokenizer's ids."""
        if self.stem is not None:
            return self.stem
        if isinstance(tokenizer, OneHotTokenizer):
            return ConvolutionStemConfig(kernel=25, pool=self.pool, mix=None, dropout=self.dropout)
        return EmbeddingStemConfig(dropout=self.dropout)


class Pyramid(nn.Module):
    """A stem, then convolutions, each followed by pooling, normalization and a ReLU."""

    def __init__(self, config: PyramidConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.width = config.widths[-1]
        self.pool = config.pool
        self.stem = config.stem_for(tokenizer).build(tokenizer, config.widths[0])
        self.convolutions = nn.ModuleList(
            Convolution(width, out, kernel, bias=False)
            for (width, out), kernel in zip(pairwise(config.widths), config.kernels, strict=True)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(out) for out in config.widths[1:])
        self.dropout = ChannelDropout(config.dropout)

    def places(self, tokens: int) -> int:
        """Places that a sequence of ``tokens`` is shortened to."""
        places = self.stem.places(tokens)
        for _ in self.convolutions:
            places = -(-places // self.pool)
        return places

    def forward(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Mask]:
        """A vector for each place, and which are real."""
        x, mask = self.stem(tokens)
        for convolve, norm in zip(self.convolutions, self.norms, strict=True):
            x, shorter = pool_windows(convolve(x, mask), mask, self.pool)
            mask = shorter
            x = self.dropout(F.relu(norm(x, mask)))
        return x, mask
