"""What is wrong with the rows of a file: every bad row, each with its fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from attendna.core.errors import DataError

BadRows = Literal["error", "drop"]
"""What becomes of bad rows: the file is refused, or they are left out and listed."""

COMPLAINTS = {"line": pl.Int64, "problem": pl.String, "fix": pl.String}
"""Columns of the list of bad rows; ``line`` is the line of the file, counted from 1."""

_TOLD = 3


class BadRowsError(DataError):
    """A file with bad rows; ``complaints`` lists every one with its fix."""

    def __init__(self, path: Path, complaints: pl.DataFrame) -> None:
        self.complaints = complaints
        first = complaints.head(_TOLD).rows()
        told = [f"line {line}: {problem} ({fix})" for line, problem, fix in first]
        more = f"; and {len(complaints) - _TOLD} more" if len(complaints) > _TOLD else ""
        rows = "1 bad row" if len(complaints) == 1 else f"{len(complaints)} bad rows"
        super().__init__(path, f"{rows}: {'; '.join(told)}{more}")


@dataclass(frozen=True)
class Rule:
    """What is wrong where a condition holds, and what to do about it."""

    broken: pl.Expr
    problem: pl.Expr
    fix: str

    def concerns(self, frame: pl.DataFrame) -> bool:
        """Whether the table has the columns that the rule is about."""
        return set(self.broken.meta.root_names()) <= set(frame.columns)


def no_complaints() -> pl.DataFrame:
    """An empty list of bad rows."""
    return pl.DataFrame(schema=COMPLAINTS)


def judge(frame: pl.DataFrame, rules: Iterable[Rule]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a table with a ``line`` column into its good rows and complaints about the others.

    A row that breaks several rules is told of the first. Rules about columns that the table lacks
    are passed over.
    """
    rules = [rule for rule in rules if rule.concerns(frame)]
    holds = pl.any_horizontal([pl.lit(False), *(rule.broken for rule in rules)])
    good = ~holds.fill_null(value=False)
    if frame.select(good.all()).item():
        return frame, no_complaints()
    found = [
        frame.lazy()
        .filter(rule.broken.fill_null(value=False))
        .select("line", rule.problem.alias("problem"), pl.lit(rule.fix).alias("fix"))
        for rule in rules
    ]
    complaints = pl.concat([no_complaints().lazy(), *found]).unique(
        "line", keep="first", maintain_order=True
    )
    return frame.filter(good), complaints.sort("line").collect()
