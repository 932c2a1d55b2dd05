"""Words of k neighboring bases: overlapping k-mers, and the spelling every fixed word shares.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Int, Int32, UInt8
from pydantic import Field
from torch import Tensor

from attendna.genome.alphabet import N
from attendna.tokens.tokenizer import TokenBatch, TokenizerConfig

UNKNOWN_BASE = int(N)
LONGEST_WORD = 8


class KmerConfig(TokenizerConfig):
    """Words of ``k`` bases, one every ``stride`` bases; bases after the last whole word are left out.

    Ids are base-4 numbers with A as 0 and the first base the most significant, so they follow the
    lexical order; a word that holds an N is ``4**k``.
    """

    name: Literal["kmer"] = "kmer"
    k: int = Field(default=6, ge=1, le=LONGEST_WORD)
    stride: int = Field(default=1, ge=1)

    def build(self) -> "KmerTokenizer":
        """The tokenizer."""
        return KmerTokenizer(self)


class KmerTokenizer:
    """Overlapping k-mers."""

    def __init__(self, config: KmerConfig) -> None:
        self.config = config
        self.vocabulary_size = 4**config.k + 1
        self.minimum_length = config.k

    def count(self, length: int) -> int:
        """Tokens of a sequence of ``length`` bases."""
        return max(0, (length - self.config.k) // self.config.stride + 1)

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """Spell every word."""
        k, stride = self.config.k, self.config.stride
        counts = ((lengths - k) // stride + 1).clamp(min=0)
        return spell(codes, lengths, k, stride, counts, tokens=self.count(codes.shape[1]))


def spell(
    codes: UInt8[Tensor, "B L"],
    lengths: Int[Tensor, " B"],
    k: int,
    stride: int,
    counts: Int[Tensor, " B"],
    tokens: int,
) -> TokenBatch:
    """Words of ``k`` bases at every ``stride`` bases, as ids, mask and spans.

    Parameters
    ----------
    counts
        Real tokens of each sequence; later ones are padding.
    tokens
        Tokens of a row, padding included. Where they reach beyond ``L`` the bases are N.
    """
    batch, width = codes.shape
    device = codes.device
    needed = max(0, (tokens - 1) * stride + k) if tokens else 0
    columns = torch.arange(width, device=device, dtype=lengths.dtype)
    # Padding becomes N before any word is read, so what it held cannot matter and a word that
    # reaches into it is unknown.
    codes = codes.masked_fill(columns >= lengths[:, None], UNKNOWN_BASE)
    if needed > width:
        codes = torch.nn.functional.pad(codes, (0, needed - width), value=UNKNOWN_BASE)
    places = torch.arange(tokens, device=device, dtype=torch.int32)
    mask = places < counts[:, None]
    ids = _words(codes, k, stride, tokens)
    return TokenBatch(ids, mask, _spans(places * stride, k, lengths, mask))


def _words(codes: UInt8[Tensor, "B L"], k: int, stride: int, tokens: int) -> Int32[Tensor, "B S"]:
    """Base-4 numbers of the words; ``4**k`` where one holds an N."""
    if not tokens:
        return codes.new_empty((codes.shape[0], 0), dtype=torch.int32)
    # An N is a bit that lies above every word of up to eight bases. Shifting keeps it there, and
    # a single clamp turns whatever it was shifted to into the unknown id.
    flag = 4**LONGEST_WORD
    bases = codes.to(torch.int32)
    bases += (bases > 3) * (flag - UNKNOWN_BASE)
    last = (tokens - 1) * stride + 1
    ids = bases[:, :last:stride]
    for offset in range(1, k):
        ids = (ids << 2) + bases[:, offset : offset + last : stride]
    return ids.clamp(max=4**k)


def _spans(
    starts: Int32[Tensor, " S"], k: int, lengths: Int[Tensor, " B"], mask: Bool[Tensor, "B S"]
) -> Int32[Tensor, "B S 2"]:
    spans = torch.stack([starts, starts + k], dim=-1).expand(*mask.shape, 2)
    # Asking a GPU whether all tokens are real would wait for it; there the product is cheaper.
    if mask.device.type == "cpu" and bool(mask.all()) and bool((lengths >= spans[0, -1:, 1]).all()):
        return spans
    ends = torch.minimum(spans[..., 1], lengths[:, None].to(torch.int32))
    return torch.stack([spans[..., 0], ends], dim=-1) * mask[..., None]
