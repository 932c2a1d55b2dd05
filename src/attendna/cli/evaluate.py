"""``attendna evaluate``: what a trained model is worth on rows it has not learned."""

import math
from typing import TYPE_CHECKING

from attendna.cli.options import (
    Device,
    Json,
    OtherSplit,
    Resamples,
    RunFolder,
    Seed,
    SplitOption,
    TaskFolder,
)
from attendna.cli.output import console, counter, print_json, spell_interval, spell_number

if TYPE_CHECKING:
    from attendna.evaluation.evaluate import EvaluationResult


def evaluate(
    run: RunFolder,
    task: TaskFolder,
    *,
    split: SplitOption = "test",
    device: Device = "auto",
    resamples: Resamples = 2000,
    seed: Seed = 0,
    other_split: OtherSplit = False,
    json: Json = False,
) -> None:
    """Measure a trained model on a split and enter the result into its run folder.

    Every metric has a 95 % bootstrap interval. The threshold is the one chosen on the validation
    rows in training. metrics.json and predictions.parquet of the run folder are brought up to date.
    """
    from attendna.evaluation.evaluate import evaluate

    with counter("evaluating") as advance:
        result = evaluate(
            run,
            task,
            split,
            device=device,
            resamples=resamples,
            seed=seed,
            other_split=other_split,
            progress=advance,
        )
    if json:
        print_json(result.to_frame().to_dicts())
    else:
        show(result)


def show(result: "EvaluationResult") -> None:
    """Print a result as a table."""
    from rich.table import Table

    first = result.rows[0]
    threshold = "" if math.isnan(first.threshold) else f", threshold {first.threshold:.3f}"
    table = Table(
        title=f"{first.task}, {first.split}: {first.n} rows, prevalence {first.prevalence:.3f}"
        + threshold,
        title_justify="left",
    )
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("better")
    for row in result.rows:
        better = "higher" if row.higher_is_better else "lower"
        table.add_row(
            row.metric,
            spell_number(row.value),
            spell_interval(row.low, row.high),
            f"not defined: {row.reason}" if row.reason else better,
        )
    console().print(table)
