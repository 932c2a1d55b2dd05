"""A few rows of many, to see what can be learned from them.

Shapes: ``N`` rows, ``n`` rows taken.
"""

import numpy as np
from jaxtyping import Int8, Int64
from numpy import ndarray


def take_share(
    count: int, share: float, seed: int, classes: Int8[ndarray, " N"] | None = None
) -> Int64[ndarray, " n"]:
    """Rows drawn at random, in their order: the share of each class, but one row at least.

    Parameters
    ----------
    classes
        Class of every row; none to take the share of all rows together.
    """
    generator = np.random.default_rng(seed)
    strata = np.zeros(count, dtype=np.int8) if classes is None else classes
    taken = [
        generator.permutation(rows)[: max(1, round(share * rows.size))]
        for rows in (np.flatnonzero(strata == stratum) for stratum in np.unique(strata))
    ]
    return np.sort(np.concatenate(taken))
