"""What a run folder holds, read without torch: settings, model header, log, metrics, predictions.

A part that is not there yet is None, and the page says so in its place; a part that is there but
damaged is an error of one line.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from attendna.core.config import Tree, read_yaml
from attendna.core.content import parse_json, read_json
from attendna.core.delimited import read_numbers
from attendna.core.errors import ConfigError, FolderError
from attendna.core.parquet import read_parquet
from attendna.evaluation.metrics import Sample
from attendna.models.header import FILE, parse_header, refuse_other_version
from attendna.tasks.spec import SPLITS, SplitName
from attendna.tasks.store import Task

LOGGED = ("epoch", "step", "train_loss", "learning_rate", "seconds")
"""Columns of every log."""

RUN_FILE, TRANSFER_FILE = "run.yaml", "transfer.yaml"
CLASS_KINDS = ("binary", "multiclass")

_LONGEST_HEADER = 100_000_000
"""Bytes; what the safetensors format allows."""


@dataclass(frozen=True, eq=False)
class Header:
    """What ``model.safetensors`` says of itself, without its weights."""

    checkpoint: Tree
    parameters: int
    """Trainable numbers."""
    numbers: int
    """Numbers stored: the parameters and the constants of the model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, …"""
        return tuple(map(str, self.checkpoint["classes"]))

    @property
    def binary(self) -> bool:
        """Whether the model predicts one number."""
        return self.checkpoint["label_kind"] == "binary"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The predictions of one split beside the truth."""

    ids: tuple[str, ...]
    sample: Sample


