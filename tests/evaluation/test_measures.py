"""Metrics by the kind of task."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from attendna.core.errors import ConfigError, UserError
from attendna.evaluation import measures
from attendna.evaluation.measures import (
    LOGGED,
    TrackSample,
    affordable,
    each_track,
    find_metric,
    main_metric,
    metrics_of,
    sample_of,
    track_metrics,
)
from attendna.evaluation.metrics import METRICS, Measurable, Sample
from attendna.evaluation.uncertainty import bootstrap

KINDS = ["binary", "multiclass", "multilabel", "regression"]


def peaks(rows: int = 60) -> TrackSample:
    """Three tracks that are predicted more and more poorly, and one without a positive."""
    random = np.random.default_rng(0)
    labels = (random.random((rows, 4)) < 0.3).astype(np.uint8)
    labels[:, 3] = 0
    said = np.clip(0.5 * labels + random.random((rows, 4)) * [0.5, 0.8, 1.0, 1.0], 0, 1)
    found = sample_of("multilabel", labels, said)
    assert isinstance(found, TrackSample)
    return found


def numbers(rows: int = 50) -> TrackSample:
    random = np.random.default_rng(1)
    labels = random.normal(size=(rows, 3))
    said = labels + random.normal(size=(rows, 3))
    labels[random.random((rows, 3)) < 0.3] = np.nan
    labels[:, 2] = np.nan
    found = sample_of("regression", labels, said)
    assert isinstance(found, TrackSample)
    return found


def test_tracks_are_averaged_where_they_are_defined() -> None:
    rows = peaks()
    for name, plain in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
        each = [plain(rows.labels[:, t], rows.predicted[:, t]) for t in range(3)]
        assert metrics_of("multilabel")[name].value(rows) == pytest.approx(np.mean(each))
        by_track = dict(each_track(rows, track_metrics("multilabel")))[name]
        np.testing.assert_allclose(by_track[:3], each)
        assert np.isnan(by_track[3])
    assert rows.prevalence == pytest.approx(rows.labels.mean())


def test_numbers_that_are_missing_do_not_count() -> None:
    rows = numbers()
    known = rows.known
    each = [
        stats.spearmanr(rows.labels[known[:, t], t], rows.predicted[known[:, t], t])[0]
        for t in range(2)
    ]
    assert metrics_of("regression")["spearman"].value(rows) == pytest.approx(np.mean(each))
    assert np.isnan(rows.prevalence)
    assert rows.tracks[2] is None


@pytest.mark.parametrize("rows", [peaks(), numbers()], ids=["multilabel", "regression"])
def test_resamples_draw_rows_of_all_tracks_at_once(rows: TrackSample) -> None:
    kind = "regression" if rows.numbers else "multilabel"
    metrics = list(metrics_of(kind).values())
    assert isinstance(rows, Measurable)
    drawn = bootstrap([rows, rows], metrics, np.random.default_rng(0), 20)
    assert drawn.shape == (2, len(metrics), 20)
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn[0], drawn[1])
    spread = drawn[0].std(axis=1)
    assert (spread > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_metric_of_its_own_that_is_logged(kind: str) -> None:
    known = metrics_of(kind)
    assert set(LOGGED[kind]) <= set(known)
    assert main_metric(kind, "no such") == LOGGED[kind][0]
    assert main_metric(kind, list(known)[-1]) == list(known)[-1]
    for name in known:
        assert find_metric(name).name == name


def test_a_metric_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match=r"there is no metric 'x'; choose from .*auroc.*spearman"):
        find_metric("x")
    assert find_metric("auroc") is METRICS["auroc"]


def test_samples_of_classes_are_what_they_were() -> None:
    one = sample_of("binary", np.array([0, 1]), np.array([[0.2], [0.7]]), 0.3)
    assert isinstance(one, Sample)
    assert one.threshold == 0.3
    assert affordable(one, 2000) == 2000


def test_many_tracks_leave_time_for_fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "MOST_CELLS", 240 * 150)
    assert affordable(peaks(), 2000) == 150
    assert affordable(peaks(), 120) == 120
    monkeypatch.setattr(measures, "MOST_CELLS", 1)
    assert affordable(peaks(), 2000) == measures.LEAST_RESAMPLES


def test_labels_none_of_which_is_known_are_refused() -> None:
    with pytest.raises(UserError, match="no known labels"):
        sample_of("regression", np.full((3, 2), np.nan), np.zeros((3, 2)))
