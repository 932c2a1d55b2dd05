"""The general attention network: a stem, pre-norm transformer blocks, a pooling and a head.

Sized for two CPU cores by default. On one-hot bases the stem is a convolution that shortens the
sequence, so that attention is between windows of a few bases.

Shapes: ``B`` batch, ``S`` tokens after the stem and what the pooling adds, ``Q`` tokens that are
wanted, ``D`` width, ``P`` width after pooling, ``T`` outputs.
"""

from typing import Literal, cast

from jaxtyping import Bool, Float, Int64
from pydantic import Field
from torch import Tensor, nn

from attendna.models.layers.heads import Head
from attendna.models.layers.pooling import MeanPooling, Pooling
from attendna.models.layers.stem import AnyStemConfig, default_stem
from attendna.models.layers.transformer import Transformer, TransformerConfig
from attendna.models.model import ModelConfig, TokenModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class EncoderConfig(TransformerConfig, ModelConfig):
    """Settings of the encoder."""

    name: Literal["encoder"] = "encoder"
    stem: AnyStemConfig | None = None
    """None chooses by the tokenizer: convolution over single bases, embedding of longer words."""
    hidden: int | None = Field(default=None, ge=1)
    """Width of a hidden layer in the head; none for a linear head."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    def build(self, tokenizer: Tokenizer, outputs: int) -> "Encoder":
        """The network, with fresh weights."""
        return Encoder(self, tokenizer, outputs)

    def backbone(self, tokenizer: Tokenizer) -> "Encoder":
        """The network without its head, and without a pooling that only classifies."""
        encoder = Encoder(self, tokenizer, 1)
        encoder.head = cast("Head", nn.Identity())
        if type(encoder.pooling).prepare is Pooling.prepare:
            encoder.pooling = MeanPooling(self.width)
        return encoder


class Encoder(Transformer, TokenModel):
    """Stem, blocks, pooling, head."""

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer, outputs: int) -> None:
        # Weights are drawn in the order of the layers.
        stem = (config.stem or default_stem(tokenizer)).build(tokenizer, config.width)
        super().__init__(config)
        self.stem = stem
        self.pool = int(getattr(stem, "pool", 1))
        self.token_width, self.width = config.width, self.pooling.width
        self.head = Head(self.width, outputs, hidden=config.hidden, dropout=config.head_dropout)

    def read(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Bool[Tensor, "B S"] | None]:
        """A vector a token, as the pooling reads it, and which are real."""
        return self.contextualize(*self.stem(tokens))

    def read_at(self, tokens: TokenBatch, wanted: Int64[Tensor, "B Q"]) -> Float[Tensor, "B Q D"]:
        """Vectors of the tokens at ``wanted``, for which the last block need not compute all."""
        x, mask = self.stem(tokens)
        return self.contextualize_some(x, mask, wanted + self.pooling.own)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """The pooled representation."""
        return self.summarize(*self.stem(tokens))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))
