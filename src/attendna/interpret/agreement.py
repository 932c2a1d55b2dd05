"""How well two values of every base agree.

Shapes: ``N`` sequences, ``L`` bases of the longest.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from scipy import stats


def rank_correlations(
    one: Float32[ndarray, "N L"], other: Float32[ndarray, "N L"]
) -> Float64[ndarray, " N"]:
    """Of each sequence, the rank correlation over the bases that have both values (others are NaN).

    NaN where fewer than two bases have, or where one of the values is constant.
    """
    found = np.full(len(one), np.nan)
    for row, (x, y) in enumerate(zip(one, other, strict=True)):
        known = ~(np.isnan(x) | np.isnan(y))
        if known.sum() > 1 and np.ptp(x[known]) > 0 and np.ptp(y[known]) > 0:
            result: Any = stats.spearmanr(x[known], y[known])
            found[row] = float(result.statistic)
    return found
