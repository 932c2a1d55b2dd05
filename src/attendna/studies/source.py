"""Where a task of a study comes from, and how its folder is made."""

import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from attendna.core.config import Config, parse
from attendna.core.execution import Execution
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.learner import AnyLearnerConfig
from attendna.prediction.representations import Reading
from attendna.studies.placeholders import fill
from attendna.tasks.builders.builder import BUILDERS
from attendna.tasks.crop import CropRule, crop
from attendna.tasks.get import get_task
from attendna.tasks.ingest import ImportOptions, import_tables
from attendna.tasks.resplit import resplit
from attendna.tasks.spec import SplitName
from attendna.tasks.split_rule import SplitRule
from attendna.training.frozen import TransferConfig


class Tables(Config):
    """Tables of labeled sequences, as ``data import`` reads them."""

    files: dict[SplitName, str] = Field(min_length=1)
    options: ImportOptions = ImportOptions()


class Following(Config):
    """Learned by a classic learner from the vectors of the same row's run on another task."""

    task: str
    learner: AnyLearnerConfig = RandomForestConfig()
    reading: Reading = Reading()
    trials: int = Field(default=1, ge=1)

    def settings(self, run: Path, seed: int) -> TransferConfig:
        """The settings of ``attendna transfer`` from that run."""
        shared = self.to_tree()
        del shared["task"]
        return parse(TransferConfig, shared | {"run": str(run), "seed": seed}, "transfer")


class TaskSource(Config):
    """A task: exactly one of the first four; then, if asked for, new splits; then a crop."""

    folder: str | None = None
    """A task folder that is there."""
    get: str | None = None
    """A set of the catalogue, by its name, out of the data."""
    tables: Tables | None = None
    build: dict[str, Any] | None = None
    """Settings of a builder; its ``name`` says which."""
    split: SplitRule | None = None
    crop: CropRule | None = None
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Settings of the runs on this task: dotted keys and their values."""
    transfer: Following | None = None
    """Instead of a training."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [n for n in ("folder", "get", "tables", "build") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of folder, get, tables, build, not {given or 'none'}")
        if self.transfer is not None and self.set:
            raise ValueError("set is for trainings, and this task has transfer instead")
        if self.build is not None and self.build.get("name") not in BUILDERS:
            raise ValueError(f"build.name is one of {', '.join(BUILDERS)}")
        return self

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """The task folder; it is made at ``out`` unless it is there as it is.

        Parameters
        ----------
        paths
            What the names in the texts stand for.

        Raises
        ------
        UserError
            A file is missing or bad.
        """
        if out.is_dir():
            return out
        changes = [change for change in (self.split, self.crop) if change is not None]
        if self.folder is not None and not changes:
            return Path(fill(self.folder, paths))
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making.", dir=out.parent) as folder:
            # A task is called as its folder is, in whichever step it was made.
            spare = (Path(folder) / str(number) / out.name for number in count())
            made = self._begin(next(spare) if changes else out, paths)
            for change in changes[:-1]:
                made = _change(made, next(spare), change)
            return _change(made, out, changes[-1]) if changes else made

    def _begin(self, out: Path, paths: Mapping[str, str]) -> Path:
        """The task before it is split and cropped."""
        if self.folder is not None:
            return Path(fill(self.folder, paths))
        if self.get is not None:
            return get_task(self.get, out, mirror=paths["data"]).task.folder
        if self.tables is not None:
            files: dict[SplitName, str | Path] = fill(self.tables.files, paths)
            return import_tables(out, files, self.tables.options).task.folder
        tree = fill(self.build or {}, paths)
        config = parse(BUILDERS[tree["name"]], tree, "build")
        return config.build(out, Execution()).task.folder


def _change(folder: Path, out: Path, change: SplitRule | CropRule) -> Path:
    if isinstance(change, SplitRule):
        return resplit(folder, out, change).task.folder
    return crop(folder, out, change).folder
