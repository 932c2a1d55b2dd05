"""Small disks that can be filled."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(disk: Path, size: str) -> Iterator[Path]:
    """A file system of its own at a new folder; where none can be mounted the test is skipped."""
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command to make a small disk with")
    if mounted.returncode:
        pytest.skip("mounting a small disk needs more rights")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
