"""Long sequences in segments that a model of short ones can read.

Shapes: ``b`` sequences, ``m`` segments.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from numpy import ndarray


class Segments(NamedTuple):
    """Where segments lie in their sequences, sequence by sequence."""

    counts: Int64[ndarray, " b"]
    """Segments of each sequence, one at least."""
    owners: Int64[ndarray, " m"]
    """Of which sequence each is."""
    starts: Int64[ndarray, " m"]
    ends: Int64[ndarray, " m"]


def segments_of(lengths: Int64[ndarray, " b"], longest: int) -> Segments:
    """Cut sequences into as few segments of at most ``longest`` bases as there can be.

    Those of one sequence differ by one base at most, so that no short rest is left at the end.
    """
    counts = np.maximum(-(-lengths // longest), 1)
    owners = np.repeat(np.arange(len(lengths)), counts)
    first = np.cumsum(counts) - counts
    places = np.arange(len(owners)) - first[owners]
    starts = places * lengths[owners] // counts[owners]
    ends = (places + 1) * lengths[owners] // counts[owners]
    return Segments(counts, owners, starts, ends)
