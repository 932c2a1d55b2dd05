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
    TaskFolders,
    only_task,
)
from attendna.cli.output import console, print_json, spell_interval, spell_number

if TYPE_CHECKING:
    import polars as pl

    from attendna.evaluation.compare import Comparison
    from attendna.tasks.spec import SplitName

SHOWN = ("auroc", "auprc", "mcc", "accuracy", "f1", "brier", "ece")
"""Metrics of the table; --json has all."""


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders; all against the first.")
    ],
    *,
    task: TaskFolders = [],  # noqa: B006 - typer makes a list of its own
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
    of accuracy by McNemar's. Models of tracks are compared by what `evaluate` has entered into
    their folders, record by record, and need no --task. Nothing is written.
    """
    from attendna.evaluation.compare import compare
    from attendna.models.header import is_of_tracks

    if is_of_tracks(runs[0]):
        _compare_tracks(runs, split, resamples, seed, json=json)
        return

    comparison = compare(
        runs,
        only_task(task),
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


def _compare_tracks(
    runs: list[Path], split: "SplitName", resamples: int, seed: int, *, json: bool
) -> None:
    from attendna.core.errors import ConfigError
    from attendna.evaluation.tracks import compare_tracks

    if len(runs) < 2:
        raise ConfigError("one run is compared with nothing", "name two or more")
    found = {
        str(other): compare_tracks(runs[0], other, split, resamples=resamples, seed=seed).rows
        for other in runs[1:]
    }
    if json:
        rows = {other: frame.to_dicts() for other, frame in found.items()}
        print_json([{"run": other, **row} for other in rows for row in rows[other]])
        return
    for other, frame in found.items():
        show_tracks(str(runs[0]), other, frame)


def show_tracks(first: str, other: str, rows: "pl.DataFrame") -> None:
    """Print how two models of tracks compare: mean correlation within records, by assay."""
    from rich.table import Table

    table = Table(title=f"{other} against {first}, mean correlation within records")
    columns = ("head", "assay", "records", first, other, "difference", "95 % interval")
    for column in (*columns, "correlation of scores", "at least as good"):
        table.add_column(column, justify="left" if column in ("head", "assay") else "right")
    for row in rows.iter_rows(named=True):
        table.add_row(
            row["head"],
            row["assay"],
            str(row["n"]),
            *(spell_number(row[name]) for name in ("first", "second")),
            spell_number(row["difference"], "+.4f"),
            spell_interval(row["low"], row["high"], "+.4f"),
            spell_number(row["correlation"]),
            f"{row['as_good']:.0%}",
        )
    console().print(table)


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
