"""What a task is: the card that lies beside its data as ``task.yaml``."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from attendna.core.config import Config
from attendna.core.errors import ConfigError, DataError
from attendna.core.files import sha256
from attendna.core.outputs import OutputFolder

ClassKind = Literal["binary", "multiclass"]
LabelKind = Literal[ClassKind, "multilabel", "regression"]
"""What a row's label is: the number of its class; the numbers of the tracks that are positive there
(``multilabel``); or one value a track, which may be missing (``regression``)."""

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
TASK = OutputFolder("task", added=("audit.json",))
FORMAT = 1
"""Version of the task folder's layout; a folder of another version is refused."""


class Source(Config):
    """One file the data came from."""

    location: str
    sha256: str | None = None


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - what the digest is of
    return sha256(path)


def refuse_changed(path: Path, digests: Mapping[str, str]) -> None:
    """Refuse a table of a task folder that is not the one it was published with.

    A file is read for it once in a process, unless its size or time changes.

    Raises
    ------
    DataError
        It is damaged, or was changed by hand; a table that the card does not know is accepted.
    """
    status = path.stat()
    found = _sha256(path.absolute(), status.st_size, status.st_mtime_ns)
    if digests.get(path.name, found) != found:
        raise DataError(
            path,
            "damaged or changed: its SHA-256 is not the one in task.yaml",
            "copy or build it again; rows changed by hand become a task by `attendna data import`",
        )


class TaskSpec(Config):
    """Everything about a task but its rows.

    ``classes`` are the names of labels 0, 1, …; of a binary task the second is the positive class,
    of multilabel and regression tasks they are the tracks.
    ``window`` is the common length of all sequences in bases, none when they differ, and ``rows``
    how many rows each split has; both are entered when the folder is written. The rows of a
    ``paired`` task have a second sequence, the column ``alternative``: that of another allele.
    """

    format: int = FORMAT
    name: str
    version: str = "1"
    title: str = ""
    build: str | None = None
    sources: tuple[Source, ...] = ()
    window: int | None = None
    rows: dict[SplitName, int] = Field(default_factory=dict[SplitName, int])
    sha256: dict[str, str] = Field(default_factory=dict[str, str])
    """Of each table, by its name; entered when the folder is written."""
    label_kind: LabelKind
    classes: tuple[str, ...] = Field(min_length=1)
    paired: bool = False
    negatives: str = ""
    splits: str = ""
    metric: str = "mcc"
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _classes_fit_kind(self) -> "TaskSpec":
        if self.label_kind == "binary" and len(self.classes) != 2:
            raise ValueError(f"a binary task has two classes, not {len(self.classes)}")
        if self.label_kind == "multiclass" and len(self.classes) < 2:
            raise ValueError("one class cannot be told from another: name two or more")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("two classes have the same name")
        return self

    @property
    def class_kind(self) -> ClassKind:
        """The label kind of a task whose rows have one class each.

        Raises
        ------
        ConfigError
            Its labels are of another kind.
        """
        if self.label_kind == "binary" or self.label_kind == "multiclass":  # noqa: PLR1714
            return self.label_kind
        raise ConfigError(
            f"the task {self.name} has {self.label_kind} labels", "choose one with classes"
        )

    @property
    def outputs(self) -> int:
        """How many numbers a model predicts for a sequence: one if binary, else one a class."""
        return 1 if self.label_kind == "binary" else len(self.classes)
