"""Freed memory is kept: the same buffer allocated again costs no page faults."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from attendna.core import memory

FAULTS = """
import resource, numpy as np
from attendna.core.memory import keep_freed_memory
assert {call} is {expected}
def touch(): np.ones(1 << 22)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5): touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_another_allocator_is_recognized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = tmp_path / "maps"
    monkeypatch.setattr(memory, "_MAPS", maps)
    assert memory.preloaded_allocator() is None
    maps.write_text("7f00-7f01 r-xp 00000000 00:00 0  /usr/lib/libjemalloc.so.2\n")
    assert memory.preloaded_allocator() == "jemalloc"
    assert not memory.keep_freed_memory()


def faults(call: str, expected: bool, **environment: str) -> int:
    code = FAULTS.format(call=call, expected=expected)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


glibc = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="not the GNU C library"
)


@glibc
def test_kept_memory_is_not_faulted_in_again() -> None:
    size = resource.getpagesize()
    pages = 5 * (8 << 22) // size
    kept = faults("keep_freed_memory()", True)
    assert kept < pages / 100
    # Huge pages make the ordinary way cheaper too, so it is only held to being no better.
    assert faults("False", False) >= kept


@glibc
def test_settings_of_the_user_stand() -> None:
    faults("keep_freed_memory()", False, MALLOC_TRIM_THRESHOLD_="1000")
