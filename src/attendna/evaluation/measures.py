"""Which metrics a task has by the kind of its labels, and the sample they are computed of.

Of several tracks a metric is the plain mean over those tracks for which it is defined (macro).

Shapes: ``N`` rows, ``T`` tracks, ``R`` weightings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Num
from numpy import ndarray

from attendna.core.errors import ConfigError, UserError
from attendna.evaluation.metrics import (
    METRICS,
    Measurable,
    Metric,
    Sample,
    Values,
    Weights,
    all_metrics,
)
from attendna.evaluation.number_metrics import NUMBER_METRICS, NumberSample
from attendna.tasks.spec import LabelKind

OF_TRACKS = ("auroc", "auprc", "brier", "log_loss", "ece")
"""Metrics of classes that make sense of a positive or negative track without a threshold."""

MOST_CELLS = 400_000_000
"""Labels times resamples that a bootstrap goes through: about a minute."""

LEAST_RESAMPLES = 100

LOGGED: dict[LabelKind, tuple[str, ...]] = {
    "binary": ("auroc", "auprc", "mcc", "accuracy", "f1", "specificity"),
    "multiclass": ("auroc", "auprc", "mcc", "accuracy", "f1", "specificity"),
    "multilabel": ("auprc", "auroc"),
    "regression": ("spearman", "pearson", "mse"),
}
"""Metrics of every validation, the task's own first where it names none of its kind."""


@dataclass(frozen=True, eq=False)
class TrackSample:
    """Labels of several tracks and what was predicted for them.

    labels
        0 and 1 of tracks that are positive or negative, measured numbers of others; NaN where
        nothing is known, which counts for nothing.

    Raises
    ------
    UserError
        There are no rows, or no label is known.
    """

    labels: Float64[ndarray, "N T"]
    predicted: Float64[ndarray, "N T"]
    numbers: bool
    """Whether the labels are measured numbers."""

    threshold = float("nan")
    binary = False

    def __post_init__(self) -> None:
        if not self.known.any():
            raise UserError("there are no known labels to measure", "check the split")

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @cached_property
    def known(self) -> Bool[ndarray, "N T"]:
        """Which labels are known."""
        return ~np.isnan(self.labels)

    @property
    def prevalence(self) -> float:
        """Mean share of positives of the tracks; NaN of numbers."""
        if self.numbers:
            return float("nan")
        counts = self.known.sum(axis=0)
        positive = np.nansum(self.labels, axis=0)
        return float((positive[counts > 0] / counts[counts > 0]).mean())

    @cached_property
    def tracks(self) -> "tuple[Sample | NumberSample | None, ...]":
        """Each track by itself, with the rows in which it is known; none where it never is."""
        return tuple(self._track(number) for number in range(self.labels.shape[1]))

    def weighted(self, weights: Weights) -> "WeightedTracks":
        """The sample under many weightings of its rows."""
        return WeightedTracks(self, weights)

    def _track(self, number: int) -> "Sample | NumberSample | None":
        rows = self.known[:, number]
        if not rows.any():
            return None
        labels, predicted = self.labels[rows, number], self.predicted[rows, number]
        return NumberSample(labels, predicted) if self.numbers else Sample.of(labels, predicted)


@dataclass(frozen=True, eq=False)
class WeightedTracks:
    """Several tracks under many weightings of their rows."""

    sample: TrackSample
    weights: Weights

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """Each track under the weightings; none where nothing of it is known."""
        known = self.sample.known
        return tuple(
            None if track is None else track.weighted(self.weights[:, known[:, number]])
            for number, track in enumerate(self.sample.tracks)
        )


def by_track(metric: Metric, rows: WeightedTracks) -> Float64[ndarray, "T R"]:
    """A metric of each track; NaN where it is not defined."""
    undefined = np.full(len(rows.weights), np.nan)
    return np.stack([undefined if part is None else metric(part) for part in rows.parts])


def macro(metric: Metric) -> Metric:
    """The mean of a metric over the tracks for which it is defined."""

    def function(rows: WeightedTracks) -> Values:
        values = by_track(metric, rows)
        defined = ~np.isnan(values)
        count = defined.sum(axis=0)
        total = np.where(defined, values, 0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    return Metric(
        metric.name,
        metric.title,
        function,
        f"{metric.undefined} in every track",
        metric.higher_is_better,
        inflated_by_resampling=metric.inflated_by_resampling,
    )


def track_metrics(kind: LabelKind) -> dict[str, Metric]:
    """The metrics of a single track, in the order of tables; none of tasks with classes."""
    if kind == "regression":
        return {name: NUMBER_METRICS[name] for name in NUMBER_METRICS}
    return {name: METRICS[name] for name in OF_TRACKS} if kind == "multilabel" else {}


def metrics_of(kind: LabelKind) -> dict[str, Metric]:
    """The metrics of a kind of task, in the order of tables."""
    of_tracks = track_metrics(kind)
    if of_tracks:
        return {name: macro(metric) for name, metric in of_tracks.items()}
    return {metric.name: metric for metric in all_metrics()}


def find_metric(name: str) -> Metric:
    """A metric of any kind of task, by its name.

    Raises
    ------
    ConfigError
        There is none.
    """
    if name in NUMBER_METRICS:
        return NUMBER_METRICS[name]
    if name not in METRICS:
        known = ", ".join((*METRICS, *NUMBER_METRICS))
        raise ConfigError(f"there is no metric {name!r}", f"choose from {known}")
    return METRICS[name]


def main_metric(kind: LabelKind, wanted: str) -> str:
    """The metric a task is judged by: the one it names, where that is one of its kind."""
    return wanted if wanted in metrics_of(kind) else LOGGED[kind][0]


def sample_of(
    kind: LabelKind,
    labels: Num[ndarray, "N *tracks"],
    predicted: Num[ndarray, "N T"],
    threshold: float = 0.5,
) -> Sample | TrackSample:
    """Labels of a kind of task and what was predicted for them, on the scale of the labels."""
    if kind in ("binary", "multiclass"):
        return Sample.of(labels, predicted, threshold)
    return TrackSample(
        labels.astype(np.float64), predicted.astype(np.float64), kind == "regression"
    )


def affordable(sample: Measurable, resamples: int) -> int:
    """Resamples that many tracks leave time for, of those that are asked for."""
    cells = sample.labels.size if isinstance(sample, TrackSample) else 0
    return min(resamples, max(LEAST_RESAMPLES, MOST_CELLS // cells)) if cells else resamples


def each_track(
    sample: TrackSample, metrics: Mapping[str, Metric]
) -> Iterator[tuple[str, Float64[ndarray, " T"]]]:
    """The value of every metric in each track."""
    once = sample.weighted(np.ones((1, sample.n)))
    for name, metric in metrics.items():
        yield name, by_track(metric, once)[:, 0]
