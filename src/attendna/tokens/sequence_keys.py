"""128 bits for every sequence of a padded batch, the same wherever and however padded it stands.

Shapes: ``B`` batch, ``L`` bases, ``w`` words of eight bases.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8, UInt64
from numpy import ndarray

BEYOND = 7
"""Stands for what lies beyond a sequence's end; no base has this code."""


class Keys(NamedTuple):
    """Two numbers a sequence: different sequences share both by chance once in ``2 ** 128``."""

    first: UInt64[ndarray, " B"]
    second: UInt64[ndarray, " B"]


def keys_of(codes: UInt8[ndarray, "B L"], lengths: Int64[ndarray, " B"]) -> Keys:
    """Keys of padded codes; what padding holds does not matter."""
    words = -(-codes.shape[1] // 8)
    columns = np.arange(8 * words)
    padded = np.full((len(codes), 8 * words), BEYOND, dtype=np.uint8)
    padded[:, : codes.shape[1]] = codes
    padded[columns >= lengths[:, None]] = BEYOND
    salts, weights = _constants(-(-max(words, 1) // 256) * 256)
    # Every word is scrambled with its place; those beyond the end count nothing.
    scrambled = _scramble(padded.view("<u8") ^ salts[:words])
    scrambled *= (8 * np.arange(words) < lengths[:, None]).astype(np.uint64)
    return Keys(
        _scramble(scrambled.sum(axis=1, dtype=np.uint64) ^ lengths.astype(np.uint64)),
        _scramble((scrambled * weights[:words]).sum(axis=1, dtype=np.uint64)),
    )


def _scramble(words: UInt64[ndarray, "*shape"]) -> UInt64[ndarray, "*shape"]:
    """A one-to-one map of 64 bits in which every bit decides about half of all (splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@lru_cache(maxsize=8)
def _constants(count: int) -> tuple[UInt64[ndarray, " w"], UInt64[ndarray, " w"]]:
    """For every place a salt and an odd weight; keys on disk rely on these never changing."""
    raw = np.random.PCG64(128).random_raw(2 * count).reshape(count, 2)
    return raw[:, 0].copy(), raw[:, 1] | np.uint64(1)
