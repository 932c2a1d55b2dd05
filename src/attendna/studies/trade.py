"""What the rows of a study reach for what they cost: a metric, parameters and seconds.

Source: Pareto 1906, "Manuale di economia politica": a row is worth its cost where no other is at
least as good in all three and better in one.
"""

from dataclasses import dataclass

import polars as pl

from attendna.evaluation.measures import find_metric


@dataclass(frozen=True)
class Trade:
    """A row of a task: means over its finished runs."""

    row: str
    value: float
    parameters: float
    seconds: float
    """Of one training."""
    efficient: bool
    """No other row is at least as good, as small and as quick, and better in one of these."""


def trades(results: pl.DataFrame, task: str, metric: str) -> list[Trade]:
    """The rows of which there are finished trainings; transfers, which have no log, are left out.

    Parameters
    ----------
    results
        Of :func:`attendna.studies.results.results`.
    """
    means = (
        results.filter(pl.col("task") == task, pl.col("metric") == metric)
        .drop_nulls("seconds")
        .group_by("row", maintain_order=True)
        .agg(pl.col("value", "parameters", "seconds").mean())
    )
    sign = 1 if find_metric(metric).higher_is_better else -1
    costs = means.select(-sign * pl.col("value"), "parameters", "seconds").rows()
    return [
        Trade(*line, efficient=not any(_beats(other, cost) for other in costs))
        for line, cost in zip(means.iter_rows(), costs, strict=True)
    ]


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
