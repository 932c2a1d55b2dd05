"""One token a base: the codes themselves.

Shapes: ``B`` batch, ``L`` bases.
"""

from typing import Literal

from jaxtyping import Int, UInt8
from torch import Tensor

from attendna.tokens.kmer import spell
from attendna.tokens.tokenizer import TokenBatch, TokenizerConfig


class OneHotConfig(TokenizerConfig):
    """Single bases; a model embeds or one-hot encodes the five ids A, C, G, T, N."""

    name: Literal["onehot"] = "onehot"

    def build(self) -> "OneHotTokenizer":
        """The tokenizer."""
        return OneHotTokenizer(self)


class OneHotTokenizer:
    """Ids 0-3 are A, C, G, T; 4 is N and padding."""

    vocabulary_size = 5
    minimum_length = 1

    def __init__(self, config: OneHotConfig) -> None:
        self.config = config

    def count(self, length: int) -> int:
        """Tokens of a sequence of ``length`` bases."""
        return length

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """One token a base."""
        return spell(codes, lengths, k=1, stride=1, tokens=codes.shape[1])