@dataclass(frozen=True)
class Run:
    """A run folder."""

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            raise FolderError(f"{self.path}: no such run folder", "make one with `attendna train`")
        if not (self.path / self.file).is_file():
            raise FolderError(
                f"{self.path} is not a run folder: it has no {RUN_FILE}",
                "name a folder that `attendna train` made",
            )

    @property
    def file(self) -> str:
        """The file that holds the settings."""
        return TRANSFER_FILE if (self.path / TRANSFER_FILE).is_file() else RUN_FILE

    @cached_property
    def config(self) -> Tree:
        """The settings."""
        return read_yaml(self.path / self.file)

    @cached_property
    def header(self) -> Header | None:
        """The head of the weights; none while the training has not ended."""
        path = self.path / FILE
        return _read_header(path) if path.is_file() else None

    def refuse_other_task(self, task: Task) -> None:
        """Refuse a task that is not the one of the run: its audit and rows would stand beside it.

        Raises
        ------
        ConfigError
            It has other classes, or other training and validation rows.
        """
        environment = self.environment or {}
        if self.header is not None and self.header.classes != tuple(task.spec.classes):
            raise ConfigError(
                f"{task.folder} has the classes {', '.join(task.spec.classes)}, {self.path} "
                f"predicts {', '.join(self.header.classes)}",
                "give the task it was trained on",
            )
        digest = environment.get("split_hash")
        if digest is not None and digest != task.split_hash():
            raise ConfigError(
                f"{task.folder} has other training and validation rows than {self.path} was "
                f"trained on (task {environment.get('task')})",
                "give the folder it was trained on",
            )

    @property
    def of_language(self) -> bool:
        """Whether it is a language model."""
        return "tell" in self.config

    @property
    def of_classes(self) -> bool:
        """Whether it is a training on classes, as far as can be seen."""
        if self.file == TRANSFER_FILE:
            return False
        return self.header is None or self.header.checkpoint.get("label_kind") in CLASS_KINDS

    @property
    def of_tracks(self) -> bool:
        """Whether it is a run of tracks, finished or not: those have no tokenizer."""
        return "model" in self.config and "tokenizer" not in self.config

    @cached_property
    def environment(self) -> Tree | None:
        """``environment.json``."""
        return self._json("environment.json")

    @cached_property
    def search(self) -> Tree | None:
        """``search.json``: what each declared variant scored in its probe."""
        return self._json("search.json")

    @cached_property
    def log(self) -> pl.DataFrame | None:
        """``log.csv``: a row a validation; none before the first."""
        path = self.path / "log.csv"
        if not path.is_file():
            return None
        log = read_numbers(path, LOGGED)
        return log if log.height else None

    @cached_property
    def metrics(self) -> pl.DataFrame | None:
        """``metrics.json``: tidy rows."""
        rows = self._json("metrics.json")
        if not rows:
            return None
        try:
            return pl.DataFrame(rows, infer_schema_length=None).with_columns(
                pl.col("value", "low", "high", "prevalence", "threshold").cast(pl.Float64)
            )
        except (PolarsError, TypeError, ValueError) as error:
            raise self._damaged("metrics.json") from error

    @cached_property
    def predictions(self) -> pl.DataFrame | None:
        """``predictions.parquet``: a row a sequence of every split that was evaluated."""
        path = self.path / "predictions.parquet"
        if not path.is_file():
            return None
        return read_parquet(path, "delete it and evaluate again")

    def environment_facts(self) -> Iterator[tuple[str, str]]:
        """Name and value of what the run was made with."""
        environment = self.environment or {}
        cores = environment.get("cores")
        titles = {
            "command": "Command",
            "device": "Device",
            "device_name": "Processor",
            "precision": "Precision",
            "threads": "Threads",
            "system": "System",
            "python": "Python",
            "attendna": "attendna",
            "commit": "Commit",
        }
        for key, title in titles.items():
            if environment.get(key):
                of = f" of {cores} cores" if key == "threads" and cores else ""
                yield title, f"{environment[key]}{of}"
        packages: Mapping[str, str] = environment.get("packages", {})
        if packages:
            yield "Packages", ", ".join(f"{name} {number}" for name, number in packages.items())

    def evaluated(self, task: str) -> dict[SplitName, Evaluated]:
        """The predictions of each evaluated split of a task, in the order of splits."""
        header, frame = self.header, self.predictions
        if header is None or frame is None:
            return {}
        names = header.classes[1:] if header.binary else header.classes
        threshold = float(header.checkpoint["threshold"])
        try:
            of_task = frame.filter(task=task)
            return {
                split: _evaluated(of_task.filter(split=split), names, threshold)
                for split in SPLITS
                if split in of_task["split"]
            }
        except PolarsError as error:
            raise self._damaged("predictions.parquet") from error

    def _json(self, name: str) -> Any:
        path = self.path / name
        if not path.is_file():
            return None
        try:
            return read_json(path)
        except (OSError, ValueError) as error:
            raise self._damaged(name) from error

    def _damaged(self, name: str) -> FolderError:
        return FolderError(f"{self.path / name} is damaged", "evaluate again, or train again")


def _evaluated(rows: pl.DataFrame, names: tuple[str, ...], threshold: float) -> Evaluated:
    sample = Sample.of(
        rows["label"].to_numpy(), rows.select(names).to_numpy().astype(np.float64), threshold
    )
    return Evaluated(tuple(rows["id"].to_list()), sample)


def _read_header(path: Path) -> Header:
    """The JSON at the start of a safetensors file: its length in eight bytes, then the text."""
    damaged = FolderError(f"{path} is damaged or not a model of attendna", "train it again")
    with path.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:
            raise damaged
        (length,) = struct.unpack("<Q", start)
        text = stream.read(length) if length <= _LONGEST_HEADER else b""
    try:
        tree = parse_json(text)
        said = tree.pop("__metadata__")
        checkpoint = parse_header(said)
        parameters = int(checkpoint.pop("parameters"))
        checkpoint.pop("sha256", None)
        numbers = sum(math.prod(tensor["shape"]) for tensor in tree.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged from error
    refuse_other_version(path, checkpoint)
    return Header(checkpoint, parameters, numbers)
