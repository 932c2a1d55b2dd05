"""Where worker processes come from: forks of one that has made the imports and computed nothing."""

import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext

from attendna.core.ending import follow_parent


def worker_context(*imported: str) -> ForkServerContext:
    """The context of multiprocessing in which workers are started.

    Imports take seconds, and threads, as Polars and OpenMP have them, do not survive a fork. One
    server therefore imports the named modules, which start no threads that work, and each worker
    is a fork of it. A process has one server, with what was named first; workers import the rest.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*imported])
    return context


def begin_worker(environment: Mapping[str, str]) -> None:
    """What a worker does first: take the environment of who started it, and end when that ends."""
    # The server's is that of the time when it was started.
    os.environ.clear()
    os.environ.update(environment)
    follow_parent()
