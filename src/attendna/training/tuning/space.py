"""Which values settings may take: from one number to another, or one of a list."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self, TypeAlias, cast

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from attendna.core.config import Config

Number: TypeAlias = int | float
Value: TypeAlias = int | float | str
"""What a trial stores: a number of a range, or the spelling of a choice."""


class Range(Config):
    """Numbers between two ends, both of which may be drawn; whole ones where both ends are."""

    low: Number
    high: Number
    log: bool = False
    """Whether the logarithm is drawn evenly."""
    step: Number | None = Field(default=None, gt=0)

    @property
    def whole(self) -> bool:
        """Whether the numbers are whole."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range begins above 0")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic range has no step")
        return self

    def points(self) -> list[Value] | None:
        """All values; none where they cannot be counted."""
        step = self.step or (1 if self.whole else None)
        if step is None:
            return None
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        return [self.low + step * place for place in range(count)]

    def draw(self, random: np.random.Generator) -> Value:
        """Any of the values."""
        points = self.points()
        if points is not None:
            return points[int(random.integers(len(points)))]
        return float(random.uniform(self.low, self.high))

    def setting(self, value: Value) -> Any:
        """What a stored value stands for."""
        return value


class Choices(Config):
    """One of some values of any kind, also whole maps of settings."""

    choices: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        spelled = self.points()
        if len(set(spelled)) < len(spelled):
            raise ValueError("two choices read the same")
        return self

    def points(self) -> list[Value]:
        """All values."""
        return [spell(choice) for choice in self.choices]

    def draw(self, random: np.random.Generator) -> Value:
        """Any of the values."""
        return self.points()[int(random.integers(len(self.choices)))]

    def setting(self, value: Value) -> Any:
        """What a stored value stands for."""
        return self.choices[self.points().index(value)]


def spell(choice: Any) -> str:
    """A choice as a few words: ``kmer k=3`` of a map with a name."""
    if isinstance(choice, Mapping):
        fields = dict(cast("Mapping[str, Any]", choice))
        words = [str(fields.pop("name"))] if "name" in fields else []
        return " ".join([*words, *(f"{key}={spell(fields[key])}" for key in sorted(fields))])
    return choice if isinstance(choice, str) else json.dumps(choice, sort_keys=True)


def _kind(value: Any) -> str:
    listed = isinstance(value, Choices) or (isinstance(value, Mapping) and "choices" in value)
    return "choices" if listed else "range"


Dimension: TypeAlias = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)
]


def grid(space: Mapping[str, Range | Choices]) -> list[dict[str, Value]] | None:
    """Every combination of values; none where a range has no step."""
    combinations: list[dict[str, Value]] = [{}]
    for key, dimension in space.items():
        points: Sequence[Value] | None = dimension.points()
        if points is None:
            return None
        combinations = [one | {key: point} for one in combinations for point in points]
    return combinations
