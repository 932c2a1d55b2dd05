"""The table of a study as Markdown."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

import polars as pl

from attendna.studies.study import Study
from attendna.studies.summary import Line, TaskSummary
from attendna.studies.trade import trades

COLUMNS = (
    "row", "mean", "sd of seeds", "95 % interval", "difference", "95 % interval", "p", "paper",
    "runs",
)  # fmt: skip

NOTE = (
    "The mean and the standard deviation are over seeds. Intervals and p are by a paired bootstrap "
    "over test rows: they say what other rows of this kind would change, not what other seeds "
    "would. The difference is from {reference}. {others} are no runs: a baseline learns from short "
    "words alone, and a model must beat it; a leak rule learns no biology, and where it does well "
    "a model can do well in the same way."
)


def markdown(study: Study, summaries: Sequence[TaskSummary], results: pl.DataFrame) -> str:
    """The whole table: a part for each task, and what the runs cost."""
    lines = [f"# {study.title}", ""]
    if study.about:
        lines += [study.about.strip(), ""]
    lines += [NOTE.format(reference=study.reference or "no row", others="Rows in italics"), ""]
    for summary in summaries:
        lines += [*_of_task(summary), ""]
    lines += ["## Runs", "", COSTS_NOTE, "", *_grid(COSTS, costs(results, judged_by(summaries)))]
    if failures := list(told_failures(results)):
        lines += ["", *(f"- {failure}" for failure in failures)]
    return "\n".join(lines) + "\n"


COSTS = ("task", "row", "finished", "parameters", "seconds a run", "worth its cost")

COSTS_NOTE = (
    "A row is worth its cost where no other is at least as good by the first metric of the task, "
    "as small and as quick, and better in one of these; differences by chance count too."
)


def judged_by(summaries: Sequence[TaskSummary]) -> dict[str, str]:
    """The first metric of each task."""
    return {summary.task: summary.lines[0].metric for summary in summaries}


def costs(results: pl.DataFrame, metrics: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Of every row, how many of its runs are finished, what one costs, and if that is worth it.

    Parameters
    ----------
    metrics
        What each task is judged by.
    """
    worth = {
        (task, trade.row)
        for task, metric in metrics.items()
        for trade in trades(results, task, metric)
        if trade.efficient
    }
    found: list[tuple[str, ...]] = []
    for (task, row), part in results.group_by("task", "row", maintain_order=True):
        runs = part.unique("seed", maintain_order=True)
        done = runs.filter(pl.col("status") == "finished")
        cost = [_mean(done[name]) for name in ("parameters", "seconds")]
        yes = "yes" if (task, row) in worth else ""
        found.append((str(task), str(row), f"{done.height} of {runs.height}", *cost, yes))
    return found


def _mean(values: pl.Series) -> str:
    known = values.drop_nulls()
    if not known.len():
        return "–"
    mean = fmean(known)
    return f"{mean:,.0f}" if mean >= 10 else f"{mean:.2g}"


def told_failures(results: pl.DataFrame) -> Iterator[str]:
    """A sentence for each run that came to nothing."""
    lost = results.filter(pl.col("status").is_in(["diverged", "failed"]))
    for line in lost.iter_rows(named=True):
        yield f"{line['task']} {line['row']} seed {line['seed']} {line['status']}: {line['reason']}"


def cells(line: Line) -> tuple[str, ...]:
    """A line as text, in the order of :data:`COLUMNS`."""
    return (
        line.row if line.kind == "run" else f"{line.row} ({line.kind})",
        _spell(line.value),
        _spell(line.sd),
        _between(line.low, line.high),
        _spell(line.difference, "+.4f"),
        _between(line.difference_low, line.difference_high, "+.4f"),
        _spell(line.p_value, ".2g"),
        _spell(line.paper, "g"),
        str(line.runs or ""),
    )


def verdict(summary: TaskSummary) -> str:
    """What the audit says of the test rows."""
    found = "; ".join(summary.findings)
    return f"Audit of the {summary.n:,} test rows: {summary.level}" + (
        f" ({found})." if found else "."
    )


def by_metric(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The lines of each metric, in their order."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.metric, []).append(line)
    return found


def _of_task(summary: TaskSummary) -> Iterator[str]:
    yield from (f"## {summary.task}", "", verdict(summary))
    for metric, lines in by_metric(summary.lines).items():
        rows = [
            (name if line.kind == "run" else f"*{name}*", *rest)
            for line in lines
            for name, *rest in [cells(line)]
        ]
        yield from ("", f"### {metric}", "", *_grid(COLUMNS, rows))


def _grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "|".join("---" if n == 0 else "---:" for n in range(len(columns))) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _spell(value: float, form: str = ".4f") -> str:
    return "" if math.isnan(value) else format(value, form)


def _between(low: float, high: float, form: str = ".4f") -> str:
    return "" if math.isnan(low) else f"{low:{form}} to {high:{form}}"
