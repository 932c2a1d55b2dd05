"""Train and evaluate the runs of a study: what is finished is left as it is, what fails is kept.

Below the folder of a study: ``study.yaml``, ``tasks/NAME``, ``made/NAME``, the run folders
``runs/TASK/LABEL/.../SEED`` and, beside one that came to nothing, ``SEED.json`` with the reason.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attendna.core.config import read_yaml, to_yaml
from attendna.core.content import read_json
from attendna.core.errors import DivergedError, FolderError, UserError
from attendna.core.execution import Execution
from attendna.core.files import publish_file
from attendna.evaluation.evaluate import evaluate, read_metrics
from attendna.studies.placeholders import DATA
from attendna.studies.study import Row, Study
from attendna.tasks.audit.audit import AUDIT_FILE, Audit, audit, read_audit
from attendna.training.frozen import TRANSFER_FILE, TransferConfig, transfer
from attendna.training.run import RunConfig, RunFolder, differing_key
from attendna.training.train import train

STUDY_FILE = "study.yaml"

_IMPORTED = (__name__, "attendna.training.fit", "torch.utils.tensorboard")
"""What every run needs, part of it not before it is trained."""

_FREE = ("title", "about", "seeds", "metrics", "reference", "paper")
"""What may change between two calls: no run depends on it."""

Status = Literal["finished", "diverged", "failed", "not run"]
LOCAL = Execution()


@dataclass(frozen=True)
class StudyFolder:
    """Where the parts of a study are."""

    path: Path

    def task(self, name: str) -> Path:
        """A task that was made."""
        return self.path / "tasks" / name

    def made(self, name: str) -> Path:
        """A vocabulary or a pretrained model."""
        return self.path / "made" / name

    def audit(self, task: str) -> Path:
        """The folder of a task's audit."""
        return self.path / "audits" / task

    def run(self, row: Row, seed: int) -> Path:
        """A run folder."""
        return self.path / "runs" / row.path / str(seed)

    def begin(self, study: Study) -> None:
        """Write the study down, or see that it is the one that was begun here.

        Raises
        ------
        FolderError
            Another study is here.
        """
        file = self.path / STUDY_FILE
        tree = study.to_tree()
        if file.is_file():
            then = read_yaml(file)
            key = differing_key(
                *({k: v for k, v in one.items() if k not in _FREE} for one in (then, tree))
            )
            if key is not None:
                raise FolderError(
                    f"{self.path} was begun with another {key}", "choose another --out"
                )
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise FolderError(f"{self.path} is not of a study", "choose another --out")
        with publish_file(file) as partial:
            partial.write_text(to_yaml(tree), encoding="utf-8")


@dataclass(frozen=True)
class Unit:
    """One run to do."""

    title: str
    settings: RunConfig | TransferConfig
    task: Path
    out: Path


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    title: str
    status: Status
    reason: str = ""


def silent(_: object) -> None:
    """Say nothing."""


def execute(
    study: Study,
    out: str | Path,
    data: str | Path,
    *,
    execution: Execution = LOCAL,
    tasks: Mapping[str, Path] | None = None,
    only: Mapping[str, str] | None = None,
    say: Callable[[str], None] = silent,
    done: Callable[[Outcome], None] = silent,
) -> dict[str, Path]:
    """Do every run of a study that is not done, and give the folder of each task with a run.

    Parameters
    ----------
    data
        What ``$data`` stands for.
    tasks
        Task folders to take in place of those the study says.
    only
        Labels of axes, to do a part of the study.
    say, done
        Called with what is being prepared, and with the outcome of each run.

    Raises
    ------
    UserError
        Something is wrong with the study, its data or its folder. What is wrong with a single run
        is an outcome instead.
    """
    folder = StudyFolder(Path(out))
    rows = list(study.rows(only))
    _refuse_unknown(study, tasks or {})
    folder.begin(study)
    # What was done before counts, too: tables are of all there is.
    there = [row for row in study.rows() if any(folder.run(row, s).is_dir() for s in study.seeds)]
    paths = prepare(study, [*rows, *there], folder, str(data), given=tasks or {}, say=say)
    for name in dict.fromkeys(row.task for row in rows):
        audited(Path(paths[name]), folder.audit(name))
    transferred = [row for row in rows if study.tasks[row.task].transfer is not None]
    for part in ([row for row in rows if row not in transferred], transferred):
        units = [_unit(study, folder, paths, row, seed) for row in part for seed in study.seeds]
        for outcome in execution.map(do, units, _IMPORTED):
            done(outcome)
    return {name: Path(paths[name]) for name in study.tasks if name in paths}


