"""Work over units: the same results in the same order wherever it is done."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from attendna.core.ending import TERMINATED, heeding_sigterm
from attendna.core.errors import DataError, MissingExtraError, ResourceError
from attendna.core.execution import Execution


def square(number: int) -> int:
    return number * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise DataError("some.bed", "this row is bad", "mend it", row=3)
    return number


def die(number: int) -> int:
    os._exit(number)


def stay(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(120)


def map_stay(folder: str) -> None:
    list(Execution(workers=2).map(stay, [folder, folder]))


def map_stay_until_told(folder: str) -> None:
    try:
        with heeding_sigterm():
            map_stay(folder)
    except KeyboardInterrupt:
        sys.exit(TERMINATED)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_units(workers: int) -> None:
    assert list(Execution(workers=workers).map(square, range(9))) == [n * n for n in range(9)]


def test_few_units_are_taken_before_results_are_wanted() -> None:
    taken = []

    def units():
        for number in range(100):
            taken.append(number)
            yield number

    results = Execution(workers=2).map(square, units())
    assert next(results) == 0
    assert len(taken) <= 5
    results.close()


def test_an_error_of_a_worker_reaches_the_user_as_it_was() -> None:
    with pytest.raises(DataError, match=r"some\.bed, row 3: this row is bad; mend it") as caught:
        list(Execution(workers=2).map(refuse_three, range(6)))
    assert caught.value.row == 3


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(ResourceError, match="a worker process was killed"):
        list(Execution(workers=2).map(die, [7]))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    parent = multiprocessing.get_context("spawn").Process(target=map_stay, args=(str(tmp_path),))
    parent.start()
    while len(pids := [int(file.name) for file in tmp_path.iterdir()]) < 2:
        assert parent.is_alive()
        time.sleep(0.05)
    workers = [psutil.Process(pid) for pid in pids]
    parent.kill()
    parent.join()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive)


def test_workers_end_when_their_parent_is_told_to_end(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    parent = spawn.Process(target=map_stay_until_told, args=(str(tmp_path),))
    parent.start()
    while len(pids := [int(file.name) for file in tmp_path.iterdir()]) < 2:
        assert parent.is_alive()
        time.sleep(0.05)
    workers = [psutil.Process(pid) for pid in pids]
    parent.terminate()
    parent.join(timeout=20)
    assert parent.exitcode == TERMINATED
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive)


def test_ray_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"needs the package ray.*attendna\[cluster\]"):
        list(Execution(engine="ray").map(square, [1]))


def test_ray_gives_the_same_results_and_the_same_errors() -> None:
    pytest.importorskip("ray")
    on_ray = Execution(engine="ray", workers=2)
    answer = signal.getsignal(signal.SIGTERM)
    assert list(on_ray.map(square, range(5))) == [0, 1, 4, 9, 16]
    with pytest.raises(DataError, match="this row is bad"):
        list(on_ray.map(refuse_three, range(6)))
    # Ray leaves at once when told to stop; who used it must not.
    assert signal.getsignal(signal.SIGTERM) is answer
