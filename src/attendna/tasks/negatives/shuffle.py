"""Shuffles that keep how often each base follows each other one.

Source: Altschul and Erickson (1985). A sequence is a walk over its letters; every other walk over
the same steps that ends on the same letter has the same dinucleotides. Such a walk is drawn by
choosing, for every letter but the last one, the step by which it is left for the last time, until
these steps lead to the end from everywhere; all other steps may be taken in any order.

Shapes: ``b`` sequences, ``l`` bases of the longest.
"""

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from numpy import ndarray

from attendna.genome.sequences import SequenceBatch

_LETTERS = 5
"""The four bases and N, which is a letter like the others here."""

_AT_ONCE = 4096


def shuffle_dinucleotides(
    sequences: SequenceBatch, generator: np.random.Generator
) -> SequenceBatch:
    """Shuffle each sequence; every dinucleotide occurs as often as before, and so does each base.

    The first and the last base stay. Every order that these rules admit is equally likely. A
    sequence may come back as it was where there is no other order.
    """
    parts = [
        _shuffle(sequences.take(np.arange(first, min(first + _AT_ONCE, len(sequences)))), generator)
        for first in range(0, len(sequences), _AT_ONCE)
    ]
    return SequenceBatch.joined(parts) if parts else sequences


def _shuffle(sequences: SequenceBatch, generator: np.random.Generator) -> SequenceBatch:
    codes, lengths = sequences.padded()
    if codes.shape[1] < 3:
        return sequences
    # Steps run from each base to the next; a sequence has one fewer than bases.
    inside = np.arange(codes.shape[1] - 1) < (lengths - 1)[:, None]
    source = np.where(inside, codes[:, :-1], _LETTERS).astype(np.int64)
    order, first = _exits(source, _last_exits(codes, source, lengths, generator), generator)
    target = np.take_along_axis(codes[:, 1:], order, axis=1)
    walked = _walk(codes[:, 0], target, first)
    walked[np.arange(codes.shape[1]) >= lengths[:, None]] = 0
    flat = walked[np.arange(codes.shape[1]) < lengths[:, None]]
    return SequenceBatch(flat, sequences.offsets)


def _last_exits(
    codes: UInt8[ndarray, "b l"],
    source: Int64[ndarray, "b s"],
    lengths: Int64[ndarray, " b"],
    generator: np.random.Generator,
) -> Bool[ndarray, "b s"]:
    """The steps by which each letter is left for the last time; the final letter has none."""
    rows = np.arange(len(codes))
    final = codes[rows, np.maximum(lengths - 1, 0)].astype(np.int64)
    last = np.zeros(source.shape, dtype=np.bool_)
    open_ = rows
    while open_.size:
        key = generator.random(source[open_].shape)
        chosen = np.full((open_.size, _LETTERS), -1)
        leads = np.tile(np.arange(_LETTERS), (open_.size, 1))
        at = np.arange(open_.size)
        for letter in range(_LETTERS):
            mine = source[open_] == letter
            some = mine.any(axis=1) & (final[open_] != letter)
            step = np.where(mine, key, -1.0).argmax(axis=1)
            chosen[some, letter] = step[some]
            leads[some, letter] = codes[open_, 1:][at, step][some]
        there = leads
        for _ in range(_LETTERS):
            there = np.take_along_axis(leads, there, axis=1)
        used = chosen >= 0
        ends = ((there == final[open_][:, None]) | ~used).all(axis=1)
        row, letter = np.nonzero(used & ends[:, None])
        last[open_[row], chosen[row, letter]] = True
        open_ = open_[~ends]
    return last


def _exits(
    source: Int64[ndarray, "b s"],
    last: Bool[ndarray, "b s"],
    generator: np.random.Generator,
) -> tuple[Int64[ndarray, "b s"], Int64[ndarray, "b letters"]]:
    """The steps in a random order, letter by letter, last exits last; and where each begins."""
    key = source + np.where(last, 0.999999, generator.random(source.shape) * 0.99)
    order = np.argsort(key, axis=1)
    counts = np.stack([(source == letter).sum(axis=1) for letter in range(_LETTERS)], axis=1)
    return order, np.cumsum(counts, axis=1) - counts


def _walk(
    start: UInt8[ndarray, " b"],
    target: UInt8[ndarray, "b s"],
    first: Int64[ndarray, "b letters"],
) -> UInt8[ndarray, "b l"]:
    """Leave every letter by its steps in order; beyond the end of a sequence anything may stand."""
    rows = np.arange(start.size)
    walked = np.empty((start.size, target.shape[1] + 1), dtype=np.uint8)
    walked[:, 0] = start
    place = first.copy()
    at = start.astype(np.int64)
    for step in range(target.shape[1]):
        where = place[rows, at]
        place[rows, at] = np.minimum(where + 1, target.shape[1] - 1)
        at = target[rows, where].astype(np.int64)
        walked[:, step + 1] = at
    return walked
