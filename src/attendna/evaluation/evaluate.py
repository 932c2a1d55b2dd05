"""What a trained model is worth on a split: the only code that opens test rows.

The threshold is the one stored with the model, chosen on validation rows; it is never chosen here.

Shapes: ``C`` metrics, ``R`` resamples.
"""

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.content import read_json
from attendna.core.errors import FolderError, UserError
from attendna.core.files import publish_file
from attendna.core.parquet import write_parquet
from attendna.evaluation.measures import (
    TrackSample,
    affordable,
    each_track,
    metrics_of,
    sample_of,
    track_metrics,
)
from attendna.evaluation.metrics import Measurable, Metric
from attendna.evaluation.track_files import TRACKS_FILE, read_table
from attendna.evaluation.uncertainty import RESAMPLES, bootstrap, interval
from attendna.models.checkpoint import Checkpoint
from attendna.models.hardware import Precision
from attendna.models.header import is_of_tracks
from attendna.prediction.device import PrecisionChoice
from attendna.prediction.predictor import Predictor, Progress
from attendna.prediction.transfer import load_predictor
from attendna.tasks.spec import LabelKind, SplitName
from attendna.tasks.store import Split, Task, open_task
from attendna.tasks.tracks import refuse_other_kind

METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"


class SeenRowsWarning(UserWarning):
    """The model may have been trained on rows it is evaluated on."""


@dataclass(frozen=True)
class Measurement:
    """One metric of one run on one split: a tidy row.

    ``low`` and ``high`` are the ends of the 95 % bootstrap interval. What is not defined is NaN,
    and ``reason`` says why; it is empty otherwise. ``threshold`` is NaN with several classes.
    """

    run: str
    task: str
    split: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    prevalence: float
    threshold: float
    higher_is_better: bool
    reason: str = ""
    precision: Precision | None = None
    """What its predictions were computed in; none of what is no network."""


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """The measurements of one run on one split, and the predictions they were made of.

    ``predictions`` has the columns ``task``, ``split``, ``id``, ``label``, and what was predicted
    for each output under its name.
    """

    rows: tuple[Measurement, ...]
    predictions: pl.DataFrame
    tracks: pl.DataFrame | None = None
    """Of a task of many tracks, ``task``, ``split``, ``track``, the number of rows in which it is
    known, and the value of every metric; NaN where it is not defined."""

    def value(self, metric: str) -> float:
        """The value of one metric."""
        return next(row.value for row in self.rows if row.metric == metric)

    def to_frame(self) -> pl.DataFrame:
        """The measurements as a table."""
        return pl.DataFrame([asdict(row) for row in self.rows])


