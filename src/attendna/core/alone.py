"""Do one piece of work in a process of its own, which may die of it."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from attendna.core.errors import ResourceError
from attendna.core.workers import begin_worker, worker_context

Unit = TypeVar("Unit")
Result = TypeVar("Result")


class ProcessDiedError(ResourceError):
    """A process ended before it had a result."""

    def __init__(self, code: int) -> None:
        self.killed = -code == signal.SIGKILL
        """Whether it was killed from outside, as the system does when memory runs out."""
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        super().__init__(f"a process ended by {how}", "see what it wrote above")


def run_alone(work: Callable[[Unit], Result], unit: Unit) -> Result:
    """``work(unit)`` in a process of its own; ``work`` must be a function of a module.

    Raises
    ------
    ProcessDiedError
        The process ended without a result.
    Exception
        What the work raised.
    """
    context = worker_context(work.__module__)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(dict(os.environ), sender, work, unit), daemon=True
    )
    process.start()
    sender.close()
    try:
        raised, value = receiver.recv()
    except EOFError:
        process.join()
        raise ProcessDiedError(process.exitcode or 0) from None
    finally:
        receiver.close()
    process.join()
    if raised:
        raise value
    return value


def _work(
    environment: Mapping[str, str], sender: Connection, work: Callable[[Any], Any], unit: Any
) -> None:
    begin_worker(environment)
    try:
        answer = False, work(unit)
    except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
        answer = True, error
    sender.send(answer)
    sender.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # Without tidying up: a process that was refused memory can hang in that forever.
    os._exit(0)
