"""Rows that the training split already holds, wholly or in part.

Shapes: ``n`` rows, ``w`` words.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int64, UInt64
from numpy import ndarray

from attendna.core.config import Config
from attendna.genome.alphabet import N
from attendna.genome.loci import count_overlaps
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.rows import Rows
from attendna.tasks.audit.rules import Share, share
from attendna.tasks.splits import group_by_sequence

WORD = 24
"""Bases of the words by which nearly equal sequences are found: too long to be shared by chance."""

NEAR = 0.5
"""Share of a sequence's words in training from which on it is nearly a training sequence."""


MOST_BASES = 400_000_000
"""Bases of which the words fit into memory, with what sorts them."""


class SharedRows(Config):
    """Rows of a split that training holds, of one class or of all."""

    label: str
    same: Share
    """The same interval, or sequence on either strand."""
    overlapping: Share | None = None
    """At least one base of their place on the genome is in a training row of their class."""
    near: Share | None = None
    """At least half of their 24-mers occur in training rows, and they are not the same."""


def shared_with(train: Rows, rows: Rows) -> Iterator[SharedRows]:
    """What a split shares with training: of every class, then of all."""
    same = known_in(train, rows)
    near = _near(train, rows, same)
    overlapping = np.zeros(rows.labels.size, dtype=np.bool_)
    for number in range(len(rows.classes)) if rows.placed else ():
        mine = rows.labels == number
        others = train.frame.filter(train.labels == number)
        overlapping[mine] = count_overlaps(rows.frame.filter(mine), others) > 0
    groups = {name: rows.labels == number for number, name in enumerate(rows.classes)}
    groups["all"] = np.ones(rows.labels.size, dtype=np.bool_)
    for name, mine in groups.items():
        n = int(mine.sum())
        yield SharedRows(
            label=name,
            same=share(int(same[mine].sum()), n),
            overlapping=share(int(overlapping[mine].sum()), n) if rows.placed else None,
            near=None if near is None else share(int(near[mine].sum()), n),
        )


def known_in(train: Rows, rows: Rows) -> Bool[ndarray, " n"]:
    """Rows that are the same molecule as some training row."""
    both = train.joined(rows).identity
    return np.isin(both[train.labels.size :], both[: train.labels.size])


def _near(train: Rows, rows: Rows, same: Bool[ndarray, " n"]) -> Bool[ndarray, " n"] | None:
    if train.sequences is None or rows.sequences is None:
        return None
    if too_many_bases(train):
        return None
    # Sorted is enough to search in; NumPy takes ten times as long to drop what is double.
    known = np.sort(canonical_words(_distinct(train.sequences)[0])[0])
    distinct, number = _distinct(rows.sequences)
    words, row = canonical_words(distinct)
    place = np.minimum(np.searchsorted(known, words), known.size - 1)
    hits = known[place] == words if known.size else np.zeros(words.size, dtype=np.bool_)
    count = len(distinct)
    total = np.bincount(row, minlength=count)
    found = np.bincount(row, weights=hits, minlength=count)
    return (found >= NEAR * np.maximum(total, 1))[number] & ~same


def _distinct(sequences: SequenceBatch) -> tuple[SequenceBatch, Int64[ndarray, " n"]]:
    """Each sequence once, and which of them every row has: variants share a reference."""
    number = group_by_sequence(sequences)
    return sequences.take(np.unique(number, return_index=True)[1]), number


def too_many_bases(rows: Rows) -> bool:
    """Whether the words of the rows are too many to compare."""
    return rows.sequences is not None and rows.sequences.codes.size > MOST_BASES


def canonical_words(
    sequences: SequenceBatch, k: int = WORD
) -> tuple[UInt64[ndarray, " w"], Int64[ndarray, " w"]]:
    """Every word of ``k`` known bases as the smaller of its two strands, and the row it is of."""
    codes = sequences.codes.astype(np.uint64)
    count = max(0, codes.size - k + 1)
    forward, reverse = np.zeros((2, count), dtype=np.uint64)
    for offset in range(k):
        part = codes[offset : offset + count] & np.uint64(3)
        forward |= part << np.uint64(2 * (k - 1 - offset))
        reverse |= (np.uint64(3) - part) << np.uint64(2 * offset)
    unknown = np.concatenate([[0], np.cumsum(sequences.codes >= N)])
    starts = np.arange(count)
    row = np.repeat(np.arange(len(sequences)), sequences.lengths)[:count]
    whole = (starts + k <= sequences.offsets[row + 1]) & (unknown[starts + k] == unknown[starts])
    return np.minimum(forward, reverse)[whole], row[whole].astype(np.int64)
