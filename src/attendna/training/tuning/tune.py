"""Search for settings in several processes; called again, it goes on where it was."""

import os
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from attendna.core.ending import heeding_sigterm
from attendna.core.errors import ResourceError, UserError
from attendna.core.terminal import PlainConsole
from attendna.core.workers import begin_worker, worker_context
from attendna.tasks.store import open_task
from attendna.training.run import default_threads
from attendna.training.tuning.folder import TuneFolder
from attendna.training.tuning.phase import KILLS
from attendna.training.tuning.progress import told
from attendna.training.tuning.result import TuneResult, collect
from attendna.training.tuning.search import Search
from attendna.training.tuning.storage import open_storage, optuna
from attendna.training.tuning.tuning import Keep, Plan, Tuning
from attendna.training.tuning.work import work

_PAUSE = 0.5
"""Seconds between two looks at the processes."""

_IMPORTED = [
    "attendna.training.fit",
    "attendna.training.tuning.work",
    "optuna.storages",
    "torch.utils.tensorboard",
]

_INTERRUPTED = 130
"""Exit code of a process that was told to stop."""

_GRACE = 60.0
"""Seconds a process that is told to stop has to save its state."""


def tune(
    search: Search,
    task: str | Path,
    out: str | Path,
    *,
    trials: int,
    workers: int = 1,
    storage: str | None = None,
    keep: Keep = "all",
    progress: bool = True,
) -> TuneResult:
    """Train so many trials, and tell which settings are best on the validation rows.

    The test rows are never opened. A search that was stopped or killed goes on with the same call,
    at the step where each of its trainings was; with more ``trials`` it goes on further. The same
    call on another machine that shares the folder helps.

    Parameters
    ----------
    out
        Folder of the search, new or begun; see :mod:`attendna.training.tuning.folder`.
    trials
        Trials in all, of which each is finished, pruned or failed in the end.
    workers
        Processes on this machine. One that is killed is replaced.
    storage
        URL of a database for the trials; none for a file of the folder.
    keep
        Whose weights stay.
    progress
        Show on standard error which trials are finished.

    Raises
    ------
    UserError
        No trial can be trained so, or the folder is not of this search.
    """
    optuna()
    plan = Plan(Path(out).absolute(), Path(task).absolute(), trials, keep)
    folder = TuneFolder(plan.out)
    if storage is not None:
        # Nothing is begun with a database that cannot be reached.
        open_storage(storage, folder.journal, folder.journal_lock)
    folder.begin(search, open_task(plan.task, ("train", "valid")), storage)
    tuning = Tuning.open(plan)
    console = PlainConsole(stderr=True, quiet=not progress)
    with told(tuning, console) as tell:
        if not tuning.done:
            _supervise(plan, workers, tell)
        tell()
    if not tuning.done:
        raise ResourceError(
            f"{folder.path} has trials that are under way elsewhere", "run again when they are done"
        )
    result = collect(tuning)
    result.write()
    return result


def _supervise(plan: Plan, workers: int, tell: Callable[[], None]) -> None:
    """Keep so many processes at work until they find nothing left to do."""
    context = worker_context(*_IMPORTED)
    threads = max(1, default_threads() // workers)
    complaints: Any = context.SimpleQueue()
    spare = KILLS * plan.trials

    def start() -> BaseProcess:
        process = context.Process(
            target=_work, args=(dict(os.environ), plan, threads, complaints), daemon=True
        )
        process.start()
        return process

    processes = [start() for _ in range(workers)]
    try:
        while any(process.is_alive() for process in processes):
            time.sleep(_PAUSE)
            tell()
            for place, process in enumerate(processes):
                code = process.exitcode or 0
                killed = code < 0 or code == _INTERRUPTED
                if code and not (killed and spare):
                    said = complaints.get() if not complaints.empty() else "see what it said"
                    raise ResourceError("a process of the search ended", said)
                # Whoever killed it, its trial is taken up again.
                if killed:
                    spare -= 1
                    processes[place] = start()
    finally:
        _stop(processes)


def _work(environment: Mapping[str, str], plan: Plan, threads: int, complaints: Any) -> None:
    """What a process does; what a person can mend is told to the process that started it."""
    begin_worker(environment)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    try:
        with heeding_sigterm():
            work(plan)
    except UserError as error:
        complaints.put(str(error))
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None


def _stop(processes: list[BaseProcess]) -> None:
    """Tell processes to save their state and end."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + _GRACE
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        process.kill()
