"""What the runs of a study say together: one line a row and metric.

The value is the mean over the seeds. Its interval, and the test of its difference from that of the
reference row, are by a bootstrap over test rows which every run and baseline goes through with the
same resamples: they are about the very means that stand in the table, and about these seeds.

Shapes: ``S`` seeds, ``C`` metrics, ``R`` resamples.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float64
from numpy import ndarray

from attendna.evaluation.compare import BASELINE, baseline_sample
from attendna.evaluation.measures import TrackSample, affordable, metrics_of
from attendna.evaluation.metrics import Metric, Sample
from attendna.evaluation.uncertainty import RESAMPLES, bootstrap, interval, paired_difference
from attendna.studies.execute import StudyFolder, audited
from attendna.studies.results import Run, sample
from attendna.studies.study import Study
from attendna.tasks.audit.audit import SplitAudit
from attendna.tasks.store import Task, open_task

RULED = ("accuracy", "spearman")
"""Metrics by which the rules of an audit are measured."""


@dataclass(frozen=True)
class Line:
    """One metric of one row; what is not defined, or was not asked, is NaN."""

    task: str
    metric: str
    row: str
    kind: Literal["run", "reference", "baseline", "leak rule"]
    value: float
    """Mean over the seeds."""
    sd: float = math.nan
    """Standard deviation over the seeds."""
    low: float = math.nan
    high: float = math.nan
    runs: int = 0
    difference: float = math.nan
    """From the reference row."""
    difference_low: float = math.nan
    difference_high: float = math.nan
    p_value: float = math.nan
    paper: float = math.nan


@dataclass(frozen=True)
class TaskSummary:
    """A task of a study: its audit, and the lines of its table."""

    task: str
    title: str
    n: int
    level: str
    """The audit's verdict of the test rows."""
    findings: tuple[str, ...]
    lines: tuple[Line, ...]

    def to_frame(self) -> pl.DataFrame:
        """The lines as a table."""
        return pl.DataFrame([asdict(line) for line in self.lines])


@dataclass(frozen=True)
class _Measured:
    """The seeds of one row under every metric, as they are and in resamples."""

    values: Float64[ndarray, "S C"]
    resampled: Float64[ndarray, "C R"]
    """Means over the seeds."""


def summarize(
    study: Study,
    runs: Sequence[Run],
    tasks: Mapping[str, Path],
    folder: StudyFolder,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Iterator[TaskSummary]:
    """The summary of each task of which there are finished runs.

    Parameters
    ----------
    tasks
        The task folders by name.
    """
    for name, path in tasks.items():
        mine = [run for run in runs if run.row.task == name and run.status == "finished"]
        if not mine:
            continue
        task = open_task(path)
        found = audited(path, folder.audit(name))
        metrics = _metrics(study, task)
        measured = _measure(mine, task, metrics, resamples, seed)
        of_test = next(split for split in found.splits if split.split == "test")
        lines = [*_lines(study, name, metrics, measured), *_rules(name, metrics, of_test)]
        yield TaskSummary(
            name, task.spec.title, of_test.n, of_test.level, of_test.findings, tuple(lines)
        )


def _metrics(study: Study, task: Task) -> list[Metric]:
    """Those the study names of the kind of the task, and those that rules are measured by."""
    there = metrics_of(task.spec.label_kind)
    return [there[name] for name in dict.fromkeys((*study.metrics, *RULED)) if name in there]


def _measure(
    runs: Sequence[Run], task: Task, metrics: Sequence[Metric], resamples: int, seed: int
) -> dict[str, _Measured]:
    """Each row of runs, and last the baseline, under the same resamples."""
    spec, rows = task.spec, task.read("test")
    samples: dict[str, list[Sample | TrackSample]] = {}
    for run in runs:
        one = sample(run, rows, spec.label_kind, len(spec.classes))
        samples.setdefault(run.row.name, []).append(one)
    if spec.label_kind in ("binary", "multiclass"):
        samples[BASELINE] = [baseline_sample(task, "test")]
    flat = [one for seeds in samples.values() for one in seeds]
    count = affordable(flat[0], resamples)
    resampled = bootstrap(flat, metrics, np.random.default_rng(seed), count)
    measured: dict[str, _Measured] = {}
    for name, seeds in samples.items():
        mine, resampled = resampled[: len(seeds)], resampled[len(seeds) :]
        values = np.array([[metric.value(one) for metric in metrics] for one in seeds])
        measured[name] = _Measured(values, mine.mean(axis=0))
    return measured


def _lines(
    study: Study, task: str, metrics: Sequence[Metric], measured: Mapping[str, _Measured]
) -> Iterator[Line]:
    reference = measured.get(study.reference or "")
    paper = study.paper.get(task, {})
    for c, metric in enumerate(metrics):
        for row, found in measured.items():
            value = float(found.values[:, c].mean())
            ends = interval(metric, value, found.resampled[c])
            difference = (math.nan,) * 4
            if reference is not None and reference is not found:
                test = paired_difference(
                    value,
                    float(reference.values[:, c].mean()),
                    found.resampled[c],
                    reference.resampled[c],
                )
                difference = (test.value, test.low, test.high, test.p_value)
            seeds = len(found.values)
            yield Line(
                task,
                metric.name,
                row,
                "baseline" if row == BASELINE else "run",
                value,
                float(found.values[:, c].std(ddof=1)) if seeds > 1 else math.nan,
                ends.low,
                ends.high,
                seeds,
                *difference,
                paper=paper.get(row, {}).get(metric.name, math.nan),
            )


def _rules(task: str, metrics: Sequence[Metric], audit: SplitAudit) -> Iterator[Line]:
    """The leak rules of the audit, and the baselines that were not measured as runs are."""
    names = {metric.name for metric in metrics}
    # Of classes the regression on words is measured by every metric, under the same resamples.
    baselines = [score for score in audit.scores if score.kind == "baseline"]
    for one in (*baselines, *audit.of_kind("reference", "leak rule")):
        metric, found = one.measure.lower(), one.found
        if metric in names:
            ends = found.low, found.high
            yield Line(task, metric, one.rule, one.kind, found.value, math.nan, *ends)
