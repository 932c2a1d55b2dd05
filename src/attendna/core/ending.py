"""How a process ends that is told to, or that nobody waits for any more."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, as shells have it."""


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came; as after Ctrl-C, work is stopped and what is half made is removed."""


@dataclass
class Told:
    """Whether SIGTERM came."""

    to_end: bool = False


@contextlib.contextmanager
def heeding_sigterm() -> Generator[Told, None, None]:
    """Raise :class:`TerminatedError` when SIGTERM comes within the block.

    Signals are handled by the main thread; in others nothing changes.
    """
    told = Told()

    def answer(*_: Any) -> None:
        told.to_end = True
        raise TerminatedError

    with answering_sigterm(answer):
        yield told


@contextlib.contextmanager
def answering_sigterm(answer: Any) -> Generator[None, None, None]:
    """Another answer to SIGTERM within the block, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, answer)
    try:
        yield
    finally:
        # None is an answer that was not given in Python, and cannot be given back.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def follow_parent() -> None:
    """End this process when the one that started it ends, even by a kill."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # Work that nobody waits for would keep its folder locked against those who go on with it.
        os._exit(1)