def evaluate(
    run: str | Path,
    task_folder: str | Path,
    split: SplitName = "test",
    *,
    device: str = "auto",
    precision: PrecisionChoice = "auto",
    other_split: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Measure a run on a split of a task and enter it into the run folder.

    ``metrics.json`` and ``predictions.parquet`` get the new rows in place of those of the same task
    and split.

    Parameters
    ----------
    other_split
        Accept a task of the name the run was trained on whose training and validation rows are
        others, although the run may have seen the rows it is measured on.

    Raises
    ------
    UserError
        The run is not finished, or the task does not fit the model.

    Warns
    -----
    SeenRowsWarning
        The task is another than the run was trained on.
    """
    refuse_other_kind(run, task_folder, of_tracks=is_of_tracks(run))
    predictor = load_predictor(run, device, precision)
    task = open_task(task_folder)
    check_task(predictor.checkpoint, task, run, other_split=other_split)
    result = evaluate_split(
        predictor,
        task.read(split),
        task=task.spec.name,
        split=split,
        resamples=resamples,
        seed=seed,
        source=task.folder / f"{split}.parquet",
        progress=progress,
    )
    write_evaluation(run, result)
    return result


def check_task(
    checkpoint: Checkpoint, task: Task, run: str | Path, *, other_split: bool = False
) -> None:
    """Refuse a task that the model cannot answer, or whose rows it may have learned.

    Raises
    ------
    UserError
        The classes differ, or the task has the name the model was trained on but other training
        and validation rows.

    Warns
    -----
    SeenRowsWarning
        The task has another name, or ``other_split`` was given.
    """
    spec, trained = task.spec, checkpoint.input
    if spec.classes != checkpoint.classes:
        raise UserError(
            f"{task.folder} has the classes {', '.join(spec.classes)}, {run} predicts "
            f"{', '.join(checkpoint.classes)}",
            "evaluate on a task with the same classes in the same order",
        )
    if task.split_hash() == trained.split_hash:
        return
    if spec.name == trained.task and not other_split:
        raise FolderError(
            f"{task.folder} has other training and validation rows than {run} was trained on, "
            "which may have seen the rows to be measured",
            "evaluate on the folder it was trained on, or add --other-split",
        )
    warnings.warn(
        f"{run} was trained on other rows (task {trained.task}); nothing says that it has not seen "
        f"rows of {task.folder}",
        SeenRowsWarning,
        stacklevel=3,
    )


def evaluate_split(
    predictor: Predictor,
    rows: Split,
    *,
    task: str,
    split: SplitName,
    resamples: int = RESAMPLES,
    seed: int = 0,
    source: str | Path = "the sequences",
    progress: Progress | None = None,
) -> EvaluationResult:
    """Measure a model on rows, which come from ``source``; nothing is written."""
    checkpoint = predictor.checkpoint
    predictions = predictor.predict(
        rows.sequences, rows.ids, alternatives=rows.alternatives, source=source, progress=progress
    )
    kind = checkpoint.label_kind
    labels = rows.labels_of_all(len(checkpoint.classes))
    sample = sample_of(kind, labels, predictions.values, checkpoint.threshold)
    frame = predictions.to_frame()
    frame = frame.select(
        pl.lit(task).alias("task"),
        pl.lit(split).alias("split"),
        "id",
        rows.frame["label"],
        *predictions.names,
    )
    measured = measure(
        sample, kind, run=checkpoint.run_id, task=task, split=split, resamples=resamples, seed=seed
    )
    measured = tuple(replace(row, precision=predictor.precision) for row in measured)
    tracks = None
    if isinstance(sample, TrackSample):
        tracks = _tracks(sample, checkpoint, task, split)
    return EvaluationResult(measured, frame, tracks)


def _tracks(
    sample: TrackSample, checkpoint: Checkpoint, task: str, split: SplitName
) -> pl.DataFrame:
    """A row a track, with the value of every metric."""
    known = sample.known.sum(axis=0)
    columns: dict[str, object] = {"track": checkpoint.classes, "n": known}
    if not sample.numbers:
        columns["positive"] = np.nansum(sample.labels, axis=0).astype(np.int64)
    columns |= dict(each_track(sample, track_metrics(checkpoint.label_kind)))
    return pl.DataFrame(columns).select(
        pl.lit(task).alias("task"), pl.lit(split).alias("split"), pl.all()
    )


def measure(
    sample: Measurable,
    kind: LabelKind,
    *,
    run: str,
    task: str,
    split: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Every registered metric of a sample, with its interval."""
    metrics = list(metrics_of(kind).values())
    count = affordable(sample, resamples)
    resampled = bootstrap([sample], metrics, np.random.default_rng(seed), count)
    return tabulate(sample, metrics, resampled[0], run=run, task=task, split=split)


def tabulate(
    sample: Measurable,
    metrics: Sequence[Metric],
    resampled: Float64[ndarray, "C R"],
    *,
    run: str,
    task: str,
    split: str,
) -> tuple[Measurement, ...]:
    """One row a metric, from the sample and the values of the metrics in its resamples."""
    rows: list[Measurement] = []
    for metric, values in zip(metrics, resampled, strict=True):
        value = metric.value(sample)
        ends = interval(metric, value, values)
        rows.append(
            Measurement(
                run=run,
                task=task,
                split=split,
                metric=metric.name,
                value=value,
                low=ends.low,
                high=ends.high,
                n=sample.n,
                prevalence=sample.prevalence,
                threshold=sample.threshold if sample.binary else math.nan,
                higher_is_better=metric.higher_is_better,
                reason=metric.undefined if math.isnan(value) else "",
            )
        )
    return tuple(rows)


def write_evaluation(run: str | Path, result: EvaluationResult) -> None:
    """Enter a result into a run folder, in place of what it held of the same task and split."""
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    task, split = result.rows[0].task, result.rows[0].split
    kept = [
        row for row in read_metrics(folder) if (row.get("task"), row.get("split")) != (task, split)
    ]
    new = [_without_nan(asdict(row)) for row in result.rows]
    predictions = result.predictions
    for name, frame in ((PREDICTIONS_FILE, predictions), (TRACKS_FILE, result.tracks)):
        if frame is not None:
            _write_table(folder / name, frame, task, split)
    with publish_file(folder / METRICS_FILE) as partial:
        lines = ",\n  ".join(json.dumps(row, allow_nan=False) for row in kept + new)
        partial.write_text(f"[\n  {lines}\n]\n", encoding="utf-8")


def read_metrics(run: str | Path) -> list[dict[str, Any]]:
    """The tidy rows of a run folder, none where nothing was measured; null is not defined.

    Raises
    ------
    FolderError
        The file is damaged.
    """
    path = Path(run) / METRICS_FILE
    if not path.is_file():
        return []
    try:
        rows = [dict(row) for row in read_json(path)]
        for row in rows:
            _ = row["task"], row["split"], row["metric"], row["value"]
        return rows
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path} is damaged", "delete it and evaluate again") from error


def _write_table(path: Path, rows: pl.DataFrame, task: str, split: str) -> None:
    """Enter rows in place of those of the same task and split."""
    held = read_table(path.parent, path.name)
    if held is not None:
        others = held.filter((pl.col("task") != task) | (pl.col("split") != split))
        rows = pl.concat([others, rows])
    with publish_file(path) as partial:
        write_parquet(rows, partial)


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: what is not defined becomes null."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in row.items()
    }
