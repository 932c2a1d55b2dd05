"""Processes that are told to end, and those that nobody waits for any more."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from attendna.core.alone import run_alone
from attendna.core.ending import TerminatedError, answering_sigterm, heeding_sigterm


def test_sigterm_is_raised_within_the_block_only() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with heeding_sigterm() as told:
        with answering_sigterm(signal.SIG_IGN):
            signal.raise_signal(signal.SIGTERM)
        assert not told.to_end
        with pytest.raises(TerminatedError):
            signal.raise_signal(signal.SIGTERM)
    assert told.to_end
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_changes() -> None:
    answers: list[object] = []

    def look() -> None:
        with heeding_sigterm():
            answers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert answers == [signal.getsignal(signal.SIGTERM)]


def stay(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(120)


def stay_alone(folder: str) -> None:
    run_alone(stay, folder)


def test_work_alone_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    # Not daemonic: such a process has no children.
    parent = multiprocessing.get_context("spawn").Process(target=stay_alone, args=(str(tmp_path),))
    parent.start()
    while not (pids := [int(file.name) for file in tmp_path.iterdir()]):
        assert parent.is_alive()
        time.sleep(0.05)
    worker = psutil.Process(pids[0])
    parent.kill()
    parent.join()
    _, alive = psutil.wait_procs([worker], timeout=10)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive)
