"""The first layers of a network: from token ids to vectors, and the table of the ways there are.

Shapes: ``B`` batch, ``S`` tokens after the stem, ``D`` width.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal, Self

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, SerializeAsAny, model_validator
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.errors import ConfigError
from attendna.core.registry import Registry
from attendna.models.layers.convolution import (
    ChannelDropout,
    Convolution,
    MaskedBatchNorm,
    OneHotConvolution,
    pool_windows,
)
from attendna.models.layers.padding import Mask, hide_padding, real_tokens
from attendna.tokens.onehot import OneHotTokenizer
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class Stem(nn.Module, ABC):
    """One way from ids to vectors."""

    def places(self, tokens: int) -> int:
        """Vectors made of a sequence of ``tokens``."""
        return tokens

    @abstractmethod
    def forward(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Mask]:
        """Vectors, and which of them are real."""


class ConvolutionStem(Stem):
    """Scans one-hot bases for motifs, keeps the best match of each window, mixes neighbors."""

    def __init__(self, config: "ConvolutionStemConfig", width: int) -> None:
        super().__init__()
        channels = config.scanned(width)
        self.pool = config.pool
        # What a normalization follows needs no bias: it would be taken away again.
        self.scan = OneHotConvolution(channels, config.kernel)
        self.scan_norm = MaskedBatchNorm(channels)
        self.dropout = ChannelDropout(config.dropout)
        self.mix = self.mix_norm = None
        if config.mix is not None:
            self.mix = Convolution(channels, width, config.mix, bias=False)
            self.mix_norm = MaskedBatchNorm(width)

    def places(self, tokens: int) -> int:
        """One for every window, the last of which may be cut short."""
        return -(-tokens // self.pool)

    def forward(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Mask]:
        """One vector a window of ``pool`` bases."""
        ids, mask = real_tokens(tokens)
        x, mask = pool_windows(self.scan(ids, mask), mask, self.pool)
        x = self.dropout(F.gelu(self.scan_norm(x, mask)))
        if self.mix is None or self.mix_norm is None:
            return x, mask
        return F.gelu(self.mix_norm(self.mix(x, mask), mask)), mask


class EmbeddingStem(Stem):
    """Looks each token's vector up, then mixes neighbors."""

    def __init__(self, config: "EmbeddingStemConfig", vocabulary: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.dropout = ChannelDropout(config.dropout)
        self.mix = None if config.mix is None else Convolution(width, width, config.mix)

    def forward(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Mask]:
        """One vector a token."""
        ids, mask = real_tokens(tokens)
        x = self.dropout(self.table(ids))
        return hide_padding(x if self.mix is None else x + self.mix(x, mask), mask), mask


class StemConfig(Config):
    """Base of every stem's settings: the name chooses the class."""

    name: str

    def build(self, tokenizer: Tokenizer, width: int) -> Stem:
        """The stem that makes vectors of ``width`` from this tokenizer's ids."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


class ConvolutionStemConfig(StemConfig):
    """``channels`` motif detectors of ``kernel`` bases, the best match in every ``pool`` bases.

    A second convolution then mixes ``mix`` neighboring windows; where there is none there are as
    many detectors as the model is wide.
    """

    name: Literal["convolution"] = "convolution"
    channels: int | None = Field(default=None, ge=1)
    """96 where none are given."""
    kernel: int = Field(default=15, ge=1)
    pool: int = Field(default=4, ge=1)
    mix: int | None = Field(default=5, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mix is None and self.channels is not None:
            raise ValueError("without mix, channels are as many as the model is wide: drop them")
        return self

    def scanned(self, width: int) -> int:
        """Motif detectors of a stem for a model of ``width``."""
        return width if self.mix is None else self.channels or 96

    def build(self, tokenizer: Tokenizer, width: int) -> ConvolutionStem:
        """A stem for one-hot bases."""
        if not isinstance(tokenizer, OneHotTokenizer):
            raise ConfigError(
                "model.stem: a convolution stem reads single bases",
                "set tokenizer: onehot, or model.stem: embedding",
            )
        return ConvolutionStem(self, width)


class EmbeddingStemConfig(StemConfig):
    """A vector for each token, to which a convolution over ``mix`` tokens is added if given."""

    name: Literal["embedding"] = "embedding"
    mix: int | None = Field(default=7, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    def build(self, tokenizer: Tokenizer, width: int) -> EmbeddingStem:
        """A stem for any tokenizer."""
        return EmbeddingStem(self, tokenizer.vocabulary_size, width)


STEMS: Registry[type[StemConfig]] = Registry(
    "stem",
    {
        "convolution": "attendna.models.layers.stem:ConvolutionStemConfig",
        "embedding": "attendna.models.layers.stem:EmbeddingStemConfig",
    },
    group="attendna.stems",
)

AnyStemConfig = Annotated[SerializeAsAny[StemConfig], chosen_from(STEMS)]
"""Field type: the settings of any registered stem, chosen by ``name``."""


def default_stem(tokenizer: Tokenizer) -> StemConfig:
    """Convolution over single bases, embedding of longer words."""
    if isinstance(tokenizer, OneHotTokenizer):
        return ConvolutionStemConfig()
    return EmbeddingStemConfig()
