"""Logistic regression on k-mers: a score every model has to beat.

Shapes: ``N`` sequences, ``T`` outputs, ``W`` words.
"""

import numpy as np
from jaxtyping import Float64, Int64, Integer
from numpy import ndarray
from scipy import sparse

from attendna.genome.alphabet import N
from attendna.genome.kmers import kmer_numbers
from attendna.genome.sequences import SequenceBatch

KMER = 5
"""Length of the counted words: 512 of them with their opposite strands, few enough for some
thousand sequences."""


class KmerRegression:
    """Logistic regression on how often each k-mer occurs.

    A k-mer and its reverse complement count as one. Their shares enter by the square root, which
    makes rare and frequent ones comparable.

    Parameters
    ----------
    sequences, labels
        The rows to learn from.
    classes
        Number of classes of the task.
    """

    def __init__(
        self,
        sequences: SequenceBatch,
        labels: Integer[ndarray, " N"],
        classes: int,
        k: int = KMER,
    ) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.k = k
        self.classes = classes
        self._model = make_pipeline(
            StandardScaler(with_mean=False), LogisticRegression(C=0.01, max_iter=1000)
        )
        self._model.fit(kmer_shares(sequences, k), labels)

    def probabilities(self, sequences: SequenceBatch) -> Float64[ndarray, "N T"]:
        """What it says of sequences; a class without a training row is never predicted."""
        found = np.zeros((len(sequences), self.classes))
        found[:, self._model.classes_] = self._model.predict_proba(kmer_shares(sequences, self.k))
        return found[:, 1:] if self.classes == 2 else found


def kmer_shares(sequences: SequenceBatch, k: int = KMER) -> sparse.csr_array:
    """Square root of the share of each k-mer in each sequence; words with an N are left out.

    Returns
    -------
    csr_array
        Shape ``(N, 4**k)``; of a word and its reverse complement only the first in lexical order
        has a column in use.
    """
    unknown = sequences.codes >= N
    words = kmer_numbers(np.where(unknown, np.uint8(0), sequences.codes), k)
    starts = np.arange(words.size)
    unknown_before = np.concatenate([[0], np.cumsum(unknown)])
    known = unknown_before[starts + k] == unknown_before[starts]
    row = np.repeat(np.arange(len(sequences)), sequences.lengths)[: words.size]
    whole = known & (starts + k <= sequences.offsets[row + 1])
    canonical = np.minimum(np.arange(4**k), _opposite_words(k))[words[whole]]
    counts = sparse.csr_array(
        (np.ones(canonical.size), (row[whole], canonical)), shape=(len(sequences), 4**k)
    )
    counts.sum_duplicates()
    totals = np.maximum(counts.sum(axis=1), 1)
    counts.data = np.sqrt(counts.data / np.repeat(totals, np.diff(counts.indptr)))
    return counts


def _opposite_words(k: int) -> Int64[ndarray, " W"]:
    """The reverse complement of each word."""
    words = np.arange(4**k)
    opposite = np.zeros_like(words)
    for _ in range(k):
        opposite = opposite * 4 + (3 - words % 4)
        words //= 4
    return opposite
