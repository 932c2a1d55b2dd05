"""The rows a model learns from and is chosen by; the test rows are out of reach here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError
from attendna.evaluation.metrics import METRICS, Sample
from attendna.models.checkpoint import InputContract
from attendna.prediction.sequences import refuse_short, refuse_unknown_bases
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Split, Task, open_task
from attendna.training.run import RunConfig


@dataclass(frozen=True, eq=False)
class Examples:
    """Training and validation rows of a task."""

    task: Task
    train: Split
    valid: Split
    split_hash: str

    @classmethod
    def read(cls, folder: str | Path) -> "Examples":
        """Read a task folder; its test split is neither opened nor needed.

        Raises
        ------
        FolderError
            Not a task folder, or it has no training or no validation rows.
        DataError
            A file of it is damaged.
        ConfigError
            Its rows have no class each.
        """
        task = open_task(folder, splits=("train", "valid"))
        _ = task.spec.class_kind
        return cls(task, task.read("train"), task.read("valid"), task.split_hash())

    @property
    def spec(self) -> TaskSpec:
        """The task's card."""
        return self.task.spec

    @property
    def counts(self) -> Int64[ndarray, " K"]:
        """Training rows of each class."""
        return np.bincount(self.train.labels, minlength=len(self.spec.classes))

    def contract(self, config: RunConfig) -> InputContract:
        """What a model learns to read here."""
        lengths = self.train.sequences.lengths
        return InputContract(
            letters=config.letters,
            window=self.spec.window,
            shortest=int(lengths.min()),
            longest=int(lengths.max()),
            build=self.spec.build,
            task=self.spec.name,
            split_hash=self.split_hash,
        )

    def check(self, config: RunConfig) -> None:
        """Find out before anything is written that a model cannot be trained so.

        Raises
        ------
        DataError
            A sequence is too short for the tokens, has an unknown base where ``letters`` refuses
            them, or a class has no row.
        ConfigError
            The settings do not fit the task.
        """
        self._check_classes(config)
        needed = config.tokenizer.build().minimum_length
        for name, split in (("train", self.train), ("valid", self.valid)):
            path = self.task.folder / f"{name}.parquet"
            refuse_short(split.sequences, split.ids, needed, path)
            if config.letters == "error":
                refuse_unknown_bases(split.sequences, split.ids, path)
        shortest = int(self.train.sequences.lengths.min())
        if config.augmentation.shift >= shortest:
            raise ConfigError(
                f"augmentation.shift {config.augmentation.shift} would move a sequence of "
                f"{shortest} bases out of its window",
                "make it smaller",
            )

    def _check_classes(self, config: RunConfig) -> None:
        for name, split in (("train", self.train), ("valid", self.valid)):
            counts = np.bincount(split.labels, minlength=len(self.spec.classes))
            if (counts == 0).any() and (name == "train" or (counts > 0).sum() < 2):
                absent = self.spec.classes[int(np.argmax(counts == 0))]
                raise DataError(
                    self.task.folder / f"{name}.parquet",
                    f"no row has the class {absent!r}",
                    "add rows of it, or split the data so that every split has all classes",
                )
        if config.objective.alpha is not None and self.spec.label_kind != "binary":
            raise ConfigError(
                "objective.alpha is for two classes", "use objective.class_weights: balanced"
            )
        monitor = config.trainer.monitor
        if monitor != "loss":
            flat = np.full((len(self.valid), self.spec.outputs), 1 / len(self.spec.classes))
            value = METRICS[monitor].value(Sample.of(self.valid.labels, flat))
            if np.isnan(value) and METRICS[monitor].of_confusion is None:
                raise ConfigError(
                    f"{monitor} is not defined on these validation rows: "
                    f"{METRICS[monitor].undefined}",
                    "set trainer.monitor=loss, or have all classes in every split",
                )
