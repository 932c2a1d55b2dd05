"""Which process does a piece of work: a lock that ends with the process, however it ends."""

import fcntl
import os
from pathlib import Path


class Claim:
    """A file that this process keeps locked until it lets go of it, or ends."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> "Claim | None":
        """Lock a file that is made for the purpose and kept.

        None where another process has it, on this machine or another, and where the file system has
        no locks: nobody can tell there whether a process is still alive.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        return cls(handle)

    def release(self) -> None:
        """Let others have it."""
        os.close(self._handle)
