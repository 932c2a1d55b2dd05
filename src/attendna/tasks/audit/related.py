"""Rows that are one piece of evidence: at one place of the genome, or nearly equal in sequence.

Shapes: ``n`` rows.
"""

import numpy as np
from jaxtyping import Int64
from numpy import ndarray
from scipy import sparse

from attendna.genome.loci import merge_loci
from attendna.tasks.audit.rows import Rows
from attendna.tasks.audit.shared import NEAR, canonical_words
from attendna.tasks.splits import group_by_sequence

FREQUENT = 50
"""Words in more rows than this are repeats: they tell no homology."""


def group_related(rows: Rows, *, flank: int = 0, homology: bool = True) -> Int64[ndarray, " n"]:
    """The group of each row: of twins, of rows at one locus, and of nearly equal sequences.

    Parameters
    ----------
    flank
        Rows closer than this are at one locus, too.
    homology
        Whether sequences that share half of their 24-mers belong together.
    """
    count = rows.labels.size
    edges = [(rows.identity, np.arange(count))]
    if rows.placed:
        edges.append((merge_loci(rows.frame, flank=flank), np.arange(count)))
    if rows.paired and rows.sequences is not None:
        # Variants of one sequence are measured in one surrounding.
        edges.append((group_by_sequence(rows.sequences), np.arange(count)))
    bipartite = [
        sparse.coo_array((np.ones(count), (row, group)), shape=(count, int(group.max()) + 1))
        for group, row in edges
    ]
    joined = sparse.csr_array(sparse.hstack(bipartite))
    graph = joined @ joined.T
    if homology and rows.sequences is not None:
        graph = graph + _nearly_equal(rows)
    return sparse.csgraph.connected_components(graph, directed=False)[1].astype(np.int64)


def _nearly_equal(rows: Rows) -> sparse.csr_array:
    """Pairs of rows of which the poorer one shares half of its words with the other."""
    if rows.sequences is None:
        raise ValueError("rows without sequences have no words")
    words, row = canonical_words(rows.sequences)
    number, inverse, times = np.unique(words, return_inverse=True, return_counts=True)
    told = (times[inverse] > 1) & (times[inverse] <= FREQUENT)
    size = rows.labels.size
    table = sparse.csr_array(
        (np.ones(int(told.sum())), (row[told], inverse.reshape(-1)[told])),
        shape=(size, number.size),
    )
    table.data[:] = 1
    pairs = sparse.coo_array(table @ table.T)
    total = np.bincount(row, minlength=size)
    left, right = pairs.coords
    near = pairs.data >= NEAR * np.minimum(total[left], total[right])
    return sparse.csr_array((np.ones(int(near.sum())), (left[near], right[near])), (size, size))
