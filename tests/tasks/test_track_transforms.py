"""Transforms against a plain count of every bin, one number after the other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.core.errors import ConfigError
from attendna.tasks.track_transforms import SUM_STATS, Transform, pool_bins, pool_factor


def slow(bases: list[float], t: Transform) -> float:
    """The published order of steps, written out for the bases of one bin."""
    if t.order == "baskerville":
        bases = [t.scale * base for base in bases]
    name = t.sum_stat
    if name.startswith("sum"):
        value = math.fsum(bases)
    elif name == "max":
        value = max(bases)
    else:
        value = math.fsum(bases) / len(bases)
    if name == "sum_exp75":
        value = (1 + value) ** 0.75 - 1
    elif name == "peak":
        value = min(1.0, math.sqrt(value * 4))
    elif name.endswith("_sqrt"):
        value = value**0.75 if t.order == "borzoi" else math.sqrt(1 + value) - 1
    if t.clip_soft is not None and value > t.clip_soft:
        if t.order == "borzoi":
            value = t.clip_soft + math.sqrt(value - t.clip_soft)
        else:
            value = t.clip_soft - 1 + math.sqrt(value - t.clip_soft + 1)
    if t.clip is not None:
        value = max(-t.clip, min(t.clip, value))
    return t.scale * value if t.order == "borzoi" else value


@given(
    st.lists(st.floats(0, 1e4), min_size=1, max_size=8),
    st.sampled_from(SUM_STATS),
    st.none() | st.floats(1, 500),
    st.none() | st.floats(1, 500),
    st.floats(0.01, 4),
    st.sampled_from(["baskerville", "borzoi"]),
)
def test_a_bin_is_what_a_plain_count_says(
    bases: list[float],
    name: str,
    clip: float | None,
    soft: float | None,
    scale: float,
    order: str,
) -> None:
    transform = Transform(sum_stat=name, clip=clip, clip_soft=soft, scale=scale, order=order)
    aggregate = {"sum": math.fsum, "max": max, "mean": lambda x: math.fsum(x) / len(x)}
    binned = np.array([aggregate[transform.aggregate](bases), np.nan], dtype=np.float32)
    found = transform.apply(binned)
    assert found[0] == pytest.approx(slow(bases, transform), rel=1e-4, abs=1e-4)
    assert np.isnan(found[1])


def test_known_values() -> None:
    """DNase of Basenji: clipped at 32 softly, at 128 hard, twice."""
    values = np.array([1, 20, 60, 1e6], dtype=np.float32)
    new = Transform(sum_stat="mean", clip=128.0, clip_soft=32.0, scale=2.0).apply(values)
    assert new.tolist() == pytest.approx([2, 31 + 3, 31 + math.sqrt(89), 128])
    old = Transform(sum_stat="mean", clip=128.0, clip_soft=32.0, scale=2.0, order="borzoi")
    assert old.apply(values).tolist() == pytest.approx([2, 40, 2 * (32 + math.sqrt(28)), 256])
    cage = Transform(sum_stat="sum_sqrt").apply(np.array([0, 3, 99], dtype=np.float32))
    assert cage.tolist() == [0, 1, 9]


def test_roots_of_what_is_below_zero_are_refused() -> None:
    for name in ("sum_sqrt", "mean_sqrt", "sum_exp75", "peak"):
        with pytest.raises(ValueError, match="below 0"):
            Transform(sum_stat=name).apply(np.array([-1.0], dtype=np.float32))
    assert Transform(clip=2.0).apply(np.array([-5.0], dtype=np.float32)).tolist() == [-2]


def test_wider_bins_are_of_neighbors_and_keep_what_is_masked() -> None:
    values = np.arange(12, dtype=np.float16).reshape(1, 6, 2)
    assert pool_bins(values, 3, "sum").tolist() == [[[6, 9], [24, 27]]]
    assert pool_bins(values, 3, "mean").tolist() == [[[2, 3], [8, 9]]]
    values[0, 4, 1] = np.nan
    found = pool_bins(values, 3, "mean")
    assert np.isnan(found).tolist() == [[[False, False], [False, True]]]
    # The sum is taken of float32: the largest float16 do not overflow.
    assert pool_bins(np.full((1, 2, 1), 6e4, np.float16), 2, "sum")[0, 0, 0] > 1e5


def test_bins_that_do_not_fill_a_wider_one_are_refused() -> None:
    assert pool_factor(32, 128, 2048) == 4
    for wider in (0, 16, 48, 32 * 4096):
        with pytest.raises(ConfigError, match="choose a multiple of 32 that divides 65,536"):
            pool_factor(32, wider, 2048)
