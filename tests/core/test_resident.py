"""What this process has of memory."""

import sys

import numpy as np
import pytest

from attendna.core.alone import run_alone
from attendna.core.resident import allow, peak, reset_peak, resident

MB = 1 << 20


def grow(size: int) -> tuple[int, int, int]:
    reset_peak()
    before = resident()
    np.ones(size, dtype=np.uint8)
    return before, peak(), resident()


def grow_beyond(size: int) -> str:
    if not allow(size):
        return "no limit"
    np.ones(size // 2, dtype=np.uint8)
    try:
        np.ones(2 * size, dtype=np.uint8)
    except MemoryError:
        return "refused"
    return "given"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux counts peaks anew")
def test_the_peak_is_what_was_held_for_a_moment() -> None:
    before, most, after = grow(100 * MB)
    assert 98 * MB < most - before < 110 * MB
    assert after - before < 10 * MB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked to refuse memory")
def test_what_is_beyond_the_limit_is_refused_and_the_process_lives() -> None:
    assert run_alone(grow_beyond, 64 * MB) == "refused"
