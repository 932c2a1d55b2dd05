"""Where given sequences lie in a genome, on either strand, without knowing their coordinates.

Words of 24 bases, one after the other, are looked up in the genome; where one is found the whole
sequence is compared, base by base.

Shapes: ``n`` bases of the genome, ``w`` places, ``r`` runs of bases.
"""

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from numpy import ndarray

from attendna.genome.alphabet import N
from attendna.genome.kmers import kmer_numbers
from attendna.genome.sequences import SequenceBatch

WORD = 24
_HALF = WORD // 2
_CHUNK = 1 << 22

IDENTITY = 0.9
"""Share of a sequence's bases that must be the genome's: individuals and assemblies differ."""


def find_occurrences(
    codes: UInt8[ndarray, " n"], sequences: SequenceBatch, identity: float = IDENTITY
) -> Int64[ndarray, "r 2"]:
    """First and last base (half-open) of every place where one of the sequences lies.

    A sequence shorter than a word, or with a change in each of its words, is not found.

    Parameters
    ----------
    codes
        The genome, in which contigs may follow on each other.
    """
    both = SequenceBatch.joined([sequences, sequences.reverse_complement()])
    words, rows, within = _words(both)
    if not words.size:
        return np.empty((0, 2), dtype=np.int64)
    place, which = _look_up(codes, words)
    start = place - within[which]
    pairs = np.unique(np.column_stack([rows[which], start]), axis=0)
    row, start = pairs[:, 0], pairs[:, 1]
    end = start + both.lengths[row]
    inside = (start >= 0) & (end <= codes.size)
    row, start, end = row[inside], start[inside], end[inside]
    alike = _identity(codes, both, row, start, end) >= identity
    return np.column_stack([start[alike], end[alike]])


def _words(batch: SequenceBatch) -> tuple[Int64[ndarray, " w"], ...]:
    """Different words in order, and for each a sequence that has it and where.

    One of several sequences is enough: the others have words of their own, or are the same.
    """
    counts = batch.lengths // WORD
    rows = np.repeat(np.arange(len(batch)), counts)
    first = np.cumsum(counts) - counts
    within = WORD * (np.arange(rows.size) - np.repeat(first, counts))
    places = batch.offsets[rows] + within
    unknown = np.concatenate([[0], np.cumsum(batch.codes >= N)])
    known = unknown[places + WORD] == unknown[places]
    rows, within, places = rows[known], within[known], places[known]
    words, at = np.unique(_numbers(batch.codes)[places], return_index=True)
    return words, rows[at].astype(np.int64), within[at].astype(np.int64)


def _numbers(codes: UInt8[ndarray, " n"]) -> Int64[ndarray, " w"]:
    """The word at every base as a number; those with an N are any."""
    halves = kmer_numbers(codes & 3, _HALF).astype(np.int64)
    return (halves[: max(0, halves.size - _HALF)] << WORD) | halves[_HALF:]


def _look_up(
    codes: UInt8[ndarray, " n"], words: Int64[ndarray, " w"]
) -> tuple[Int64[ndarray, " _"], Int64[ndarray, " _"]]:
    """Places in the genome of words, and which."""
    # Most bases of the genome are dismissed by half a word, in a table.
    possible: Bool[ndarray, " t"] = np.zeros(4**_HALF, dtype=np.bool_)
    possible[words & (4**_HALF - 1)] = True
    places: list[ndarray] = []
    found: list[ndarray] = []
    for begin in range(0, codes.size, _CHUNK):
        numbers = _numbers(np.asarray(codes[begin : begin + _CHUNK + WORD - 1]))
        near = np.flatnonzero(possible[numbers & (4**_HALF - 1)])
        at = np.searchsorted(words, numbers[near])
        same = words[np.minimum(at, words.size - 1)] == numbers[near]
        places.append(begin + near[same])
        found.append(at[same])
    return np.concatenate(places), np.concatenate(found)


def _identity(
    codes: UInt8[ndarray, " n"],
    batch: SequenceBatch,
    row: Int64[ndarray, " w"],
    start: Int64[ndarray, " w"],
    end: Int64[ndarray, " w"],
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Share of equal bases of each sequence and the place where it may lie."""
    if not row.size:
        return np.empty(0)
    there = SequenceBatch.cut(codes, start, end)
    equal = there.codes == batch.take(row).codes
    return np.add.reduceat(equal.astype(np.int64), there.offsets[:-1]) / there.lengths
