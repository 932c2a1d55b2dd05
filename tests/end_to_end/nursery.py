"""Runs attendna in processes that can be killed, without paying seconds of imports for each.

Reads a JSON list of arguments a line, forks a process that runs them, writes its number, and when
it has ended its exit status and the processor seconds it took. Nothing is computed before the fork:
what is imported is only read.
"""

import json
import os
import sys

import lightning.pytorch  # noqa: F401
import torch.utils.tensorboard  # noqa: F401

from attendna.cli.main import run
from attendna.training import fit, search, train  # noqa: F401


def main() -> None:
    """Serve until the input ends."""
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(run(json.loads(line)))
        print(child, flush=True)  # noqa: T201
        _, status, used = os.wait4(child, 0)
        code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        print(code, seconds, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
