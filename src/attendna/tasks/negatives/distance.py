"""Negatives that lie as far from something as the positives do.

Shapes: ``p`` positives, ``c`` candidates, ``k`` chosen candidates.
"""

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray


def match_distance(
    wanted: Float64[ndarray, " p"], offered: Float64[ndarray, " c"], each: int
) -> Int64[ndarray, " k"]:
    """Candidates with the distances nearest to those of the positives, none of them twice.

    The positives choose in turn, each as many times as ``each`` says: all their first, then all
    their second. Distances are compared by their logarithm, for one kilobase means more at a start
    site than far away.

    Returns
    -------
    Rows of ``offered``, in the order in which they were chosen; fewer than ``p * each`` where there
    are not as many.
    """
    order = np.argsort(offered, kind="stable")
    levels = np.log10(offered[order] + 1)
    free_left = list(range(-1, levels.size))
    free_right = list(range(levels.size + 1))
    targets = np.tile(np.log10(wanted + 1), each).tolist()
    places = np.searchsorted(levels, targets).tolist()
    chosen: list[int] = []
    for target, place in zip(targets[: levels.size], places, strict=False):
        right = _nearest_free(free_right, place)
        # Of what is left of a place, entry i + 1 stands for candidate i.
        left = _nearest_free(free_left, place, shift=1)
        after = levels[right] - target if right < levels.size else np.inf
        before = target - levels[left] if left >= 0 else np.inf
        taken = right if after <= before else left
        free_right[taken] = taken + 1
        free_left[taken + 1] = taken - 1
        chosen.append(taken)
    return order[np.array(chosen, dtype=np.int64)].astype(np.int64)


def _nearest_free(links: list[int], start: int, shift: int = 0) -> int:
    """Follow the links of what is taken to a candidate that is free, and shorten the way there."""
    path: list[int] = []
    at = start if not shift else start - 1
    while at >= 0 and links[at + shift] != at:
        path.append(at)
        at = links[at + shift]
    for passed in path:
        links[passed + shift] = at
    return at
