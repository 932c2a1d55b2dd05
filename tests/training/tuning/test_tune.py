"""Searches in processes that are killed."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.disks import small_disk

from attendna.core.errors import ResourceError
from attendna.tasks.store import Task
from attendna.training.tuning.search import Search
from attendna.training.tuning.tune import tune
from attendna.training.tuning.tuning import Plan, Tuning

TRIALS = 40
WORKERS = 4


def claimants(folder: Path) -> dict[int, str]:
    """The processes that hold the claim of a trial, and of which."""
    found: dict[int, str] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            for file in process.open_files():
                if file.path.startswith(str(folder / "claims" / "search-")):
                    found[process.pid] = Path(file.path).name
        except psutil.Error:
            continue
    return found


class Killer(threading.Thread):
    """Kills a process that is training a trial, now and then."""

    def __init__(self, folder: Path, kills: int) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.kills = kills
        self.victims: list[str] = []

    def run(self) -> None:
        ended = 0
        while len(self.victims) < self.kills:
            time.sleep(0.2)
            trials = list((self.folder / "search").glob("*/run.yaml"))
            if len(trials) < ended + 3:
                continue
            for number, name in claimants(self.folder).items():
                psutil.Process(number).kill()
                self.victims.append(name)
                ended = len(trials)
                break


@pytest.mark.slow
def test_no_trial_is_lost_or_counted_twice(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    tree["pruner"] = {"name": "median", "startup": 5, "warmup": 0}
    killer = Killer(tmp_path / "out", kills=3)
    killer.start()
    search = Search.model_validate(tree)
    result = tune(
        search, task.folder, tmp_path / "out", trials=TRIALS, workers=WORKERS, progress=False
    )
    killer.join(timeout=1)
    assert len(killer.victims) == 3
    assert result.trials["number"].to_list() == list(range(TRIALS))
    assert set(result.trials["state"]) <= {"complete", "pruned"}
    attempts = [t.user_attrs["killed"] for t in result.tuning.phases[0].trials()]
    # The trial of one that was killed when it had told its end is not begun again.
    assert TRIALS < sum(attempts) <= TRIALS + len(killer.victims)
    # The values are those that nobody disturbed would have drawn.
    values = result.trials["optimizer.learning_rate"].to_list()
    assert len(set(values)) == TRIALS
    again = tune(search, task.folder, tmp_path / "out", trials=TRIALS, progress=False)
    assert again.trials.equals(result.trials)


@pytest.mark.slow
def test_a_search_goes_on_after_everything_was_killed(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    tree["base"]["trainer"] |= {"epochs": 40, "validations": 40}
    file, out = tmp_path / "search.yaml", tmp_path / "out"
    file.write_text(json.dumps(tree), encoding="utf-8")
    words = ["tune", file, "--task", task.folder, "--out", out, "--trials", "3", "--workers", "2"]
    with subprocess.Popen([sys.executable, "-m", "attendna", *map(str, words)]) as process:
        workers = wait_for_two(process, out)
        process.kill()
    # The processes that it started end with it, and leave their trials begun.
    assert ended(workers)
    taken = Tuning.open(Plan(out, task.folder, 3)).take()
    assert taken is not None
    assert taken.trial.number < 2
    assert taken.claim is not None
    taken.claim.release()
    result = tune(Search.model_validate(tree), task.folder, out, trials=3, progress=False)
    assert result.trials["state"].to_list() == ["complete"] * 3
    assert result.trials["validations"].to_list() == [40] * 3
    assert result.best is not None
    assert result.best["value"] == result.trials["value"].max()


@pytest.mark.slow
def test_a_search_that_is_told_to_end_ends_with_its_processes(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    tree["base"]["trainer"] |= {"epochs": 400, "validations": 400}
    file, out = tmp_path / "search.yaml", tmp_path / "out"
    file.write_text(json.dumps(tree), encoding="utf-8")
    words = ["tune", file, "--task", task.folder, "--out", out, "--trials", "3", "--workers", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "attendna", *map(str, words)], stderr=subprocess.PIPE, text=True
    ) as process:
        workers = wait_for_two(process, out)
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 143
    assert said.splitlines() == ["terminated"]
    assert ended(workers)
    # Each saved its state before, and was not killed.
    attempts = [
        t.user_attrs["killed"] for t in Tuning.open(Plan(out, task.folder, 3)).phases[0].trials()
    ]
    assert attempts == [0, 0]


def wait_for_two(process: "subprocess.Popen[Any]", out: Path) -> list[psutil.Process]:
    """All processes of a search, when two of them have trained a while."""
    while len(list((out / "search").glob("*/log.csv"))) < 2:
        time.sleep(0.05)
        assert process.poll() is None
    return psutil.Process(process.pid).children(recursive=True)


def ended(processes: list[psutil.Process]) -> bool:
    """Whether processes end soon; where nobody waits for them they stay as zombies."""
    _, alive = psutil.wait_procs(processes, timeout=20)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def test_what_another_process_trains_is_waited_for(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    search, out = Search.model_validate(tree), tmp_path / "out"
    tune(search, task.folder, out, trials=1, progress=False)
    taken = Tuning.open(Plan(out, task.folder, 2)).take()
    assert taken is not None
    assert taken.claim is not None
    threading.Timer(8, taken.claim.release).start()
    result = tune(search, task.folder, out, trials=2, progress=False)
    assert result.trials["state"].to_list() == ["complete", "complete"]


def test_a_full_disk_ends_the_search_and_costs_no_trial(
    tree: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    search = Search.model_validate(tree)
    with small_disk(tmp_path / "disk", "1m") as disk:
        out = disk / "out"
        tune(search, task.folder, out, trials=1, progress=False)
        filler = disk / "filler"
        filler.write_bytes(bytes(psutil.disk_usage(str(disk)).free - (1 << 15)))
        with pytest.raises(ResourceError, match="the disk is full while writing"):
            tune(search, task.folder, out, trials=2, progress=False)
        filler.unlink()
        result = tune(search, task.folder, out, trials=2, progress=False)
        assert result.trials["state"].to_list() == ["complete", "complete"]
