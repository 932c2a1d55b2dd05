"""The rows a model learns from and is chosen by; the test rows are out of reach here."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError
from attendna.evaluation.measures import main_metric, metrics_of
from attendna.evaluation.metrics import Sample
from attendna.models.checkpoint import InputContract
from attendna.prediction.sequences import refuse_short, refuse_unknown_bases
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Split, Task, open_task
from attendna.training.run import ObjectiveConfig, RunConfig
from attendna.training.share import take_share


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
        """
        task = open_task(folder, splits=("train", "valid"))
        return cls(task, task.read("train"), task.read("valid"), task.split_hash())

    def sharing(self, share: float, seed: int) -> "Examples":
        """The same with a share of the training rows, of each class alike."""
        if share == 1:
            return self
        of_classes = self.spec.label_kind in ("binary", "multiclass")
        classes = self.train.labels if of_classes else None
        rows = take_share(len(self.train), share, seed, classes)
        return replace(self, train=self.train.take(rows))

    @property
    def spec(self) -> TaskSpec:
        """The task's card."""
        return self.task.spec

    @property
    def counts(self) -> Int64[ndarray, " K"]:
        """Training rows of each class; zeros of tasks of tracks."""
        if self.spec.label_kind in ("multilabel", "regression"):
            return np.zeros(len(self.spec.classes), dtype=np.int64)
        return np.bincount(self.train.labels, minlength=len(self.spec.classes))

    @property
    def metric(self) -> str:
        """The metric the task is judged by."""
        return main_metric(self.spec.label_kind, self.spec.metric)

    def scale(self, objective: ObjectiveConfig) -> Literal["probability", "value"]:
        """What a model trained by a loss predicts."""
        return "value" if objective.loss in ("mse", "huber") else "probability"

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
        self._check_labels(config)
        self._check_monitor(config)
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

    def _check_labels(self, config: RunConfig) -> None:
        """Refuse labels that there is nothing to learn from, or a loss that is not for them."""
        kind, objective = self.spec.label_kind, config.objective
        numbers = kind == "regression"
        if (objective.loss in ("mse", "huber")) != numbers and objective.loss != "cross_entropy":
            fitting = "cross_entropy, mse or huber" if numbers else "cross_entropy or focal"
            raise ConfigError(
                f"objective.loss {objective.loss} is not for a {kind} task", f"use {fitting}"
            )
        if objective.alpha is not None and kind == "multiclass":
            raise ConfigError(
                "objective.alpha is for two classes", "use objective.class_weights: balanced"
            )
        if objective.class_weights == "balanced" and kind in ("multilabel", "regression"):
            raise ConfigError(
                f"objective.class_weights is for classes, and the task is of {kind} tracks",
                "use objective.loss: focal with alpha" if not numbers else "leave it out",
            )
        if self.spec.paired and not numbers:
            raise ConfigError(
                f"{self.task.folder} has classes of pairs, and a model learns numbers of pairs",
                "learn them from frozen representations: attendna transfer",
            )
        if numbers:
            self._check_numbers(objective)
        elif kind != "multilabel":
            self._check_classes()

    def _check_classes(self) -> None:
        for name, split in self._splits:
            counts = np.bincount(split.labels, minlength=len(self.spec.classes))
            if (counts == 0).any() and (name == "train" or (counts > 0).sum() < 2):
                absent = self.spec.classes[int(np.argmax(counts == 0))]
                raise DataError(
                    self.task.folder / f"{name}.parquet",
                    f"no row has the class {absent!r}",
                    "add rows of it, or split the data so that every split has all classes",
                )

    def _check_numbers(self, objective: ObjectiveConfig) -> None:
        for name, split in self._splits:
            known = split.labels[~np.isnan(split.labels)]
            path = self.task.folder / f"{name}.parquet"
            if not known.size:
                raise DataError(path, "no label is known", "give rows with values")
            low, high = float(known.min()), float(known.max())
            if objective.loss == "cross_entropy" and (low < 0 or high > 1):
                raise ConfigError(
                    f"{path}: the labels reach from {low:g} to {high:g} and are no shares, which "
                    "cross entropy is for",
                    "set objective.loss=huber or mse",
                )

    def _check_monitor(self, config: RunConfig) -> None:
        kind = self.spec.label_kind
        monitor = config.for_metric(self.metric).trainer.monitor
        if monitor == "loss":
            return
        metrics = metrics_of(kind)
        if monitor not in metrics:
            raise ConfigError(
                f"trainer.monitor {monitor} is no metric of a {kind} task",
                f"use loss, {', '.join(metrics)}",
            )
        if kind in ("multilabel", "regression"):
            return
        flat = np.full((len(self.valid), self.spec.outputs), 1 / len(self.spec.classes))
        value = metrics[monitor].value(Sample.of(self.valid.labels, flat))
        if np.isnan(value) and metrics[monitor].of_confusion is None:
            raise ConfigError(
                f"{monitor} is not defined on these validation rows: {metrics[monitor].undefined}",
                "set trainer.monitor=loss, or have all classes in every split",
            )

    @property
    def _splits(self) -> tuple[tuple[str, Split], ...]:
        return ("train", self.train), ("valid", self.valid)
