"""``attendna compare``: trained models side by side on the same rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import (
    Device,
    Force,
    Json,
    OtherSplit,
    Precision,
    Resamples,
    Seed,
    SplitOption,
    TaskFolders,
    only_task,
    tasks_of_heads,
)
from attendna.cli.output import console, print_json, say, spell_interval, spell_number

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from attendna.evaluation.compare import Comparison
    from attendna.evaluation.tracks import TrackComparison
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
    precision: Precision = "auto",
    resamples: Resamples = 2000,
    seed: Seed = 0,
    other_split: OtherSplit = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Draw two models of tracks as a page."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Measure trained models on the same rows and test each against the first.

    Differences are tested by the paired bootstrap, those of AUROC also by DeLong's test and those
    of accuracy by McNemar's. Models of tracks are compared by what `evaluate` has entered into
    their folders, record by record, and need no --task. Nothing is written but the page.
    """
    from attendna.core.errors import ConfigError
    from attendna.core.files import refuse_existing
    from attendna.core.outputs import PAGE
    from attendna.evaluation.compare import compare
    from attendna.models.header import is_of_tracks

    if out is not None:
        refuse_existing(out, PAGE, force=force)
    if is_of_tracks(runs[0]):
        _refuse_tasks(runs[0], task)
        compared = _compare_tracks(runs, split, resamples, seed, json=json)
        if out is not None:
            _draw_tracks(runs, split, compared, out, force=force)
        return
    if out is not None:
        raise ConfigError("--out draws models of tracks", "use --json for those of classes")
    comparison = compare(
        runs,
        only_task(task),
        split,
        baseline=baseline,
        device=device,
        precision=precision,
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


def _refuse_tasks(run: Path, given: list[str]) -> None:
    """Refuse --task where models of tracks are compared, which were measured already."""
    from attendna.core.errors import ConfigError
    from attendna.tasks.tracks import refuse_other_kind

    for folder in tasks_of_heads(given).values():
        refuse_other_kind(run, folder, of_tracks=True)
    if given:
        raise ConfigError(
            "models of tracks are compared by what `evaluate` has entered into their folders",
            "leave --task out",
        )


def _compare_tracks(
    runs: list[Path], split: "SplitName", resamples: int, seed: int, *, json: bool
) -> "list[TrackComparison]":
    from attendna.core.errors import ConfigError
    from attendna.evaluation.tracks import compare_tracks

    if len(runs) < 2:
        raise ConfigError("one run is compared with nothing", "name two or more")
    found = [
        compare_tracks(runs[0], other, split, resamples=resamples, seed=seed) for other in runs[1:]
    ]
    pairs = list(zip(map(str, runs[1:]), found, strict=True))
    if json:
        print_json([{"run": name, **row} for name, part in pairs for row in part.rows.to_dicts()])
    else:
        for name, part in pairs:
            show_tracks(str(runs[0]), name, part.rows)
    return found


def _draw_tracks(
    runs: list[Path],
    split: "SplitName",
    compared: "list[TrackComparison]",
    out: Path,
    *,
    force: bool,
) -> None:
    from attendna.core.errors import ConfigError
    from attendna.core.files import publish_output
    from attendna.core.outputs import PAGE
    from attendna.report.track_comparison import TrackComparisonPage

    if len(compared) != 1:
        raise ConfigError("--out draws two runs", "name two")
    first, second = (run.resolve().name for run in runs)
    page = TrackComparisonPage(first, second, split, compared[0].rows, compared[0].scores)
    with publish_output(out, PAGE, force=force) as partial:
        page.sheet().write(partial)
    say(f"wrote {out}")


def show_tracks(first: str, other: str, rows: "pl.DataFrame") -> None:
    """Print how two models of tracks compare: mean correlation within records, by assay."""
    from rich.table import Table

    out = console()
    out.print("mean correlation within records", style="bold")
    out.print(f"first: {first}\nsecond: {other}", markup=False, soft_wrap=True)
    for (head,), part in rows.group_by("head", maintain_order=True):
        table = Table(box=None, pad_edge=False)
        columns = (str(head), "records", "first", "second", "difference (95 %)")
        for column in (*columns, "alike", "as good"):
            left = column == head
            table.add_column(column, justify="left" if left else "right", no_wrap=True)
        for row in part.iter_rows(named=True):
            between = spell_interval(row["low"], row["high"], "+.3f")
            table.add_row(
                row["assay"],
                str(row["n"]),
                *(spell_number(row[name], ".3f") for name in ("first", "second")),
                f"{spell_number(row['difference'], '+.3f')} ({between})",
                spell_number(row["correlation"], ".3f"),
                f"{row['as_good']:.0%}",
            )
        out.print(table)
    out.print("difference: second less first; alike: correlation of their scores;")
    out.print("as good: records in which the second is at least as good as the first")


def show(comparison: "Comparison") -> None:
    """Print a comparison: a table of values, and a table of differences."""
    from rich.table import Table

    first = comparison.rows[0]
    runs = list(dict.fromkeys(row.run for row in comparison.rows))
    cells = {(row.metric, row.run): row for row in comparison.rows}
    values = Table(
        title=f"{first.task}, {first.split}: {first.n:,} rows, prevalence {first.prevalence:.3f}",
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
    out = console()
    out.print(values)
    for run in runs[1:]:
        out.print(f"{run}: difference from {runs[0]}", style="italic", markup=False, soft_wrap=True)
        out.print(_differences(comparison, run))


def _differences(comparison: "Comparison", run: str) -> "Table":
    """How a run differs from the first, by every test."""
    from rich.table import Table

    table = Table()
    for column in ("metric", "difference", "95 % interval", "test", "p"):
        table.add_column(column, no_wrap=True)
    for test in comparison.tests:
        if test.run == run and test.metric in SHOWN:
            table.add_row(
                test.metric,
                spell_number(test.difference, "+.4f"),
                spell_interval(test.low, test.high, "+.4f"),
                test.test,
                spell_number(test.p_value, ".2g"),
            )
    return table
