"""Runs attendna in processes that can be killed, without paying seconds of imports for each.

A server that imports everything and computes nothing reads requests, one a line. For each it forks
a process, writes its number, and in the end its exit status and the processor seconds it took.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

SERVE = "from tests.nursery import serve; serve()"


class Nursery:
    """Processes that run attendna, one at a time."""

    def __init__(self, home: Path) -> None:
        self.errors = home / "stderr.txt"
        """What the process wrote on its standard error."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors.open("w"),
            text=True,
            cwd=Path(__file__).parents[1],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self._read() == "ready"

    def start(self, *arguments: object, folder: Path | None = None, ranks: int = 1) -> int:
        """Begin to run in a folder, on so many processes that torchrun starts; gives its number."""
        request = {
            "words": [str(word) for word in arguments],
            "folder": str(folder or "."),
            "ranks": ranks,
            "errors": str(self.errors),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def wait(self) -> tuple[int, float]:
        """The exit code, negative if a signal's, and the seconds of the processor it took."""
        code, seconds = self._read().split()
        return int(code), float(seconds)

    def run(self, *arguments: object, kill_after: float = math.inf) -> tuple[int, float]:
        """Run to the end, or until it is killed after so many seconds of the processor.

        The clock on the wall would say little on a busy machine.
        """
        child = self.start(*arguments)
        if kill_after < math.inf:
            threading.Thread(target=kill_when_used, args=(child, kill_after)).start()
        return self.wait()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, self.errors.read_text()
        return line


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Forked processes that run attendna."""
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


def kill_when_used(child: int, seconds: float) -> None:
    """Kill a process as soon as it has used so much of the processor; return if it ends before."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(child)
        while process.status() != psutil.STATUS_ZOMBIE:
            used = process.cpu_times()
            if used.user + used.system >= seconds:
                process.kill()
                return
            time.sleep(0.002)


def serve() -> None:
    """Fork for every request until the input ends."""
    import lightning.pytorch  # noqa: F401
    import torch.distributed.launcher.api
    import torch.utils.tensorboard  # noqa: F401

    import attendna.training.fit
    import attendna.training.pretraining.train
    import attendna.training.search
    import attendna.training.train  # noqa: F401

    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_serve_one(json.loads(line)))
        print(child, flush=True)  # noqa: T201
        _, status, used = os.wait4(child, 0)
        code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        print(code, seconds, flush=True)  # noqa: T201


def _serve_one(request: dict[str, Any]) -> int:
    os.chdir(request["folder"])
    os.dup2(os.open(request["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), 2)
    # Standard output is the way back to the test.
    os.dup2(2, 1)
    if request["ranks"] == 1:
        return _run(request["words"])
    return _run_ranks(request["words"], request["ranks"])


def _run(words: list[str]) -> int:
    from attendna.cli.main import run

    return run(words)


def _run_ranks(words: list[str], ranks: int) -> int:
    """What ``torchrun --standalone`` does, with processes that are forked."""
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=ranks,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="fork",
    )
    return max(elastic_launch(config, _run)(words).values())
