"""The metrics, one function each, computed for many weightings of the rows at once.

A weighting says how often each row counts: all ones is the data as it is, the counts of a bootstrap
resample are that resample. So two thousand resamples cost a few matrix products and one sort, and
the value that is reported and its interval come from the same code. With weights scikit-learn has
every metric too, one weighting a call; the tests hold ours to it.

Binary metrics concern the positive class, label 1. With more classes, precision, recall,
specificity and F1 are the plain mean over classes taken one against the rest (macro), and so are
AUROC and AUPRC; accuracy, MCC (Gorodkin 2004), Brier and log loss have forms of their own for many
classes; ECE concerns the probability of the predicted class.

What is not defined is NaN, never a number made up and never left out; the metric says when.

Shapes: ``N`` rows, ``T`` outputs (1 if binary), ``K`` classes (2 if binary), ``R`` weightings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64, Int64, Num
from numpy import ndarray

from attendna.core.errors import DivergedError, UserError
from attendna.core.registry import Registry

Weights: TypeAlias = Float64[ndarray, "R N"]
Values: TypeAlias = Float64[ndarray, " R"]
Confusion: TypeAlias = Float64[ndarray, "R K K"]
"""Weight of the rows of each true class (first K) that were given each class (second K)."""

ECE_BINS = 15
"""Equally wide bins of the expected calibration error, as Guo et al. (2017) have them."""

_SMALLEST = float(np.finfo(np.float32).eps)


@runtime_checkable
class Weighable(Protocol):
    """Rows that metrics of their kind can measure."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    def weighted(self, weights: Weights) -> Any:
        """The rows under many weightings, as the metrics of the kind take them."""
        ...


