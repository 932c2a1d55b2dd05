"""A rule for saturation mutagenesis that never sees a base: effects nearby are alike.

Split at random by position, a variant's neighbors are in training, and their mean effect tells much
of what models are praised for. On an element that was left out there is nothing to lean on.

Shapes: ``n`` variants.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped
from numpy import ndarray

BANDWIDTH = 3.0
"""Standard deviation of the Gaussian by which effects nearby are weighted, in bases."""


def smooth_by_position(
    elements: Shaped[ndarray, " n"],
    positions: Int64[ndarray, " n"],
    effects: Float64[ndarray, " n"],
    known: Bool[ndarray, " n"],
    bandwidth: float = BANDWIDTH,
) -> Float64[ndarray, " n"]:
    """The weighted mean of the known effects around each variant, sequence unseen.

    An element without known variants is read off the others, laid over it with their middles on one
    place.

    Parameters
    ----------
    elements, positions, effects
        Element, place and effect of each variant.
    known
        Which effects may be used; NaN is given for these.

    Returns
    -------
    What the rule says of the others.
    """
    said = np.full(effects.size, np.nan)
    names, number = np.unique(elements, return_inverse=True)
    middles = np.array([np.median(positions[number == e]) for e in range(names.size)])
    from_middle = positions - middles[number]
    for element in range(names.size):
        mine = number == element
        told = mine & known
        if not told.any():
            told = known
        asked = mine & ~known
        gap = from_middle[asked, None] - from_middle[told]
        # A distant variant weighs next to nothing, but where there is no other it counts.
        weight = np.exp(-0.5 * (gap / bandwidth) ** 2) + 1e-9
        said[asked] = weight @ effects[told] / weight.sum(axis=1)
    return said
