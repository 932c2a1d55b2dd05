"""Byte-pair encoding: words of bases that often stand together, learned from a genome.

Words are made by merges in a fixed order, which no device does; ids come from the CPU, where each
sequence is encoded once.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens, ``V`` vocabulary, ``longest`` bases of the longest
word.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import torch
from jaxtyping import Bool, Int, Int32, Int64, UInt8
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from attendna.genome.alphabet import N, encode
from attendna.genome.sequences import SequenceBatch
from attendna.tokens.bpe_store import store_of
from attendna.tokens.bpe_vocabulary import BASES, MASK, UNKNOWN, Vocabulary
from attendna.tokens.tokenizer import TokenBatch, TokenizerConfig


class BPEConfig(TokenizerConfig):
    """Words of a byte-pair encoding; an N is an unknown word of one base, which nothing crosses.

    ``file: tokenizer.json``, or the folder of ``tokens train-bpe``, gives the vocabulary. It is
    read once: from then on the settings hold the vocabulary itself.
    """

    name: Literal["bpe"] = "bpe"
    vocabulary: str = Field(repr=False)
    """The vocabulary, packed; give ``file`` instead."""

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, settings: Any) -> Any:
        if not isinstance(settings, Mapping):
            return settings
        given = dict(cast("Mapping[str, Any]", settings))
        if "vocabulary" in given and "file" not in given:
            return given
        path = given.pop("file", None)
        if not isinstance(path, str) or "vocabulary" in given:
            raise ValueError("give `file`, a tokenizer.json as `tokens train-bpe` makes")
        return given | {"vocabulary": Vocabulary.read(path).pack()}

    @field_validator("vocabulary")
    @classmethod
    def _can_be_read(cls, packed: str) -> str:
        Vocabulary.unpack(packed)
        return packed

    def build(self) -> "BPETokenizer":
        """The tokenizer.

        Raises
        ------
        MissingExtraError
            tokenizers is not installed.
        """
        return BPETokenizer(self)


class BPETokenizer:
    """Words of a byte-pair encoding."""

    minimum_length = 1

    def __init__(self, config: BPEConfig) -> None:
        self.config = config
        self.store = store_of(config.vocabulary)
        vocabulary = Vocabulary.unpack(config.vocabulary)
        self.vocabulary_size = len(vocabulary.words)
        self.mask_id = vocabulary.ids[MASK]
        """Id that stands for a hidden word."""
        widths = [0 if word.strip(BASES) else len(word) for word in vocabulary.words]
        self.widths: Int32[Tensor, " V"] = torch.tensor(widths, dtype=torch.int32)
        """Bases of every word; none of special ones but the unknown."""
        self.spoken: Int64[Tensor, " words"] = self.widths.nonzero().flatten()
        """Ids of the words that are made of bases."""
        self.widths[vocabulary.ids[UNKNOWN]] = 1

    @property
    def longest(self) -> int:
        """Bases of the longest word."""
        return int(self.widths.max())

    @cached_property
    def letters(self) -> UInt8[Tensor, "V longest"]:
        """Codes of every word's bases; N beyond its end, and all along a special one."""
        words = Vocabulary.unpack(self.config.vocabulary).words
        table = np.full((len(words), self.longest), N, dtype=np.uint8)
        for place in self.spoken.tolist():
            table[place, : len(words[place])] = encode(words[place])
        return torch.from_numpy(table)

    def count(self, length: int) -> int:
        """Tokens of ``length`` bases at most: one a base, where there are only unknown ones."""
        return length

    def read_ahead(self, sequences: SequenceBatch, *, both_strands: bool) -> None:
        """Encode sequences that will be asked for, or map them from the user's cache."""
        self.store.read_ahead(sequences, both_strands=both_strands)

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """Look every sequence up; those never met are encoded."""
        device = codes.device
        table, counts = self.store.read(codes.cpu().numpy(), lengths.cpu().numpy().astype(np.int64))
        ids = torch.from_numpy(table).to(device)
        places = torch.arange(ids.shape[1], device=device)
        mask = places < torch.from_numpy(counts).to(device)[:, None]
        return self.words(ids, mask)

    def words(self, ids: Int32[Tensor, "B S"], mask: Bool[Tensor, "B S"]) -> TokenBatch:
        """A batch of words that follow each other and were looked up before."""
        return TokenBatch(ids, mask, lambda: self._spans(ids, mask))

    def _spans(
        self, ids: Int32[Tensor, "B S"], mask: Bool[Tensor, "B S"]
    ) -> Int32[Tensor, "B S 2"]:
        widths = self.widths.to(ids.device)[ids.long()].masked_fill(~mask, 0)
        ends = widths.cumsum(1, dtype=torch.int32)
        return torch.stack([ends - widths, ends], dim=-1).masked_fill_(~mask[..., None], 0)
