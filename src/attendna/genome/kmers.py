"""Words of k bases as base-4 numbers, in NumPy: A is 0 and the first base counts most.

Shapes: ``n`` bases.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int32, UInt8
from numpy import ndarray

from attendna.genome.alphabet import N


def kmer_numbers(codes: UInt8[ndarray, "*rows n"], k: int) -> Int32[ndarray, "*rows _"]:
    """The number of the word that begins at every base, as far as whole words begin.

    The codes must be known bases, see :func:`known_runs`, and ``k`` at most 15.
    """
    count = max(0, codes.shape[-1] - k + 1)
    numbers = np.zeros((*codes.shape[:-1], count), dtype=np.int32)
    for offset in range(k):
        numbers <<= 2
        numbers |= codes[..., offset : offset + count]
    return numbers


def known_runs(codes: UInt8[ndarray, " n"]) -> Iterator[UInt8[ndarray, " _"]]:
    """The stretches between the Ns."""
    edges = np.flatnonzero(np.diff(codes < N, prepend=False, append=False))
    for start, end in edges.reshape(-1, 2).tolist():
        yield codes[start:end]


def all_kmers(k: int) -> list[str]:
    """All words of ``k`` bases in lexical order, which is that of their numbers."""
    return ["".join(letters) for letters in itertools.product("ACGT", repeat=k)]


_DIGITS = str.maketrans("ACGT", "0123")


def word_number(word: str) -> int:
    """The number of a word of A, C, G and T."""
    return int(word.translate(_DIGITS), base=4)


def number_word(number: int, k: int) -> str:
    """The word of ``k`` bases that has this number."""
    return "".join("ACGT"[number >> 2 * place & 3] for place in reversed(range(k)))
