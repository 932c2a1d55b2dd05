"""``attendna compare``: trained models side by side on the same rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import (
    Device,
    Json,
    OtherSplit,
    Resamples,
    Seed,
    SplitOption,
    TaskFolder,
)
from attendna.cli.output import console, print_json, spell_interval, spell_number

if TYPE_CHECKING:
    from attendna.evaluation.compare import Comparison

SHOWN = ("auroc", "auprc", "mcc", "accuracy", "f1", "brier", "ece")
"""Metrics of the table; --json has all."""


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders; all against the first.")
    ],
    task: TaskFolder,
    *,
    split: SplitOption = "test",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Add a logistic regression on 5-mers.")
    ] = False,
    device: Device = "auto",
    resamples: Resamples = 2000,
    seed: Seed = 0,
    other_split: OtherSplit = False,
    json: Json = False,
) -> None:
    """Measure trained models on the same rows and test each against the first.

    Differences are tested by the paired bootstrap, those of AUROC also by DeLong's test and those
    of accuracy by McNemar's. Nothing is written.
    """
    from attendna.evaluation.compare import compare

    comparison = compare(
        runs,
        task,
        split,
        baseline=baseline,
        device=device,
        other_split=other_split,
        resamples=resamples,
        seed=seed,
    )
    if json:
        print_json(
            {
                "rows": comparison.to_frame().to_dicts(),
                "tests": comparison.tests_frame().to_dicts(),
            }
        )
    else:
        show(comparison)


def show(comparison: "Comparison") -> None:
    """Print a comparison: a table of values, and a table of differences."""
    from rich.table import Table

    first = comparison.rows[0]
    runs = list(dict.fromkeys(row.run for row in comparison.rows))
    cells = {(row.metric, row.run): row for row in comparison.rows}
    values = Table(
        title=f"{first.task}, {first.split}: {first.n} rows, prevalence {first.prevalence:.3f}",
        title_justify="left",
    )
    values.add_column("metric")
    for run in runs:
        values.add_column(run, justify="right")
    for metric in SHOWN:
        row = (cells[metric, run] for run in runs)
        values.add_row(
            metric,
            *(f"{spell_number(c.value)} ({spell_interval(c.low, c.high)})" for c in row),
        )
    differences = Table(title=f"difference from {runs[0]}", title_justify="left")
    for column in ("run", "metric", "difference", "95 % interval", "test", "p"):
        differences.add_column(column, overflow="fold", no_wrap=column != "run")
    for test in comparison.tests:
        if test.metric in SHOWN:
            differences.add_row(
                test.run,
                test.metric,
                spell_number(test.difference, "+.4f"),
                spell_interval(test.low, test.high, "+.4f"),
                test.test,
                spell_number(test.p_value, ".2g"),
            )
    console().print(values, differences)