@runtime_checkable
class Measurable(Weighable, Protocol):
    """Rows with labels and predictions, of which measurements are reported."""

    @property
    def labels(self) -> Num[ndarray, "N *tracks"]:
        """What is true of each row."""
        ...

    @property
    def binary(self) -> bool:
        """Whether a row is one of two classes, told apart by ``threshold``."""
        ...

    @property
    def threshold(self) -> float:
        """Probability from which a row is called positive."""
        ...

    @property
    def prevalence(self) -> float:
        """Share of positives, or of the most frequent class; NaN where there are none."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Labels and what was predicted for them.

    Parameters
    ----------
    labels
        Class of each row, from 0.
    probabilities
        One column with the probability of class 1, or one column a class.
    threshold
        Probability from which a row is called positive; of no effect with several columns.

    Raises
    ------
    UserError
        There are no rows, a label is no class, or a probability is not a number from 0 to 1.
    """

    labels: Int64[ndarray, " N"]
    probabilities: Float64[ndarray, "N T"]
    threshold: float = 0.5

    @classmethod
    def of(
        cls,
        labels: Num[ndarray, " N"],
        probabilities: Num[ndarray, "N T"] | Num[ndarray, " N"],
        threshold: float = 0.5,
    ) -> "Sample":
        """From arrays of any numeric type; a flat array of probabilities is one column."""
        columns = probabilities if probabilities.ndim == 2 else probabilities[:, None]
        return cls(labels.astype(np.int64), columns.astype(np.float64), threshold)

    def __post_init__(self) -> None:
        if not self.labels.size:
            raise UserError("there are no rows to measure", "check the split")
        if self.labels.min() < 0 or self.labels.max() >= self.classes:
            raise UserError(
                f"the labels reach from {self.labels.min()} to {self.labels.max()}, "
                f"the predictions know {self.classes} classes",
                "evaluate on a task with the classes the model was trained on",
            )
        wrong = ~((self.probabilities >= 0) & (self.probabilities <= 1)).all(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DivergedError(
                f"the prediction of row {row + 1} is {self.probabilities[row]}, not a probability",
                "train again with a lower learning rate if training diverged",
            )

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.labels.size

    def weighted(self, weights: "Weights") -> "Weighted":
        """The sample under many weightings of its rows."""
        return Weighted(self, weights)

    @property
    def classes(self) -> int:
        """Number of classes, K."""
        return max(2, self.probabilities.shape[1])

    @property
    def binary(self) -> bool:
        """Whether there is one output."""
        return self.probabilities.shape[1] == 1

    @property
    def prevalence(self) -> float:
        """Share of the positive class; with several classes, of the most frequent one."""
        counts = np.bincount(self.labels, minlength=self.classes)
        return float(counts[1] if self.binary else counts.max()) / self.labels.size

    @cached_property
    def predicted(self) -> Int64[ndarray, " N"]:
        """The class each row is given."""
        if self.binary:
            return (self.probabilities[:, 0] >= self.threshold).astype(np.int64)
        return self.probabilities.argmax(axis=1)

    @property
    def confusion(self) -> Int64[ndarray, "K K"]:
        """Rows of each class (row) that are given each class (column)."""
        cells = self.labels * self.classes + self.predicted
        counts = np.bincount(cells, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes)

    @cached_property
    def contrasts(self) -> "tuple[Contrast, ...]":
        """Each class against the rest; of a binary sample only the positive class."""
        if self.binary:
            return (Contrast(self.labels == 1, self.probabilities[:, 0]),)
        return tuple(
            Contrast(self.labels == k, self.probabilities[:, k]) for k in range(self.classes)
        )


@dataclass(frozen=True, eq=False)
class Contrast:
    """Scores of positives and negatives, sorted once for all weightings."""

    positive: Bool[ndarray, " N"]
    score: Float64[ndarray, " N"]

    @cached_property
    def order(self) -> Int64[ndarray, " N"]:
        """Rows from the highest score to the lowest."""
        return np.argsort(-self.score, kind="stable")

    @cached_property
    def last_of_ties(self) -> Int64[ndarray, " G"]:
        """Positions in ``order`` where a run of equal scores ends."""
        sorted_scores = self.score[self.order]
        return np.append(np.flatnonzero(np.diff(sorted_scores)), sorted_scores.size - 1)

    def called(self, weights: Weights) -> "Called":
        """What is called positive when the threshold is each distinct score in turn."""
        ordered = weights[:, self.order]
        total = np.cumsum(ordered, axis=1)[:, self.last_of_ties]
        ordered *= self.positive[self.order]
        true = np.cumsum(ordered, axis=1)[:, self.last_of_ties]
        return Called(true, total - true)


class Called(NamedTuple):
    """Weight of true and false positives at each distinct score, from the highest."""

    true: Float64[ndarray, "R G"]
    false: Float64[ndarray, "R G"]


@dataclass(frozen=True, eq=False)
class Weighted:
    """A sample under many weightings of its rows; what several metrics need is computed once."""

    sample: Sample
    weights: Weights

    @cached_property
    def confusion(self) -> Confusion:
        """The confusion matrix under each weighting."""
        classes = self.sample.classes
        cells = self.sample.labels * classes + self.sample.predicted
        return self.sums(cells[:, None] == np.arange(classes**2)).reshape(-1, classes, classes)

    @cached_property
    def called(self) -> tuple[Called, ...]:
        """True and false positives by threshold, for each contrast of the sample."""
        return tuple(contrast.called(self.weights) for contrast in self.sample.contrasts)

    def sums(self, columns: Num[ndarray, "N C"] | Bool[ndarray, "N C"]) -> Float64[ndarray, "R C"]:
        """Weighted sum of each column."""
        return self.weights @ columns.astype(np.float64)

    def mean(self, values: Float64[ndarray, " N"]) -> Values:
        """Weighted mean of one value a row."""
        return self.weights @ values / self.weights.sum(axis=1)


@dataclass(frozen=True)
class Metric:
    """A named number about a sample, with what a reader must know of it.

    ``function`` gives its value under each weighting of the kind of sample it is of, which are
    classes here and numbers or many tracks in :mod:`.number_metrics` and :mod:`.measures`;
    ``of_confusion``, where there is one, gives it from confusion matrices alone: a threshold can be
    chosen by such a metric.
    """

    name: str
    title: str
    function: Callable[[Any], Values]
    undefined: str
    """When it is not defined, to follow "not defined because"."""
    higher_is_better: bool = True
    of_confusion: Callable[[Confusion], Values] | None = None
    inflated_by_resampling: bool = False
    """Whether repeated rows push it up: a sum of absolute values that noise alone makes grow."""

    def __call__(self, rows: Any) -> Values:
        """The metric under each weighting; NaN where it is not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.function(rows)

    def value(self, sample: Weighable) -> float:
        """The metric of the sample as it is."""
        return float(self(sample.weighted(np.ones((1, sample.n))))[0])


def _from_confusion(
    title: str, undefined: str
) -> Callable[[Callable[[Confusion], Values]], Metric]:
    """Make a metric of a function of confusion matrices."""

    def make(of_confusion: Callable[[Confusion], Values]) -> Metric:
        def function(rows: Weighted) -> Values:
            return of_confusion(rows.confusion)

        name = of_confusion.__name__
        return Metric(name, title, function, undefined, of_confusion=of_confusion)

    return make


def _from_rows(
    title: str,
    undefined: str,
    *,
    higher_is_better: bool = True,
    inflated_by_resampling: bool = False,
) -> Callable[[Callable[[Weighted], Values]], Metric]:
    """Make a metric of a function of weighted rows."""

    def make(function: Callable[[Weighted], Values]) -> Metric:
        return Metric(
            function.__name__,
            title,
            function,
            undefined,
            higher_is_better,
            inflated_by_resampling=inflated_by_resampling,
        )

    return make


def _concerned(
    per_class: Float64[ndarray, "R K"],
) -> Values:
    """The positive class of two, or the mean over more."""
    return per_class[:, 1] if per_class.shape[1] == 2 else per_class.mean(axis=1)


def _diagonal(confusion: Confusion) -> Float64[ndarray, "R K"]:
    return np.diagonal(confusion, axis1=1, axis2=2)


NO_ROWS = "no row counts"
ONE_CLASS = "a class has no row"


@_from_confusion("accuracy", NO_ROWS)
def accuracy(confusion: Confusion) -> Values:
    """Share of rows given their class."""
    return _diagonal(confusion).sum(axis=1) / confusion.sum(axis=(1, 2))


@_from_confusion("precision", "no row was given a class that it is computed for")
def precision(confusion: Confusion) -> Values:
    """Share of the rows called positive that are."""
    return _concerned(_diagonal(confusion) / confusion.sum(axis=1))


@_from_confusion("recall", ONE_CLASS)
def recall(confusion: Confusion) -> Values:
    """Share of the positive rows that are called so (sensitivity)."""
    return _concerned(_diagonal(confusion) / confusion.sum(axis=2))


@_from_confusion("specificity", ONE_CLASS)
def specificity(confusion: Confusion) -> Values:
    """Share of the rows outside the class that are not called it."""
    correct = _diagonal(confusion)
    total = confusion.sum(axis=(1, 2))[:, None]
    truly, called = confusion.sum(axis=2), confusion.sum(axis=1)
    return _concerned((total - truly - called + correct) / (total - truly))


@_from_confusion("F1", "a class has no row and none was given it")
def f1(confusion: Confusion) -> Values:
    """Harmonic mean of precision and recall; 0 where a class is never found."""
    either = confusion.sum(axis=1) + confusion.sum(axis=2)
    return _concerned(2 * _diagonal(confusion) / either)


@_from_confusion("MCC", ONE_CLASS)
def mcc(confusion: Confusion) -> Values:
    """Matthews correlation of truth and call; 0 when every row is given the same class."""
    total = confusion.sum(axis=(1, 2))
    truly, called = confusion.sum(axis=2), confusion.sum(axis=1)
    covariance = _diagonal(confusion).sum(axis=1) * total - (truly * called).sum(axis=1)
    spread_of_truth = total**2 - (truly**2).sum(axis=1)
    spread_of_calls = total**2 - (called**2).sum(axis=1)
    # A constant call has no covariance either: its correlation is 0 by convention, not 0/0.
    spread = np.sqrt(spread_of_truth * np.where(spread_of_calls > 0, spread_of_calls, 1))
    return covariance / spread


@_from_rows("AUROC", ONE_CLASS)
def auroc(rows: Weighted) -> Values:
    """Chance that a positive scores above a negative, ties counting half."""
    return np.mean([_area_under_roc(called) for called in rows.called], axis=0)


def _area_under_roc(called: Called) -> Values:
    steps = np.diff(called.false, axis=1, prepend=0)
    heights = called.true - np.diff(called.true, axis=1, prepend=0) / 2
    return (steps * heights).sum(axis=1) / (called.true[:, -1] * called.false[:, -1])


@_from_rows("AUPRC", ONE_CLASS)
def auprc(rows: Weighted) -> Values:
    """Average precision: the mean precision at each positive, without interpolation."""
    return np.mean([_average_precision(called) for called in rows.called], axis=0)


def _average_precision(called: Called) -> Values:
    found = np.diff(called.true, axis=1, prepend=0)
    total = called.true + called.false
    # Above the first row that counts nothing is called, and nothing is found there.
    precision_there = np.divide(called.true, total, out=np.zeros_like(total), where=total > 0)
    area = (found * precision_there).sum(axis=1) / called.true[:, -1]
    return np.where(called.false[:, -1] > 0, area, np.nan)


@_from_rows("Brier score", NO_ROWS, higher_is_better=False)
def brier(rows: Weighted) -> Values:
    """Mean squared error of the probability.

    With several classes it is half the sum over classes, which with two is the binary score
    (``scale_by_half`` of scikit-learn).
    """
    sample = rows.sample
    if sample.binary:
        return rows.mean((sample.probabilities[:, 0] - sample.labels) ** 2)
    truth = np.eye(sample.classes)[sample.labels]
    return rows.mean(((sample.probabilities - truth) ** 2).sum(axis=1) / 2)


@_from_rows("log loss", NO_ROWS, higher_is_better=False)
def log_loss(rows: Weighted) -> Values:
    """Mean negative natural logarithm of the probability given to the true class."""
    sample = rows.sample
    if sample.binary:
        positive = sample.probabilities[:, 0]
        given = np.where(sample.labels == 1, positive, 1 - positive)
    else:
        given = sample.probabilities[np.arange(sample.labels.size), sample.labels]
    return rows.mean(-np.log(np.clip(given, _SMALLEST, 1)))


@_from_rows("ECE", NO_ROWS, higher_is_better=False, inflated_by_resampling=True)
def ece(rows: Weighted) -> Values:
    """Expected calibration error: mean gap between probability and frequency over equal bins.

    Binary: probability of the positive class against its frequency. More classes: probability of
    the predicted class against its accuracy. Source: Guo et al. 2017, section 2.
    """
    confidence, hit = confidence_and_hit(rows.sample)
    member = calibration_bin(confidence)[:, None] == np.arange(ECE_BINS)
    gaps = rows.sums(member * (hit - confidence)[:, None])
    return np.abs(gaps).sum(axis=1) / rows.weights.sum(axis=1)


def confidence_and_hit(
    sample: Sample,
) -> tuple[Float64[ndarray, " N"], Float64[ndarray, " N"]]:
    """The probability that calibration is judged by, and whether its event came true."""
    if sample.binary:
        return sample.probabilities[:, 0], (sample.labels == 1).astype(np.float64)
    return sample.probabilities.max(axis=1), (sample.predicted == sample.labels).astype(np.float64)


def calibration_bin(confidence: Float64[ndarray, " N"]) -> Int64[ndarray, " N"]:
    """The bin of each probability: ``[0, 1/15)``, …, the last with its upper end."""
    return np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)


STANDARD = (
    "auroc", "auprc", "mcc", "accuracy", "precision", "recall", "specificity", "f1",
    "brier", "log_loss", "ece",
)  # fmt: skip
"""The metrics of this file in the order of tables."""

METRICS: Registry[Metric] = Registry(
    "metric", {name: f"{__name__}:{name}" for name in STANDARD}, group="attendna.metrics"
)


def all_metrics() -> Iterator[Metric]:
    """Every registered metric: the standard ones in the order of tables, then those of plug-ins."""
    for name in (*STANDARD, *(name for name in METRICS if name not in STANDARD)):
        yield METRICS[name]