def prepare(
    study: Study,
    rows: Sequence[Row],
    folder: StudyFolder,
    data: str,
    *,
    given: Mapping[str, Path],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Make the tasks of some rows, and what they start from, unless it is there."""
    paths = {DATA: data}
    for name in study.needed(rows):
        if name in study.made:
            say(f"made {name}")
            made = study.made[name].make(folder.made(name), paths)
        else:
            say(f"task {name}")
            source = (study.tasks | study.sources)[name]
            made = given.get(name) or source.make(folder.task(name), paths)
        paths[name] = str(made.absolute())
    return paths


def _unit(study: Study, folder: StudyFolder, paths: Mapping[str, str], row: Row, seed: int) -> Unit:
    followed = study.tasks[row.task].transfer
    settings = (
        study.settings(row, paths).replace(seed=seed)
        if followed is None
        else followed.settings(folder.run(row.on(followed.task), seed), seed)
    )
    return Unit(
        f"{row.task} {row.name} seed {seed}",
        settings,
        Path(paths[row.task]),
        folder.run(row, seed),
    )


def audited(task: Path, folder: Path) -> Audit:
    """The audit of a task; it is made once."""
    found = read_audit(folder)
    if found is None:
        found = audit(task)
        found.write(folder / AUDIT_FILE, force=True)
    return found


def _refuse_unknown(study: Study, tasks: Mapping[str, Path]) -> None:
    for name in tasks:
        if name not in study.tasks:
            known = ", ".join(study.tasks)
            raise FolderError(f"the study has no task {name!r}", f"its tasks: {known}")


def do(unit: Unit) -> Outcome:
    """Train a run and evaluate it on its test rows, unless that is done."""
    note = note_beside(unit.out)
    known = read_note(unit.out)
    if known is not None and known.status == "diverged":
        return known
    try:
        _train_and_evaluate(unit)
    except UserError as error:
        status = "diverged" if isinstance(error, DivergedError) else "failed"
        return _noted(note, Outcome(unit.title, status, str(error)))
    except Exception as error:  # noqa: BLE001 - one run must not stop the others; it is reported
        return _noted(note, Outcome(unit.title, "failed", f"{type(error).__name__}: {error}"))
    note.unlink(missing_ok=True)
    return Outcome(unit.title, "finished")


def _train_and_evaluate(unit: Unit) -> None:
    settings = unit.settings
    if isinstance(settings, TransferConfig):
        if not (unit.out / TRANSFER_FILE).is_file():
            transfer(settings, unit.task, unit.out, progress=False)
    elif not RunFolder(unit.out).finished:
        train(settings, unit.task, unit.out, resume=True, progress=False)
    if not any(row["split"] == "test" for row in read_metrics(unit.out)):
        evaluate(unit.out, unit.task, "test", device=_device(unit))


def _device(unit: Unit) -> str:
    return unit.settings.trainer.device if isinstance(unit.settings, RunConfig) else "auto"


def note_beside(run: Path) -> Path:
    """The file that says why a run came to nothing."""
    return run.with_name(f"{run.name}.json")


def read_note(run: Path) -> Outcome | None:
    """Why a run came to nothing; none where nothing is said."""
    try:
        return Outcome(**read_json(note_beside(run)))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _noted(note: Path, outcome: Outcome) -> Outcome:
    with publish_file(note) as partial:
        partial.write_text(json.dumps(vars(outcome)), encoding="utf-8")
    return outcome
