"""Runs side by side on one split: values with intervals, and whether their differences are real.

Shapes: ``R`` resamples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.evaluation.calibration import choose_threshold
from attendna.evaluation.evaluate import Measurement, check_task, tabulate
from attendna.evaluation.measures import TrackSample, affordable, metrics_of, sample_of
from attendna.evaluation.metrics import Metric, Sample
from attendna.evaluation.uncertainty import (
    RESAMPLES,
    Difference,
    bootstrap,
    delong_test,
    mcnemar,
    paired_difference,
)
from attendna.models.header import is_of_tracks
from attendna.prediction.device import PrecisionChoice
from attendna.prediction.transfer import load_predictor
from attendna.tasks.kmer_regression import KMER, KmerRegression
from attendna.tasks.spec import LabelKind, SplitName
from attendna.tasks.store import Task, open_task
from attendna.tasks.tracks import refuse_other_kind

BASELINE = f"{KMER}-mer regression"


@dataclass(frozen=True)
class PairedTest:
    """One metric of a run minus that of the run all are compared with: a tidy row.

    ``test`` is ``bootstrap`` (paired, over rows), ``DeLong`` (AUROC) or ``McNemar`` (accuracy,
    exact, without an interval). Positive differences favor the run where higher is better.
    """

    run: str
    against: str
    metric: str
    test: str
    difference: float
    low: float
    high: float
    p_value: float
    higher_is_better: bool


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` finds: the measurements of each run, and the tests of all but the first.

    The ``run`` of a row is the name the run was given in the comparison.
    """

    rows: tuple[Measurement, ...]
    tests: tuple[PairedTest, ...]

    def to_frame(self) -> pl.DataFrame:
        """The measurements as a table."""
        return pl.DataFrame([asdict(row) for row in self.rows])

    def tests_frame(self) -> pl.DataFrame:
        """The tests as a table."""
        return pl.DataFrame([asdict(test) for test in self.tests])


def compare(
    runs: Sequence[str | Path],
    task_folder: str | Path,
    split: SplitName = "test",
    *,
    baseline: bool = False,
    device: str = "auto",
    precision: PrecisionChoice = "auto",
    other_split: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Measure runs on the same rows and test each against the first; nothing is written.

    Parameters
    ----------
    baseline
        Add a logistic regression on k-mers, trained on the task's training rows, as the last.
    other_split
        See :func:`attendna.evaluation.evaluate.evaluate`.

    Raises
    ------
    UserError
        There are not two things to compare, a run is not finished, or the task does not fit one.
    """
    names = [str(run) for run in runs]
    if len(set(names)) + baseline < 2:
        raise ConfigError("there is one run to compare", "name two runs, or add --baseline")
    if len(set(names)) < len(names):
        raise ConfigError("a run is named twice", "name each run once")
    for name in names:
        refuse_other_kind(name, task_folder, of_tracks=is_of_tracks(name))
    task = open_task(task_folder)
    rows = task.read(split)
    labels = rows.labels_of_all(len(task.spec.classes))
    samples: dict[str, Sample | TrackSample] = {}
    # Every run is opened before the first predicts, so that a wrong name is reported at once.
    for name in names:
        checkpoint = load_predictor(name, device, precision).checkpoint
        check_task(checkpoint, task, name, other_split=other_split)
    for name in names:
        predictor = load_predictor(name, device, precision)
        predictions = predictor.predict(rows.sequences, rows.ids, alternatives=rows.alternatives)
        samples[name] = sample_of(
            task.spec.label_kind, labels, predictions.values, predictor.checkpoint.threshold
        )
    if baseline:
        _ = task.spec.class_kind
        samples[BASELINE] = baseline_sample(task, split)
    return compare_samples(
        samples,
        task.spec.label_kind,
        task=task.spec.name,
        split=split,
        resamples=resamples,
        seed=seed,
    )


def baseline_sample(task: Task, split: SplitName) -> Sample:
    """The k-mer regression of a task on a split, its threshold chosen on validation rows."""
    known = task.read("train")
    baseline = KmerRegression(known.sequences, known.labels, len(task.spec.classes))
    threshold = 0.5
    if task.spec.label_kind == "binary":
        valid = task.read("valid")
        threshold = choose_threshold(valid.labels, baseline.probabilities(valid.sequences)[:, 0])
    rows = task.read(split)
    return Sample.of(rows.labels, baseline.probabilities(rows.sequences), threshold)


def compare_samples(
    samples: Mapping[str, Sample | TrackSample],
    kind: LabelKind,
    *,
    task: str,
    split: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Measure samples of the same rows and test each against the first."""
    metrics = list(metrics_of(kind).values())
    count = affordable(next(iter(samples.values())), resamples)
    resampled = bootstrap(list(samples.values()), metrics, np.random.default_rng(seed), count)
    names = list(samples)
    rows: list[Measurement] = []
    tests: list[PairedTest] = []
    for m, name in enumerate(names):
        rows += tabulate(samples[name], metrics, resampled[m], run=name, task=task, split=split)
        if m == 0:
            continue
        for c, metric in enumerate(metrics):
            found = _differences(
                metric, samples[name], samples[names[0]], resampled[m, c], resampled[0, c]
            )
            tests += [
                PairedTest(name, names[0], metric.name, test, *row, metric.higher_is_better)
                for test, row in found.items()
            ]
    return Comparison(tuple(rows), tuple(tests))


def _differences(
    metric: Metric,
    one: Sample | TrackSample,
    other: Sample | TrackSample,
    resampled_one: Float64[ndarray, " R"],
    resampled_other: Float64[ndarray, " R"],
) -> dict[str, Difference]:
    """The difference of a metric by each test there is for it."""
    paired = paired_difference(
        metric.value(one), metric.value(other), resampled_one, resampled_other
    )
    found = {"bootstrap": paired}
    if not isinstance(one, Sample) or not isinstance(other, Sample):
        return found
    if metric.name == "auroc" and one.binary:
        scores = one.probabilities[:, 0], other.probabilities[:, 0]
        found["DeLong"] = delong_test(one.labels == 1, *scores)
    if metric.name == "accuracy":
        p_value = mcnemar(one.predicted == one.labels, other.predicted == other.labels)
        found["McNemar"] = Difference(paired.value, np.nan, np.nan, p_value)
    return found
