"""The words of a byte-pair encoding and the merges that make them, in a file and in one short text.

The file is the ``tokenizer.json`` of Hugging Face tokenizers; the text travels in the settings of a
run and in the header of a model, so that a model needs no other file.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, cast

from attendna.core.content import parse_json, read_json, unpack
from attendna.core.errors import DataError, UserError

FILE = "tokenizer.json"
"""Name of the vocabulary in a folder that ``tokens train-bpe`` wrote."""

UNKNOWN, CLS, SEP, PADDING, MASK = "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"
SPECIAL = (UNKNOWN, CLS, SEP, PADDING, MASK)
"""Words that stand for no bases, in the order of DNABERT-2."""

BASES = "ACGT"


@dataclass(frozen=True)
class Vocabulary:
    """Special words, letters and merges, in the order of their ids."""

    special: tuple[str, ...]
    letters: str
    merges: tuple[tuple[str, str], ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word; its place is its id. Two merges may make one word."""
        made = (left + right for left, right in self.merges)
        return tuple(dict.fromkeys(chain(self.special, self.letters, made)))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id of every word."""
        return {word: place for place, word in enumerate(self.words)}

    def pack(self) -> str:
        """One text of letters, digits, ``+``, ``/`` and ``=``; :meth:`unpack` reads it."""
        merges = " ".join(chain.from_iterable(self.merges))
        text = json.dumps([self.special, self.letters, merges])
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode()

    @classmethod
    def unpack(cls, text: str) -> "Vocabulary":
        """What :meth:`pack` was given.

        Raises
        ------
        ValueError
            The text is damaged.
        """
        try:
            content = unpack("the vocabulary", base64.b64decode(text, validate=True))
            special, letters, merges = parse_json(content)
            words = iter(merges.split())
            pairs = tuple(zip(words, words, strict=True))
        except (UserError, ValueError, TypeError, AttributeError) as error:
            raise ValueError("not a vocabulary that attendna packed, or cut short") from error
        return cls(tuple(special), letters, pairs)

    @classmethod
    def read(cls, path: str | Path) -> "Vocabulary":
        """The vocabulary of a ``tokenizer.json``, or of the folder that holds it.

        Raises
        ------
        DataError
            The file is missing, damaged, of another kind of tokenizer, or not of DNA.
        """
        path = Path(path)
        path = path / FILE if path.is_dir() else path
        if not path.is_file():
            raise DataError(path, "no such file", "make it with `attendna tokens train-bpe`")
        try:
            model = read_json(path)["model"]
            ids = checked_ids(model["vocab"])
            pairs = [_pair(merge) for merge in model["merges"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                path,
                "not a byte-pair encoding of Hugging Face tokenizers",
                "make one with `attendna tokens train-bpe`",
            ) from error
        return cls._of(path, sorted(ids, key=lambda word: ids[word]), pairs)

    @classmethod
    def _of(cls, path: Path, words: list[str], pairs: list[tuple[str, str]]) -> "Vocabulary":
        made = {left + right for left, right in pairs}
        first = [word for word in words if word not in made]
        letters = "".join(word for word in first if len(word) == 1)
        special = tuple(word for word in first if len(word) > 1)
        vocabulary = cls(special, letters, tuple(pairs))
        missing = [word for word in (*BASES, UNKNOWN, PADDING, MASK) if word not in first]
        if missing:
            raise DataError(
                path, f"it has no {', '.join(missing)}", "give a vocabulary made for DNA"
            )
        if vocabulary.words != tuple(words):
            raise DataError(
                path,
                "its ids do not follow the order special words, letters, merges",
                "make one with `attendna tokens train-bpe`",
            )
        return vocabulary


def checked_ids(vocabulary: Any) -> dict[str, int]:
    """The ids of words in a tokenizer's JSON.

    Raises
    ------
    TypeError
        It is no mapping of words to whole numbers.
    """
    ids = dict(vocabulary)
    if not all(type(number) is int for number in ids.values()):
        raise TypeError("an id is no whole number")
    return ids


def _pair(merge: Any) -> tuple[str, str]:
    """A merge as either version of the format has it."""
    left, right = merge.split(" ") if isinstance(merge, str) else cast("list[Any]", merge)
    if not (isinstance(left, str) and isinstance(right, str)):
        raise TypeError("a merge is not of two words")
    return left, right
