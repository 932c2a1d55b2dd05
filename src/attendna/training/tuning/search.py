"""What a search is: settings that stay, settings that are tried, and how."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from attendna.core.config import (
    Config,
    Seed,
    Tree,
    change,
    is_within,
    parse,
    parse_assignments,
    read_yaml,
    refuse_other_kinds,
)
from attendna.core.errors import ConfigError
from attendna.core.recipes import find_settings
from attendna.evaluation.measures import find_metric
from attendna.tasks.subset import SubsetRule
from attendna.training.run import RunConfig
from attendna.training.tuning.space import Dimension, Value, grid

_OWN = ("adapt", "format", "probe", "trainer.monitor", "variants")
"""Settings that a search decides itself."""

SEARCH = "search"
"""Where the settings of a trial came from that the search set."""

_DRAWS = 50
"""Combinations that are looked at before a search begins."""


class Sampler(Config):
    """How values are chosen."""

    name: Literal["tpe", "random", "grid"] = "tpe"
    """``tpe`` learns from the trials before where good values are; ``grid`` takes each combination
    once, in an order drawn at random."""
    seed: Seed = 0
    startup: int = Field(default=10, ge=1)
    """``tpe`` only: trials drawn at random before it begins to learn."""


class Pruner(Config):
    """When a trial is stopped early."""

    name: Literal["median", "none"] = "median"
    """``median`` stops a trial whose best validation so far is worse than the median of the trials
    before it at the same validation."""
    startup: int = Field(default=5, ge=1)
    """Trials that are trained to their end before any is stopped."""
    warmup: int = Field(default=1, ge=0)
    """Validations that every trial is given."""


class Subset(SubsetRule):
    """The rows of the first trials, and what is trained on all rows after them."""

    best: int = Field(default=3, ge=0)
    """Trials, the best first, that are trained again on all rows of the task."""


class Search(Config):
    """All settings of a search; with the rows and the number of trials they decide its result."""

    base: Tree
    """Settings of every trial, as of ``attendna train``; in a file also the path of a recipe."""
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Dotted keys of ``base`` that are different here."""
    space: dict[str, Dimension] = Field(min_length=1)
    """Dotted keys of the settings, and their values to try."""
    metric: str = "task"
    """What is searched for on the validation rows: a metric, ``loss``, or ``task`` for the metric
    the task is judged by."""
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    subset: Subset | None = None

    @classmethod
    def read(cls, path: str | Path, assignments: Sequence[str] = ()) -> Self:
        """A search of a YAML file with ``"key.subkey=value"`` assignments applied.

        An assignment is of a setting of the search, as ``sampler.seed``, or of every trial, as
        ``model.width``. It wins over the file: what is assigned is not searched.

        Raises
        ------
        ConfigError
            The file or an assignment says something impossible; one line names the key.
        """
        file = find_settings(path)
        tree = read_yaml(file)
        refuse_other_kinds(cls, tree, path)
        if isinstance(base := tree.get("base"), str):
            tree["base"] = read_yaml(find_settings(base, beside=file))
        changes = {
            key.removeprefix("base."): value
            for key, value in parse_assignments(assignments).items()
        }
        own = {
            key: value for key, value in changes.items() if key.split(".")[0] in cls.model_fields
        }
        tree = change(tree, own)
        of_trials = {key: value for key, value in changes.items() if key not in own}
        search = parse(cls, tree, path)
        if of_trials:
            search = search.fixing(of_trials)
        search.check()
        return search

    def fixing(self, changes: Mapping[str, Any]) -> Self:
        """The search with some settings of every trial fixed; those are not searched.

        Raises
        ------
        ConfigError
            A search decides the setting itself, chooses what it is a part of, or has nothing left
            to search.
        """
        for key in changes:
            if is_within(key, "trainer.monitor"):
                raise ConfigError(f"{key}: a search is judged by its metric", "set metric instead")
            if above := next((k for k in self.space if k != key and is_within(key, k)), None):
                raise ConfigError(f"{key}: the search chooses {above} as a whole", f"set {above}")
        space = {k: v for k, v in self.space.items() if not any(is_within(k, c) for c in changes)}
        if not space:
            raise ConfigError(
                f"{', '.join(changes)}: nothing is left to search", "use attendna train"
            )
        fixed = {k: v for k, v in self.set.items() if not any(is_within(k, c) for c in changes)}
        tree = self.to_tree()
        tree["space"] = {key: tree["space"][key] for key in space}
        return type(self).model_validate(tree | {"set": fixed | dict(changes)})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key in self.space:
            if any(key == own or key.startswith(f"{own}.") for own in _OWN):
                raise ValueError(f"space.{key} cannot be searched")
        if self.metric not in ("loss", "task"):
            try:
                find_metric(self.metric)
            except ConfigError as error:
                raise ValueError(f"metric: {error}") from None
        if self.sampler.name == "grid" and grid(self.space) is None:
            raise ValueError("a grid needs ranges with a step, or choices")
        return self

    def check(self) -> None:
        """Refuse settings that no trial can be trained with.

        Raises
        ------
        ConfigError
            Any combination of values is refused; the line tells why one is.
        """
        random = np.random.default_rng(0)
        refused: ConfigError | None = None
        for _ in range(_DRAWS):
            drawn = {key: dimension.draw(random) for key, dimension in self.space.items()}
            try:
                self.settings(drawn, rows=0, metric="loss")
            except ConfigError as error:
                refused = refused or error
            else:
                return
        if refused is not None:
            raise refused

    def settings(self, values: Mapping[str, Value], *, rows: int, metric: str) -> RunConfig:
        """The settings of a trial.

        Parameters
        ----------
        values
            Of each key in the space, what the trial stores.
        rows
            Training rows, to which the base is adapted before the values are entered.
        metric
            What decides which of a trial's models is best.

        Raises
        ------
        ConfigError
            These settings do not fit together.
        """
        base = RunConfig.of(self.base, "base", self.set, SEARCH)
        if base.variants:
            raise ConfigError(
                "base.variants: a search chooses settings itself",
                "add `set: {variants: []}` and search over what they set",
            )
        changes = {key: self.space[key].setting(value) for key, value in values.items()}
        # What is set in a map comes after the map itself.
        ordered = dict(sorted(changes.items(), key=lambda item: item[0].count(".")))
        told = ", ".join(f"{key} {value}" for key, value in values.items())
        try:
            return base.adapted(rows).changed(ordered | {"trainer.monitor": metric}, SEARCH)
        except ConfigError as error:
            raise ConfigError(f"the settings {told}: {error}") from None

    def combinations(self) -> list[dict[str, Value]] | None:
        """Of a grid, every combination in the order they are tried; of other samplers none."""
        if self.sampler.name != "grid":
            return None
        found = grid(self.space) or []
        order = np.random.default_rng(self.sampler.seed).permutation(len(found))
        return [found[place] for place in order]
