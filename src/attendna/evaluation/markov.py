"""Markov models of DNA: what the bases beside a base say of it, by counting.

The baseline of every language model. Counts are of both strands, and a rare context falls back on
shorter ones: the estimate of order m is that of order m - 1 worth ``CONCENTRATION`` counts, and the
counts of order m.

Shapes: ``m`` windows, ``l`` bases of a window, ``h`` hidden bases, ``n`` bases.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from attendna.genome.alphabet import N
from attendna.genome.kmers import kmer_numbers, known_runs

HIGHEST_ORDER = 11
WORD = HIGHEST_ORDER + 1
FURTHEST = 5
"""Bases seen on either side; with the one between them they must fit into a word."""

CONCENTRATION = np.float32(100)
"""Of those tried (10 to 1,000, a factor of 3 apart) the one with which high orders tell most of
chromosomes that were not counted, of yeast and of man; up to order 5 it makes no difference."""

_HALF = WORD // 2
_CHUNK = 1 << 24


class MarkovModel:
    """Counts of words of 12 bases, and the Markov models of order 0 to 11 that they make."""

    def __init__(self, counts: Int64[ndarray, " words"]) -> None:
        # A word is as often on the one strand as its reverse complement on the other, which turns
        # either half of it around and swaps the two.
        halves = counts.reshape(4**_HALF, 4**_HALF)
        turned = _turned(np.arange(4**_HALF))
        self.counts: Int64[ndarray, " words"] = (halves + halves[turned][:, turned].T).ravel()

    @classmethod
    def of(cls, runs: Iterable[UInt8[ndarray, " _"]]) -> "MarkovModel":
        """Count the words of some sequences, N left out."""
        counts = np.zeros(4**WORD, dtype=np.int64)
        for codes in runs:
            for start in range(0, codes.size, _CHUNK):
                for run in known_runs(np.asarray(codes[start : start + _CHUNK + WORD - 1])):
                    numbers = kmer_numbers(run, WORD)
                    if numbers.size > counts.size:
                        counts += np.bincount(numbers, minlength=counts.size)
                    else:
                        np.add.at(counts, numbers, 1)
        return cls(counts)

    def from_left(
        self, codes: UInt8[ndarray, "m l"], hidden: Bool[ndarray, "m l"], *, told: bool = False
    ) -> Iterator[Float32[ndarray, "h 4"]]:
        """Probabilities of the hidden bases from what is left of them, for each order from 0.

        Seen is the longest run of visible bases that ends beside the hidden one, as far as the
        order goes.

        Parameters
        ----------
        told
            Let the model see the hidden bases, too, but for the one that it tells. No language
            model that fills gaps sees that much.
        """
        seen = (codes < N) & (told | ~hidden)
        run = _run_before(seen)[hidden]
        rows, columns = np.nonzero(hidden)
        known = np.zeros((rows.size, 4), dtype=np.float32)
        context = np.zeros(rows.size, dtype=np.int64)
        for order in range(HIGHEST_ORDER + 1):
            if order:
                place = np.maximum(columns - order, 0)
                context = context + (codes[rows, place].astype(np.int64) & 3) * 4 ** (order - 1)
            table = self._conditional[order]
            known = np.where((run >= order)[:, None], table[context], known)
            yield known

    def from_both_sides(
        self, codes: UInt8[ndarray, "m l"], hidden: Bool[ndarray, "m l"]
    ) -> Iterator[Float32[ndarray, "h 4"]]:
        """The same from as many bases on the left as on the right, for each number from 0 to 5."""
        seen = (codes < N) & ~hidden
        run = np.minimum(_run_before(seen), _run_before(seen[:, ::-1])[:, ::-1])[hidden]
        rows, columns = np.nonzero(hidden)
        known = np.zeros((rows.size, 4), dtype=np.float32)
        left = np.zeros(rows.size, dtype=np.int64)
        right = np.zeros(rows.size, dtype=np.int64)
        last = codes.shape[1] - 1
        for reach in range(FURTHEST + 1):
            if reach:
                before = codes[rows, np.maximum(columns - reach, 0)].astype(np.int64) & 3
                after = codes[rows, np.minimum(columns + reach, last)].astype(np.int64) & 3
                left, right = left + before * 4 ** (reach - 1), right * 4 + after
            table = self._between[reach]
            known = np.where((run >= reach)[:, None], table[left, right], known)
            yield known

    @cached_property
    def _conditional(self) -> list[Float32[ndarray, "contexts 4"]]:
        """Of the base that follows each context, for each order."""
        tables: list[ndarray] = []
        known = np.full((1, 4), 0.25, dtype=np.float32)
        for order in range(HIGHEST_ORDER + 1):
            # The first base of a context counts most in its number; without it the order is lower.
            words = self._words(order + 1).reshape(-1, len(known), 4)
            known = _fallen_back(words, known).reshape(-1, 4)
            tables.append(known)
        return tables

    @cached_property
    def _between(self) -> list[Float32[ndarray, "left right 4"]]:
        """Of the base between each two contexts, for each reach."""
        tables: list[ndarray] = []
        known = np.full((1, 1, 4), 0.25, dtype=np.float32)
        for reach in range(FURTHEST + 1):
            side = 4**reach
            words = self._words(2 * reach + 1).reshape(side, 4, side).transpose(0, 2, 1)
            if reach:
                # The first base of the left and the last one of the right are left off.
                known = np.repeat(np.tile(known, (4, 1, 1)), 4, axis=1)
            known = _fallen_back(words, known)
            tables.append(known)
        return tables

    def _words(self, size: int) -> Int64[ndarray, " words"]:
        """Counts of shorter words."""
        return self.counts.reshape(-1, 4**size).sum(0)


def _turned(numbers: Int64[ndarray, " words"]) -> Int64[ndarray, " words"]:
    """Numbers of the reverse complements of half words."""
    result = np.zeros_like(numbers)
    for _ in range(_HALF):
        result, numbers = result * 4 + 3 - numbers % 4, numbers // 4
    return result


def _fallen_back(counts: ndarray, known: ndarray) -> ndarray:
    """What counts say, and where they are few what is known without them."""
    exact = counts.astype(np.float32)
    return (exact + CONCENTRATION * known) / (exact.sum(-1, keepdims=True) + CONCENTRATION)


def _run_before(seen: Bool[ndarray, "m l"]) -> Int64[ndarray, "m l"]:
    """How many bases in a row are seen just before each base."""
    columns = np.arange(seen.shape[1])
    unseen = np.maximum.accumulate(np.where(seen, -1, columns), axis=1)
    before = np.concatenate([np.full((len(seen), 1), -1), unseen[:, :-1]], axis=1)
    return columns - 1 - before
