"""Whether two sets of rows are made of the same words, or how far apart they are.

Shapes: ``n`` rows, ``w`` words.
"""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.config import Config
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.kmer_regression import kmer_shares

KMER = 4
"""Length of the counted words; a word and its reverse complement are one."""

MOST = 5_000
"""Rows of either set that are compared; more are sampled."""

SHUFFLES = 99
"""Times the rows are dealt to the two sets by chance."""


class Drift(Config):
    """How far the words of two sets of rows are apart."""

    label: str
    distance: float
    """Jensen-Shannon distance of their mean shares, in bits: 0 for the same words, 1 for none in
    common."""
    by_chance: float
    """The distance that rows dealt to the two sets by chance exceed once in twenty times."""
    p: float
    """Share of such deals, with this one, that are at least as far apart."""


def measure_drift(
    label: str, one: SequenceBatch, other: SequenceBatch, random: np.random.Generator
) -> Drift:
    """The distance of two sets of sequences, and what chance alone would make of it."""
    sizes = [min(len(batch), MOST) for batch in (one, other)]
    chosen = [
        batch.take(np.sort(random.permutation(len(batch))[:size]))
        for batch, size in zip((one, other), sizes, strict=True)
    ]
    # The table holds square roots, which suit regression.
    shares = kmer_shares(SequenceBatch.joined(chosen), KMER).power(2)
    marks = np.zeros((SHUFFLES + 1, sum(sizes)))
    marks[:, : sizes[0]] = 1
    marks[1:] = random.permuted(marks[1:], axis=1)
    first = np.asarray((shares.T @ marks.T).T)
    rest = np.asarray(shares.sum(axis=0))[None] - first
    distances = _jensen_shannon(first, rest)
    return Drift(
        label=label,
        distance=float(distances[0]),
        by_chance=float(np.quantile(distances[1:], 0.95)),
        p=float((distances >= distances[0]).mean()),
    )


def _jensen_shannon(
    one: Float64[ndarray, "s w"], other: Float64[ndarray, "s w"]
) -> Float64[ndarray, " s"]:
    from scipy.special import rel_entr

    one, other = (
        part / np.maximum(part.sum(axis=1, keepdims=True), 1e-300) for part in (one, other)
    )
    middle = (one + other) / 2
    entropy = (rel_entr(one, middle) + rel_entr(other, middle)).sum(axis=1) / 2
    return np.sqrt(np.maximum(entropy, 0) / np.log(2))
