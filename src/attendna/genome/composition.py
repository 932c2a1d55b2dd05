"""What sequences are made of, whatever their order.

Shapes: ``b`` sequences.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from attendna.genome.alphabet import N
from attendna.genome.sequences import SequenceBatch


def gc_content(sequences: SequenceBatch) -> Float64[ndarray, " b"]:
    """Share of G and C among the known bases of each sequence; NaN where none is known."""
    strong = count_where((sequences.codes == 1) | (sequences.codes == 2), sequences)
    known = count_where(sequences.codes < N, sequences)
    return np.divide(strong, known, out=np.full(known.size, np.nan), where=known > 0)


def count_unknown(sequences: SequenceBatch) -> Int64[ndarray, " b"]:
    """How many bases of each sequence are N."""
    return count_where(sequences.codes >= N, sequences)


def count_where(marked: Bool[ndarray, " n"], sequences: SequenceBatch) -> Int64[ndarray, " b"]:
    """How many bases of each sequence are marked, in a mask as long as all codes."""
    running = np.concatenate([[0], np.cumsum(marked, dtype=np.int64)])
    return running[sequences.offsets[1:]] - running[sequences.offsets[:-1]]
