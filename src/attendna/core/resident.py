"""Memory that this process has of the machine, its peak, and an end to it."""

import contextlib
import re
import resource
import sys
from pathlib import Path

import psutil

_PROCESS = Path("/proc/self")


def resident() -> int:
    """Bytes of this process that lie in memory now."""
    return psutil.Process().memory_info().rss


def reset_peak() -> bool:
    """Have :func:`peak` count from now on; Linux alone can do it.

    Returns
    -------
    bool
        Whether it was done.
    """
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak() -> int:
    """The most bytes of this process that ever lay in memory, as the kernel counted them."""
    # Not getrusage where there is another way: it hands the peak of a parent down to its child.
    counted = _status("VmHWM")
    if counted is not None:
        return counted
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def allow(more: int) -> bool:
    """Refuse this process any memory beyond ``more`` bytes more than it has now.

    What asks for it then gets an error instead of driving the machine out of memory; should that
    happen all the same, the system is told to end this process before any other.

    Returns
    -------
    bool
        Whether it was done: on Linux.
    """
    with contextlib.suppress(OSError):
        (_PROCESS / "oom_score_adj").write_text("1000")
    held = _status("VmData")
    if held is None:
        return False
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + more
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    return True


def _status(field: str) -> int | None:
    """A number of bytes that the kernel says of this process."""
    try:
        text = (_PROCESS / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(rf"^{field}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None
