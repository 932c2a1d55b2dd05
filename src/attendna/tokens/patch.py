"""Words of k bases laid end to end: each base belongs to one token.

Shapes: ``B`` batch, ``L`` bases.
"""

from typing import Literal

from jaxtyping import Int, UInt8
from pydantic import Field
from torch import Tensor

from attendna.tokens.kmer import LONGEST_WORD, spell
from attendna.tokens.tokenizer import TokenBatch, TokenizerConfig

Remainder = Literal["drop", "pad"]
"""What becomes of the bases after the last whole patch: ``drop`` leaves them out, ``pad`` fills the
patch up with N, so that they make one more token, of the unknown id."""


class PatchConfig(TokenizerConfig):
    """Words of ``k`` bases, one every ``k`` bases, with the ids of the k-mer tokenizer."""

    name: Literal["patch"] = "patch"
    k: int = Field(default=4, ge=1, le=LONGEST_WORD)
    remainder: Remainder = "drop"

    def build(self) -> "PatchTokenizer":
        """The tokenizer."""
        return PatchTokenizer(self)


class PatchTokenizer:
    """Patches of k bases."""

    def __init__(self, config: PatchConfig) -> None:
        self.config = config
        self.vocabulary_size = 4**config.k + 1
        self.minimum_length = config.k if config.remainder == "drop" else 1
        self._extra = 0 if config.remainder == "drop" else config.k - 1

    def count(self, length: int) -> int:
        """Tokens of a sequence of ``length`` bases."""
        return (length + self._extra) // self.config.k

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """Spell every patch."""
        k = self.config.k
        tokens = self.count(codes.shape[1])
        partial = self.config.remainder == "pad"
        return spell(codes, lengths, k=k, stride=k, tokens=tokens, partial=partial)
