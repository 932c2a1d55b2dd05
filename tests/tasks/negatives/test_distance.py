import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attendna.tasks.negatives.distance import match_distance

distances = st.lists(st.integers(0, 10_000), min_size=0, max_size=30)


def slow(wanted: list[int], offered: list[int], each: int) -> list[float]:
    """How far apart the matches are, each the nearest that is left, found by looking at all."""
    left = [float(np.log10(d + 1)) for d in offered]
    gaps: list[float] = []
    for target in [float(np.log10(d + 1)) for d in wanted] * each:
        if not left:
            break
        nearest = min(left, key=lambda level: abs(level - target))
        gaps.append(abs(nearest - target))
        # Ties may be broken either way only where the gaps are alike.
        left.remove(max(v for v in left if abs(abs(v - target) - gaps[-1]) < 1e-12))
    return gaps


@given(distances, distances, st.integers(1, 3))
def test_each_takes_the_nearest_that_is_free(
    wanted: list[int], offered: list[int], each: int
) -> None:
    chosen = match_distance(np.array(wanted, float), np.array(offered, float), each)
    assert len(set(chosen.tolist())) == chosen.size == min(len(wanted) * each, len(offered))
    targets = (wanted * each)[: chosen.size]
    found = [
        abs(float(np.log10(offered[row] + 1) - np.log10(target + 1)))
        for row, target in zip(chosen.tolist(), targets, strict=True)
    ]
    assert np.allclose(found, slow(wanted, offered, each))


def test_far_ones_are_not_taken_while_near_ones_are_there() -> None:
    offered = np.array([100_000.0, 10, 1_000, 12, 90_000])
    chosen = match_distance(np.array([11.0, 95_000.0]), offered, 2)
    assert sorted(chosen[[0, 2]].tolist()) == [1, 3]
    assert sorted(chosen[[1, 3]].tolist()) == [0, 4]
