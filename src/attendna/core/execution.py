"""Map a function over units of work: in this process, a pool of processes, or a Ray cluster.

Results come in the order of the units, and only a few units a worker are under way at a time, so
that neither units nor results pile up in memory.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Literal, TypeVar

from pydantic import Field

from attendna.core.config import Config
from attendna.core.errors import MissingExtraError, ResourceError
from attendna.core.workers import begin_worker, worker_context

Unit = TypeVar("Unit")
Result = TypeVar("Result")

_WAITING = 2
"""Units a worker that are handed out at a time: one at work, one ready."""


class Execution(Config):
    """Where units of work are done."""

    workers: int = Field(default=1, ge=1)
    """Processes, on this machine or in the cluster."""
    engine: Literal["local", "ray"] = "local"

    def map(
        self, work: Callable[[Unit], Result], units: Iterable[Unit], imported: Sequence[str] = ()
    ) -> Iterator[Result]:
        """Results of ``work`` for each unit, in order.

        ``work`` is anything that can be called and pickled: a function of a module, a partial of
        one, or an object whose class is of a module. Modules that are named as ``imported`` are
        imported once for all local workers.

        Raises
        ------
        MissingExtraError
            The engine is Ray and it is not installed.
        ResourceError
            A worker was killed, as by want of memory.
        """
        if self.engine == "ray":
            return _over_ray(work, units, self.workers)
        if self.workers == 1:
            return map(work, units)
        return _over_processes(work, units, self.workers, imported)


def _over_processes(
    work: Callable[[Unit], Result], units: Iterable[Unit], workers: int, imported: Sequence[str]
) -> Iterator[Result]:
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers,
        mp_context=worker_context(*imported),
        initializer=begin_worker,
        initargs=(dict(os.environ),),
    )
    try:
        yield from _in_order(
            lambda unit: pool.submit(work, unit), lambda f: f.result(), units, workers
        )
    except BrokenProcessPool as error:
        raise ResourceError("a worker process was killed", "use fewer --workers") from error
    except KeyboardInterrupt:
        # Units may last for hours, and SIGTERM reaches this process alone.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _over_ray(
    work: Callable[[Unit], Result], units: Iterable[Unit], workers: int
) -> Iterator[Result]:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "cluster", "--engine ray") from None
    started = not ray.is_initialized()
    # Ray answers SIGTERM by leaving at once, for good; a training after it would lose its state.
    answer = signal.getsignal(signal.SIGTERM)
    if started:
        # The address of a cluster is read from RAY_ADDRESS; without one it is this machine.
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    # Ray takes functions, but no objects that can be called, which are handed over like data.
    task: Any = ray.remote(max_retries=0)(_done)
    held = ray.put(work)
    try:
        yield from _in_order(
            lambda unit: task.remote(held, unit),
            lambda reference: _fetched(ray, reference),
            units,
            workers,
        )
    finally:
        if started:
            ray.shutdown()
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, answer)


def _done(work: Callable[[Unit], Result], unit: Unit) -> Result:
    return work(unit)


def _fetched(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        # What the work itself raised.
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise ResourceError("a Ray worker was lost", "look at the cluster and run again") from error


def _in_order(
    start: Callable[[Unit], Any], wait: Callable[[Any], Any], units: Iterable[Unit], workers: int
) -> Iterator[Any]:
    """Hand units out and wait for the oldest, before handing out the next."""
    left = iter(units)
    running = deque(map(start, islice(left, workers * _WAITING)))
    while running:
        yield wait(running.popleft())
        running.extend(map(start, islice(left, 1)))
