"""Under which ids a checkpoint knows our tokens.

Our words of k bases are numbered in lexical order, those of a checkpoint in the order of its
``vocab.txt``; ids are translated on the device, and no text is made.

Shapes: ``V`` tokens of the tokenizer.
"""

import base64
import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.content import unpack
from attendna.core.errors import ConfigError, UserError
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.bpe_vocabulary import CLS, MASK, PADDING, SEP, UNKNOWN, Vocabulary
from attendna.tokens.kmer import LONGEST_WORD, KmerTokenizer
from attendna.tokens.onehot import OneHotTokenizer
from attendna.tokens.patch import PatchTokenizer
from attendna.tokens.tokenizer import Tokenizer

SPECIAL = (PADDING, UNKNOWN, CLS, SEP, MASK)
"""Words that stand for no bases, in the order of DNABERT."""

LETTERS = "ATCG"
"""The order in which DNABERT counts its words."""


@dataclass(frozen=True)
class KmerVocabulary:
    """Special words and all words of k bases, in the order of their ids.

    Raises
    ------
    ValueError
        A word is missing, stands twice, or is none of k bases.
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        missing = [word for word in SPECIAL if word not in self.ids]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        if len(self.ids) < len(self.words):
            twice = next(w for place, w in enumerate(self.words) if self.ids[w] != place)
            raise ValueError(f"the word {twice} stands in it twice")
        others = [word for word in self.words if word not in SPECIAL]
        k = max(map(len, others), default=0)
        strange = [word for word in others if len(word) != k or word.strip(LETTERS)]
        if strange:
            raise ValueError(f"{strange[0]!r} is no word of {k} bases A, C, G, T")
        if not 1 <= k <= LONGEST_WORD or len(others) != 4**k:
            raise ValueError(f"it has {len(others)} of the {4**k} words of {k} bases")

    @classmethod
    def dnabert(cls, k: int) -> "KmerVocabulary":
        """The words of DNABERT for words of k bases."""
        made = map("".join, itertools.product(LETTERS, repeat=k))
        return cls((*SPECIAL, *made))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id of every word."""
        return {word: place for place, word in enumerate(self.words)}

    @property
    def k(self) -> int:
        """Bases of a word."""
        return max(len(word) for word in self.words if word not in SPECIAL)

    def pack(self) -> str | None:
        """One short text that :meth:`unpack` reads; none for the words of DNABERT."""
        if self == KmerVocabulary.dnabert(self.k):
            return None
        return base64.b64encode(zlib.compress("\n".join(self.words).encode(), 9)).decode()

    @classmethod
    def unpack(cls, text: str) -> "KmerVocabulary":
        """What :meth:`pack` was given.

        Raises
        ------
        ValueError
            The text is damaged.
        """
        try:
            words = unpack("the vocabulary", base64.b64decode(text, validate=True)).decode()
        except (UserError, ValueError) as error:
            raise ValueError("not a vocabulary that attendna packed, or cut short") from error
        return cls(tuple(words.split("\n")))


@dataclass(frozen=True, eq=False)
class Spelling:
    """Ids of a checkpoint."""

    ids: Int64[ndarray, " V"]
    """Of every token of the tokenizer."""
    special: dict[str, int]
    """Of every special word."""
    size: int
    """Words of the checkpoint."""

    def hiding(self) -> "Spelling":
        """The same, but what is unknown was hidden: it is read as the mask."""
        unknown = self.ids == self.special[UNKNOWN]
        return Spelling(np.where(unknown, self.special[MASK], self.ids), self.special, self.size)


def spelling_of(tokenizer: Tokenizer, vocabulary: str | None) -> Spelling:
    """How a checkpoint spells what a tokenizer reads.

    Parameters
    ----------
    vocabulary
        Packed words of k bases; none for those of DNABERT, and for a byte-pair encoding.

    Raises
    ------
    ConfigError
        The tokenizer reads no words that a checkpoint could have.
    """
    if isinstance(tokenizer, BPETokenizer):
        return _of_pairs(Vocabulary.unpack(tokenizer.config.vocabulary))
    if isinstance(tokenizer, OneHotTokenizer):
        k = 1
    elif isinstance(tokenizer, KmerTokenizer | PatchTokenizer):
        k = tokenizer.config.k
    else:
        raise ConfigError(
            "model.name: huggingface reads words of k bases or byte pairs",
            "set tokenizer to kmer, patch or bpe",
        )
    words = KmerVocabulary.unpack(vocabulary) if vocabulary else KmerVocabulary.dnabert(k)
    if words.k != k:
        raise ConfigError(
            f"the model's words have {words.k} bases, those of the tokenizer {k}",
            f"set tokenizer.k={words.k}",
        )
    lexical = sorted(word for word in words.words if word not in SPECIAL)
    ids = [words.ids[word] for word in (*lexical, UNKNOWN)]
    special = {word: words.ids[word] for word in SPECIAL}
    return Spelling(np.array(ids, dtype=np.int64), special, len(words.words))


def _of_pairs(vocabulary: Vocabulary) -> Spelling:
    missing: Sequence[str] = [word for word in SPECIAL if word not in vocabulary.ids]
    if missing:
        raise ConfigError(
            f"the tokenizer has no word {missing[0]}", "give the vocabulary of a BERT model"
        )
    special = {word: vocabulary.ids[word] for word in SPECIAL}
    size = len(vocabulary.words)
    return Spelling(np.arange(size), special, size)
