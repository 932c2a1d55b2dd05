"""A study: settings that differ along axes, times tasks, times seeds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from attendna.core.config import Config, Seed, Tree, change, is_within, parse, read_yaml
from attendna.core.errors import ConfigError, UnknownNameError
from attendna.core.recipes import find_settings
from attendna.core.registry import near_misses
from attendna.evaluation.measures import find_metric
from attendna.studies.made import Made
from attendna.studies.placeholders import DATA, fill, named_in
from attendna.studies.source import TaskSource
from attendna.tokens.bpe_vocabulary import BASES, SPECIAL, Vocabulary
from attendna.training.run import RunConfig

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]


class Level(Config):
    """One place on an axis: ``set`` holds dotted keys of the run settings and their values."""

    label: Label
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    on_task: dict[Name, dict[str, Any]] = Field(default_factory=dict[Name, dict[str, Any]])
    """What is set on these tasks instead."""

    @property
    def every_set(self) -> Iterator[dict[str, Any]]:
        """What is set, on whichever task."""
        yield self.set
        yield from self.on_task.values()


@dataclass(frozen=True)
class Row:
    """One line of the table: a task, and a level of each axis."""

    task: str
    levels: tuple[Level, ...]

    @property
    def name(self) -> str:
        """The labels of the levels, in the order of the axes."""
        return "/".join(level.label for level in self.levels)

    def on(self, task: str) -> "Row":
        """The row of the same levels on another task."""
        return Row(task, self.levels)

    @property
    def path(self) -> Path:
        """Where its runs are, one a seed, below the folder of all runs."""
        return Path(self.task, *(level.label for level in self.levels))


class Study(Config):
    """All settings of a study. Its texts may hold ``$data``, ``$TASK`` and ``$MADE``."""

    title: str
    about: str = ""
    """What is asked, and what the data cannot decide."""
    scale: Literal["desk", "full"] = "full"
    tasks: dict[Name, TaskSource] = Field(min_length=1)
    sources: dict[Name, TaskSource] = Field(default_factory=dict[Name, TaskSource])
    """Tasks that something is made from, and nothing is measured on."""
    made: dict[Name, Made] = Field(default_factory=dict[Name, Made])
    """Vocabularies and models that several runs start from, and simulated genomes."""
    base: Tree
    """Settings of every run, as of ``attendna train``."""
    axes: dict[Name, tuple[Level, ...]] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(default=(0, 1, 2), min_length=1)
    metrics: tuple[str, ...] = Field(min_length=1)
    reference: str | None = None
    """Name of the row that the others are tested against."""
    paper: dict[str, dict[str, dict[str, float]]] = Field(
        default_factory=dict[str, dict[str, dict[str, float]]]
    )
    """What was published, by task, row and metric."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for axis, levels in self.axes.items():
            labels = [level.label for level in levels]
            if not labels or len(set(labels)) < len(labels):
                raise ValueError(f"axes.{axis} needs levels with labels of their own")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is given twice")
        given = [DATA, *self.tasks, *self.sources, *self.made]
        if twice := [name for name in given if given.count(name) > 1]:
            raise ValueError(f"the name {twice[0]} stands for two things")
        for name, source in self.tasks.items():
            followed = source.transfer and source.transfer.task
            if followed and (followed not in self.tasks or self.tasks[followed].transfer):
                raise ValueError(f"tasks.{name}.transfer.task: {followed} is no task of trainings")
        names = {row.name for row in self.rows()}
        published = {row for rows in self.paper.values() for row in rows}
        for row in {self.reference or next(iter(names)), *published} - names:
            raise ValueError(f"there is no row {row!r}, {near_misses(row, sorted(names))}")
        for task in set(self.paper) - set(self.tasks):
            raise ValueError(f"paper.{task} is no task, {near_misses(task, [*self.tasks])}")
        try:
            for metric in self.metrics:
                find_metric(metric)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return self

    def rows(self, only: Mapping[str, str] | None = None) -> Iterator[Row]:
        """Every row, or those with these labels: axis to label, and ``task`` to a task.

        Rows that others are transferred from come with them, and before them.

        Raises
        ------
        ConfigError
            There is no such axis or label.
        """
        wanted = dict(only or {})
        axes: dict[str, list[str]] = {"task": list(self.tasks)}
        axes |= {axis: [one.label for one in levels] for axis, levels in self.axes.items()}
        for axis, label in wanted.items():
            if axis not in axes:
                raise ConfigError(f"the study has no axis {axis!r}", near_misses(axis, [*axes]))
            if label not in axes[axis]:
                problem = f"the axis {axis} has no {label!r}"
                raise ConfigError(problem, near_misses(label, axes[axis]))
        found = [
            Row(task, levels)
            for task, levels in product(self.tasks, product(*self.axes.values()))
            if _has({"task": task} | _labels(self.axes, levels), wanted)
        ]
        there = {row.path for row in found}
        followed = [
            row.on(source.transfer.task)
            for row in found
            if (source := self.tasks[row.task]).transfer is not None
        ]
        yield from (row for row in followed if row.path not in there)
        yield from found

    def settings(self, row: Row, paths: Mapping[str, str]) -> RunConfig:
        """The settings of a row's runs, of seed 0.

        Raises
        ------
        ConfigError
            They cannot be; one line names the row and the key.
        """
        return RunConfig.of(
            fill(self.base, paths),
            f"{row.task} {row.name}",
            fill(self._changes(row), paths),
            f"study, {row.name}",
        )

    def fixing(self, changes: Mapping[str, Any]) -> Self:
        """The study with some settings of every training fixed.

        Raises
        ------
        ConfigError
            An axis compares that setting.
        """
        for axis, levels in self.axes.items():
            compared = [key for one in levels for sets in one.every_set for key in sets]
            for key, other in product(changes, compared):
                if is_within(key, other) or is_within(other, key):
                    raise ConfigError(
                        f"{key}: the axis {axis} compares {other}", f"use --only {axis}=LABEL"
                    )
        if "seed" in changes:
            raise ConfigError("seed: a study has several", "use --seeds")
        tree = self.to_tree()
        for name, source in self.tasks.items():
            if source.transfer is None:
                tree["tasks"][name]["set"] = joined(source.set, changes)
        return parse(type(self), tree, "study")

    def needed(self, rows: Iterable[Row]) -> list[str]:
        """The tasks and what is made for these rows, each behind what it is made from itself.

        Raises
        ------
        ConfigError
            Something is made from itself.
        """
        makers = self.tasks | self.sources | self.made
        found: list[str] = []

        def add(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise ConfigError(f"${name} is made from itself", "name something else")
            for part in named_in(makers[name].to_tree()):
                if part != DATA:
                    add(part, (*above, name))
            if name not in found:
                found.append(name)

        for row in rows:
            for name in (row.task, *named_in(self._tree(row))):
                if name != DATA:
                    add(name, ())
        return found

    def check(self) -> None:
        """Refuse settings that cannot be, before anything is made or run.

        Raises
        ------
        ConfigError
            One row's settings; a line names it.
        """
        known = {name: name for name in (DATA, *self.tasks, *self.sources, *self.made)}
        fill([one.to_tree() for one in (self.tasks | self.sources).values()], known)
        for made in self.made.values():
            made.check(known)
        for row in self.rows():
            if self.tasks[row.task].transfer is not None:
                continue
            changes = self._changes(row)
            if any(
                name in self.made for name in named_in(change(self.base, changes).get("tokenizer"))
            ):
                # A vocabulary that is yet to be learned: the least there is stands in.
                changes = joined(changes, {"tokenizer": {"name": "bpe", "vocabulary": _NO_MERGES}})
            RunConfig.of(fill(self.base, known), f"{row.task} {row.name}", fill(changes, known))
        self.needed(self.rows())

    def _tree(self, row: Row) -> Tree:
        """The settings of a row's trainings; none of those that are transferred."""
        if self.tasks[row.task].transfer is not None:
            return {}
        return change(self.base, self._changes(row))

    def _changes(self, row: Row) -> dict[str, Any]:
        """What the task and the levels of a row set."""
        changes = self.tasks[row.task].set
        for level in row.levels:
            changes = joined(changes, level.on_task.get(row.task, level.set))
        return changes


def joined(changes: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of dotted keys and those that follow them, which win."""
    kept = {k: v for k, v in changes.items() if not any(is_within(k, key) for key in later)}
    return kept | dict(later)


def _labels(axes: Iterable[str], levels: Iterable[Level]) -> dict[str, str]:
    return {axis: level.label for axis, level in zip(axes, levels, strict=True)}


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels[axis] == label for axis, label in wanted.items())


_NO_MERGES = Vocabulary(SPECIAL, BASES, ()).pack()


def library() -> dict[str, Path]:
    """The studies that come with attendna, by name."""
    folder = Path(str(files("attendna.studies").joinpath("library")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_study(name: str | Path) -> Study:
    """A study of the library, or of a file.

    Raises
    ------
    UnknownNameError
        It is neither.
    ConfigError
        Something in it cannot be.
    """
    known = library()
    path = known.get(str(name), Path(name))
    if str(name) not in known and not path.is_file():
        raise UnknownNameError(f"there is no study {str(name)!r}", near_misses(str(name), [*known]))
    tree = read_yaml(path)
    if isinstance(base := tree.get("base"), str):
        tree["base"] = read_yaml(find_settings(base, beside=path))
    study = parse(Study, tree, path)
    study.check()
    return study
