"""Comparisons of runs against tests computed from their predictions."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from tests.planted import plant

from attendna.core.errors import ConfigError, FolderError
from attendna.evaluation.compare import BASELINE, compare
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task


def test_differences_and_tests_are_those_of_the_predictions(
    runs: tuple[Path, Path], planted: Task
) -> None:
    good, poor = (str(run) for run in runs)
    found = compare(runs, planted.folder, resamples=300)
    test = planted.read("test")
    positive = test.labels == 1
    said = {run: Predictor.load(run).predict(test.sequences).values[:, 0] for run in (good, poor)}
    values = {(row.run, row.metric): row for row in found.rows}
    assert values[good, "auroc"].value == pytest.approx(roc_auc_score(positive, said[good]))
    tests = {(t.metric, t.test): t for t in found.tests}
    assert {t.run for t in found.tests} == {poor}
    assert {t.against for t in found.tests} == {good}

    auroc = tests["auroc", "DeLong"]
    difference = roc_auc_score(positive, said[poor]) - roc_auc_score(positive, said[good])
    assert auroc.difference == pytest.approx(difference)
    # DeLong from its definition: the covariance of how each row is ranked among the others.
    wins = [
        (s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive])
        for s in (said[poor], said[good])
    ]
    gap = wins[0] - wins[1]
    variance = (
        gap.mean(1).var(ddof=1) / positive.sum() + gap.mean(0).var(ddof=1) / (~positive).sum()
    )
    expected = 2 * stats.norm.sf(abs(difference) / np.sqrt(variance))
    assert auroc.p_value == pytest.approx(expected, rel=1e-6)
    paired = tests["auroc", "bootstrap"]
    assert paired.low <= difference <= paired.high

    hits = {run: (said[run] >= values[run, "mcc"].threshold) == positive for run in (good, poor)}
    only = [int((hits[a] & ~hits[b]).sum()) for a, b in ((good, poor), (poor, good))]
    exact = stats.binomtest(only[0], sum(only)).pvalue
    assert tests["accuracy", "McNemar"].p_value == pytest.approx(exact)


def test_the_baseline_stands_last_and_needs_one_run_only(
    runs: tuple[Path, Path], planted: Task
) -> None:
    found = compare(runs[:1], planted.folder, baseline=True, resamples=50)
    assert list(dict.fromkeys(found.to_frame()["run"])) == [str(runs[0]), BASELINE]
    assert set(found.tests_frame()["run"]) == {BASELINE}
    # Its threshold was chosen on validation rows: it is no run's and no half.
    threshold = found.to_frame().filter(run=BASELINE)["threshold"].unique().to_list()
    assert len(threshold) == 1
    assert 0 < threshold[0] < 1


def test_what_cannot_be_compared_is_refused(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="one run to compare"):
        compare(runs[:1], planted.folder)
    with pytest.raises(ConfigError, match="named twice"):
        compare([runs[0], runs[0]], planted.folder, baseline=True)
    with pytest.raises(FolderError, match="other training and validation rows"):
        compare(runs, plant(tmp_path / "other", seed=3).folder)
