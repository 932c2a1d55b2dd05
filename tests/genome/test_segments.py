"""Sequences cut evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.segments import segments_of


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=8), st.integers(1, 500))
def test_segments_cover_each_sequence_in_order(lengths: list[int], longest: int) -> None:
    counts, owners, starts, ends = segments_of(np.array(lengths), longest)
    for row, length in enumerate(lengths):
        mine = owners == row
        assert mine.sum() == counts[row] == max(1, -(-length // longest))
        assert starts[mine][0] == 0
        assert ends[mine][-1] == length
        assert (starts[mine][1:] == ends[mine][:-1]).all()
        sizes = ends[mine] - starts[mine]
        assert sizes.max() <= longest
        assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(
    ("length", "sizes"), [(1000, [200] * 5), (501, [167] * 3), (200, [200]), (40_000, [200] * 200)]
)
def test_lengths_of_the_six_tasks(length: int, sizes: list[int]) -> None:
    _, _, starts, ends = segments_of(np.array([length]), 200)
    assert (ends - starts).tolist() == sizes


def test_no_sequence_has_no_segment() -> None:
    assert all(part.size == 0 for part in segments_of(np.array([], dtype=np.int64), 5))
