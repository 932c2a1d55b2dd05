"""Words of k neighboring bases: overlapping k-mers, and the spelling every fixed word shares.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens, ``R`` bases the tokens reach, ``W`` words.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Int, Int32, UInt8
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from attendna.genome.alphabet import N
from attendna.tokens.tokenizer import TokenBatch, TokenizerConfig

UNKNOWN_BASE = int(N)
LONGEST_WORD = 8


class KmerConfig(TokenizerConfig):
    """Words of ``k`` bases, one every ``stride`` bases; what is left at the end is not read.

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
        return spell(codes, lengths, k=k, stride=stride, tokens=self.count(codes.shape[1]))


def spell(
    codes: UInt8[Tensor, "B L"],
    lengths: Int[Tensor, " B"],
    *,
    k: int,
    stride: int,
    tokens: int,
    partial: bool = False,
) -> TokenBatch:
    """Words of ``k`` bases at every ``stride`` bases, as ids, mask and spans.

    Parameters
    ----------
    tokens
        Tokens of a row, padding included; where they reach beyond ``L`` the bases are N.
    partial
        Whether a word that begins inside its sequence and ends beyond it is a token.
    """
    reach = max(codes.shape[1], (tokens - 1) * stride + k)
    if reach > codes.shape[1]:
        codes = functional.pad(codes, (0, reach - codes.shape[1]))
    columns = torch.arange(reach, device=codes.device)
    inside = columns < lengths[:, None]
    # What padding holds may be anything: it becomes N before a word is read.
    ids = _words(codes.where(inside, UNKNOWN_BASE), k)[:, ::stride][:, :tokens]
    mask = inside[:, 0 if partial else k - 1 :][:, ::stride][:, :tokens]
    return TokenBatch(ids, mask, lambda: _spans(mask, lengths, k, stride))


def _words(codes: UInt8[Tensor, "B R"], k: int) -> Int32[Tensor, "B W"]:
    """Base-4 numbers of the words at every base; ``4**k`` where one holds an N."""
    # An N becomes a bit above every word of up to eight bases. Multiplying by 4 keeps it there, and
    # in the end one clamp turns it, wherever it went, into the unknown id.
    bases = codes.to(torch.int32)
    bases = torch.add(bases, bases >> 2, alpha=4**LONGEST_WORD - UNKNOWN_BASE)
    words, size = bases, 1
    # Doubling: two neighboring words make one of twice the size, a word and a base one more.
    for bit in f"{k:b}"[1:]:
        words = torch.add(words[:, size:], words[:, :-size], alpha=4**size)
        size *= 2
        if bit == "1":
            words = torch.add(bases[:, size:], words[:, :-1], alpha=4)
            size += 1
    return words.clamp_(max=4**k)


def _spans(
    mask: Bool[Tensor, "B S"], lengths: Int[Tensor, " B"], k: int, stride: int
) -> Int32[Tensor, "B S 2"]:
    """First and last base of every token, (0, 0) where it is padding."""
    starts = torch.arange(0, mask.shape[1] * stride, stride, device=mask.device, dtype=torch.int32)
    pairs = torch.stack([starts, starts + k], dim=-1)
    # Without padding all rows are alike and one stands for all.
    last = (mask.shape[1] - 1) * stride + k
    if bool(mask.all()) and bool((lengths >= last).all()):
        return pairs.expand(*mask.shape, 2)
    clipped = torch.minimum(pairs, lengths[:, None, None].to(torch.int32))
    return clipped.masked_fill_(~mask[..., None], 0)
