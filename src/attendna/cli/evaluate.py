"""``attendna evaluate``: what a trained model is worth on rows it has not learned."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import (
    Device,
    Json,
    OtherSplit,
    Precision,
    Resamples,
    RunFolder,
    Seed,
    SplitOption,
    TaskFolders,
    only_task,
    tasks_of_heads,
)
from attendna.cli.output import console, counter, print_json, spell_interval, spell_number

if TYPE_CHECKING:
    from pathlib import Path

    from attendna.evaluation.evaluate import EvaluationResult
    from attendna.evaluation.tracks import TrackResult
    from attendna.tasks.spec import SplitName


def evaluate(
    run: RunFolder,
    task: TaskFolders,
    *,
    split: SplitOption = "test",
    device: Device = "auto",
    precision: Precision = "auto",
    resamples: Resamples = 2000,
    seed: Seed = 0,
    other_split: OtherSplit = False,
    genome: Annotated[
        list[str] | None,
        typer.Option("--genome", help="HEAD=FASTA, where a model of tracks reads beyond records."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure a trained model on a split and enter the result into its run folder.

    Every metric has a 95 % bootstrap interval. The threshold is the one chosen on the validation
    rows in training. metrics.json and predictions.parquet of the run folder are brought up to date.
    """
    from attendna.evaluation.evaluate import evaluate
    from attendna.models.header import is_of_tracks

    if is_of_tracks(run):
        _evaluate_tracks(
            run, task, split, device, precision, resamples, seed, genome or [], json=json
        )
        return
    with counter("evaluating") as advance:
        result = evaluate(
            run,
            only_task(task),
            split,
            device=device,
            precision=precision,
            resamples=resamples,
            seed=seed,
            other_split=other_split,
            progress=advance,
        )
    if json:
        print_json(result.to_frame().to_dicts())
    else:
        show(result)


def _evaluate_tracks(  # noqa: PLR0917
    run: "Path",
    task: list[str],
    split: "SplitName",
    device: str,
    precision: Precision,
    resamples: int,
    seed: int,
    genome: list[str],
    *,
    json: bool,
) -> None:
    from attendna.evaluation.tracks import evaluate_tracks

    with counter("evaluating") as advance:
        found = evaluate_tracks(
            run,
            tasks_of_heads(task),
            split,
            genomes=tasks_of_heads(genome),
            device=device,
            precision=precision,
            resamples=resamples,
            seed=seed,
            progress=advance,
        )
    if json:
        print_json([row for result in found.values() for row in result.assays.to_dicts()])
        return
    for head, result in found.items():
        show_tracks(head, split, result)


def show_tracks(head: str, split: str, result: "TrackResult") -> None:
    """Print a head's result as a table: the mean over the tracks of each assay."""
    from rich.table import Table

    frame = result.assays
    records = frame["n"][0]
    table = Table(
        title=f"{head}, {split}: {records} records, {frame['precision'][0]}", title_justify="left"
    )
    for heading in ("assay", "tracks", "metric", "mean", "95 % interval"):
        numeric = heading in ("tracks", "mean", "95 % interval")
        table.add_column(heading, justify="right" if numeric else "left")
    for row in frame.iter_rows(named=True):
        table.add_row(
            row["assay"],
            str(row["tracks"]),
            row["metric"],
            spell_number(row["value"]),
            spell_interval(row["low"], row["high"]),
        )
    console().print(table)


def show(result: "EvaluationResult") -> None:
    """Print a result as a table."""
    from rich.table import Table

    first = result.rows[0]
    threshold = "" if math.isnan(first.threshold) else f", threshold {first.threshold:.3f}"
    table = Table(
        title=f"{first.task}, {first.split}: {first.n:,} rows, prevalence {first.prevalence:.3f}"
        f"{threshold}, {first.precision}",
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
