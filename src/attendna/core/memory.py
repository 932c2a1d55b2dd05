"""How the C library hands memory back to the operating system, which costs time."""

import ctypes
import os
from pathlib import Path

# Parameters of mallopt(3), from malloc.h of glibc.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3

_MAPS = Path("/proc/self/maps")
_LARGEST = 2**31 - 1
_SETTINGS = (
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "GLIBC_TUNABLES",
)


def keep_freed_memory() -> bool:
    """Have freed memory kept for the next allocation instead of given back to the system.

    A training step allocates and frees the same large buffers. By default glibc maps each anew, and
    the system clears every page of it again: on virtual machines that was 20 % of a step. The
    process then keeps the most memory it ever had.

    Returns
    -------
    bool
        Whether it was set: on Linux with glibc, unless another allocator is loaded or the user has
        set glibc's own variables.
    """
    if not _is_glibc() or preloaded_allocator() or user_settings():
        return False
    set_option = ctypes.CDLL(None).mallopt
    return bool(set_option(_MMAP_THRESHOLD, 1 << 30) and set_option(_TRIM_THRESHOLD, _LARGEST))


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False


def user_settings() -> list[str]:
    """Variables of the environment by which the user has set glibc's allocator."""
    return [name for name in _SETTINGS if name in os.environ]


def preloaded_allocator() -> str | None:
    """The allocator that replaces the C library's in this process, if one does."""
    if not _MAPS.is_file():
        return None
    loaded = _MAPS.read_text(encoding="utf-8", errors="replace")
    known = ("jemalloc", "tcmalloc", "mimalloc")
    return next((name for name in known if f"lib{name}" in loaded), None)
