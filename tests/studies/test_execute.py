import signal
import time
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from tests.nursery import Nursery
from tests.studied import Done

from attendna.core.config import to_yaml
from attendna.core.errors import ConfigError, FolderError, UserError
from attendna.core.execution import Execution
from attendna.models.header import read_header
from attendna.studies import execute as executing
from attendna.studies.execute import Outcome, StudyFolder, execute
from attendna.studies.results import results, runs_of
from attendna.studies.study import Study
from attendna.tasks.store import Task
from attendna.training.run import RunFolder


def times(out: Path) -> dict[Path, int]:
    """When each finished run was finished."""
    finished = out.glob("runs/*/*/*/model.safetensors")
    return {path: path.stat().st_mtime_ns for path in finished}


def test_runs_are_run_folders_and_what_diverges_says_so(studied: Done) -> None:
    finished = [outcome for outcome in studied.said if outcome.status == "finished"]
    assert [outcome.title for outcome in finished][:2] == [
        "Planted narrow seed 3",
        "Planted narrow seed 5",
    ]
    assert len(finished) == 4
    lost = studied.said[4:]
    assert {outcome.status for outcome in lost} == {"diverged"}
    assert all("learning rate" in outcome.reason for outcome in lost)
    run = RunFolder(studied.out / "runs" / "Planted" / "wide" / "5")
    assert run.finished
    assert "seed: 5" in run.config.read_text()


def test_nothing_is_done_twice(studied: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    before = times(studied.out)
    trained: list[Any] = []
    monkeypatch.setattr(executing, "train", lambda *a, **k: trained.append(a))
    monkeypatch.setattr(executing, "evaluate", lambda *a, **k: trained.append(a))
    again: list[Outcome] = []
    execute(studied.result.study, studied.out, studied.task.folder, done=again.append)
    assert trained == []
    assert times(studied.out) == before
    assert [one.status for one in again] == [one.status for one in studied.said]


@pytest.mark.slow
def test_a_killed_study_goes_on_where_it_was(
    studied: Done,
    study_tree: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nursery: Nursery,
) -> None:
    study_tree["axes"]["width"], study_tree["seeds"] = study_tree["axes"]["width"][:2], [0, 1, 2]
    path, out = tmp_path / "study.yaml", tmp_path / "out"
    path.write_text(to_yaml(study_tree))
    words = ["study", "run", str(path), "--out", str(out), "--data", str(studied.task.folder)]
    process = psutil.Process(nursery.start(*words))
    until = time.monotonic() + 120
    while not times(out) and time.monotonic() < until:
        assert process.status() != psutil.STATUS_ZOMBIE, nursery.errors.read_text()
        time.sleep(0.01)
    process.kill()
    assert nursery.wait()[0] == -signal.SIGKILL
    before = times(out)
    assert 1 <= len(before) < 6
    trained: list[Path] = []
    real = executing.train

    def counted(*given: Any, **options: Any) -> Path:
        trained.append(given[2])
        return real(*given, **options)

    monkeypatch.setattr(executing, "train", counted)
    outcomes: list[Outcome] = []
    execute(Study.model_validate(study_tree), out, studied.task.folder, done=outcomes.append)
    assert [outcome.status for outcome in outcomes] == ["finished"] * 6
    assert sorted(trained) == sorted(p.parent for p in times(out).keys() - before.keys())
    assert before.items() <= times(out).items()


@pytest.mark.slow
def test_processes_make_the_same_weights(studied: Done, tmp_path: Path) -> None:
    execute(
        studied.result.study,
        tmp_path / "out",
        studied.task.folder,
        execution=Execution(workers=2),
        only={"width": "narrow"},
    )
    part = Path("runs/Planted/narrow/3/model.safetensors")
    assert (tmp_path / "out" / part).read_bytes() == (studied.out / part).read_bytes()


def test_a_run_that_fails_is_tried_again(
    studied: Done, study_tree: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, outcomes = Study.model_validate(study_tree | {"seeds": [0]}), []
    real = executing.train
    monkeypatch.setattr(executing, "train", lambda *a, **k: 1 / 0)
    only = {"width": "narrow"}
    execute(study, tmp_path / "o", studied.task.folder, only=only, done=outcomes.append)
    monkeypatch.setattr(executing, "train", real)
    execute(study, tmp_path / "o", studied.task.folder, only=only, done=outcomes.append)
    assert [outcome.status for outcome in outcomes] == ["failed", "finished"]
    assert outcomes[0].reason == "ZeroDivisionError: division by zero"


def test_only_what_is_needed_is_made(
    studied: Done, study_tree: dict[str, Any], tmp_path: Path
) -> None:
    study_tree["made"] = {"words": {"name": "bpe", "genomes": ["$data/gone.fa"]}}
    level = {"label": "bpe", "set": {"tokenizer": {"name": "bpe", "file": "$words"}}}
    study_tree["axes"]["width"].append(level)
    study = Study.model_validate(study_tree | {"seeds": [0]})
    data, outcomes = studied.task.folder, []
    execute(study, tmp_path / "o", data, only={"width": "wide"}, done=outcomes.append)
    assert [outcome.status for outcome in outcomes] == ["finished"]
    with pytest.raises(UserError, match=r"gone\.fa"):
        execute(study, tmp_path / "o", data, only={"width": "bpe"})


def test_what_cannot_be_is_refused_before_anything_runs(
    studied: Done, study_tree: dict[str, Any], tmp_path: Path
) -> None:
    study, data = Study.model_validate(study_tree), studied.task.folder
    with pytest.raises(ConfigError, match="no axis"):
        execute(study, tmp_path / "out", data, only={"x": "y"})
    with pytest.raises(FolderError, match="no task 'Y'; its tasks: Planted"):
        execute(study, tmp_path / "out", data, tasks={"Y": data})
    assert not (tmp_path / "out").exists()
    study_tree["base"]["model"]["blocks"] = 2
    with pytest.raises(FolderError, match=r"begun with another base\.model\.blocks"):
        execute(Study.model_validate(study_tree), studied.out, data)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(FolderError, match="not of a study"):
        StudyFolder(tmp_path / "mine").begin(study)


def test_a_task_is_learned_from_the_runs_on_another(
    study_tree: dict[str, Any], planted: Task, tmp_path: Path
) -> None:
    study_tree["tasks"]["After"] = {
        "folder": "$data",
        "transfer": {"task": "Planted", "learner": "logistic"},
    }
    study = Study.model_validate(study_tree | {"seeds": [4]})
    chosen, out, outcomes = {"task": "After", "width": "wide"}, tmp_path / "o", []
    for _ in range(2):
        execute(study, out, planted.folder, only=chosen, done=outcomes.append)
    assert [one.title for one in outcomes[:2]] == ["Planted wide seed 4", "After wide seed 4"]
    assert {one.status for one in outcomes} == {"finished"}
    after = out / "runs" / "After" / "wide" / "4"
    first = out / "runs" / "Planted" / "wide" / "4" / "model.safetensors"
    assert (after / "backbone" / "model.safetensors").read_bytes() == first.read_bytes()
    lines = results(study, list(runs_of(study, StudyFolder(out)))).filter(pl.col("value") > 0)
    (kept,) = lines.filter(task="After", metric="auroc").iter_rows(named=True)
    assert kept["seconds"] is None
    assert kept["parameters"] == read_header(first)["parameters"]
    execute(study, out, planted.folder, only={"width": "wild"}, done=outcomes.append)
    assert [one.status for one in outcomes[4:]] == ["diverged", "failed"]
    assert "Planted/wild/4" in outcomes[-1].reason
