import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score

from attendna.evaluation.metrics import Sample
from attendna.report import figures

CLASSES = ("other", "bound")
MANY = tuple(f"class {number}" for number in range(12))


def binary(n: int = 300, seed: int = 0, threshold: float = 0.4) -> Sample:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return Sample.of(labels, np.clip(0.3 * labels + 0.7 * rng.random(n), 0, 1), threshold)


def one_class(label: int) -> Sample:
    return Sample.of(np.full(5, label), np.linspace(0.1, 0.9, 5))


def multiclass(classes: int, n: int = 300, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    return Sample.of(rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n))


def drawn(figure: go.Figure) -> list[go.Scatter]:
    """The traces that have an entry in the legend, which are those that show data."""
    return [trace for trace in figure.data if trace.showlegend is not False]


def log(rows: int = 4) -> pl.DataFrame:
    epochs = np.arange(1, rows + 1)
    return pl.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "valid_loss": 1.5 / epochs,
            "valid_mcc": 0.1 * epochs,
            "learning_rate": 1e-3 / epochs,
        }
    )


def test_training_curves_show_both_losses_and_the_kept_epoch() -> None:
    figure = figures.training_curves(log(), kept=3.0)
    train, valid = figure.data
    assert train.y == pytest.approx(1 / np.arange(1, 5))
    assert valid.y == pytest.approx(1.5 / np.arange(1, 5))
    assert figure.layout.shapes[0].x0 == 3
    assert figure.layout.annotations[0].text == "kept"
    assert not figures.training_curves(log()).layout.shapes


def test_one_round_is_a_point_and_many_are_a_line() -> None:
    assert figures.training_curves(log(1)).data[0].mode == "lines+markers"
    assert figures.training_curves(log(100)).data[0].mode == "lines"


def test_rounds_without_a_value_are_left_out() -> None:
    gaps = log().with_columns(train_loss=pl.Series([None, 0.5, None, 0.2]))
    assert list(figures.training_curves(gaps).data[0].x) == [2, 4]


def test_validation_curve_and_learning_rate() -> None:
    metric = figures.validation_curve(log(), "valid_mcc", "MCC", 4.0)
    assert list(metric.data[0].y) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert metric.layout.yaxis.title.text == "validation MCC"
    assert figures.learning_rate(log()).data[0].y[0] == pytest.approx(1e-3)


def test_lengths_are_shares_of_each_split() -> None:
    figure = figures.lengths({"train": np.array([10, 10, 12, 13]), "test": np.array([10])})
    for trace in figure.data:
        # The last point only closes the last step.
        assert sum(trace.y[:-1]) == pytest.approx(1)
    assert list(figure.data[0].y[:-1]) == [0.5, 0, 0.25, 0.25]
    assert list(figure.data[1].y[:-1]) == [1, 0, 0, 0]


@pytest.mark.parametrize("longest", [10, 11, 57, 5000])
def test_bins_hold_equally_many_lengths_and_lose_none(longest: int) -> None:
    lengths = np.arange(10, longest + 1)
    (trace,) = figures.lengths({"train": lengths}).data
    widths = np.diff(trace.x)
    assert widths == pytest.approx(widths[0])
    assert widths[0] == int(widths[0])
    assert len(widths) <= figures.MOST_BINS + 1
    assert sum(trace.y[:-1]) == pytest.approx(1)
    full = trace.y[:-2]
    assert len(full) == 0 or np.ptp(full) < 1e-12


def test_gc_content_off_the_grid_is_not_lost() -> None:
    values = np.random.default_rng(0).random(999)
    for trace in figures.gc_content({"a": values, "b": values[:1]}, 0.01).data:
        assert sum(trace.y[:-1]) == pytest.approx(1)


def test_probability_histogram_shows_the_threshold_and_every_class() -> None:
    figure = figures.probability_histogram(binary(), CLASSES)
    assert [trace.name for trace in figure.data] == list(CLASSES)
    assert figure.layout.shapes[0].x0 == 0.4
    assert figure.layout.annotations[0].text == "threshold 0.400"
    assert all(sum(trace.y[:-1]) == pytest.approx(1) for trace in figure.data)


def test_probability_histogram_of_one_class_leaves_out_the_other() -> None:
    (trace,) = figures.probability_histogram(one_class(1), CLASSES).data
    assert trace.name == "bound"


def test_probability_histogram_of_many_classes_is_of_the_true_class() -> None:
    sample = Sample.of(np.array([0, 1, 2]), np.eye(3))
    figure = figures.probability_histogram(sample, MANY[:3])
    assert [trace.y[-2] for trace in figure.data] == [1, 1, 1]
    assert not figure.layout.shapes


def test_roc_is_that_of_the_scores() -> None:
    sample = binary()
    figure = figures.roc({"test": sample}, CLASSES)
    (curve,) = drawn(figure)
    expected = roc_auc_score(sample.labels, sample.probabilities[:, 0])
    assert auc(curve.x, curve.y) == pytest.approx(expected)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    mark = figure.data[-1]
    called = sample.probabilities[:, 0] >= 0.4
    assert mark.x[0] == pytest.approx(called[sample.labels == 0].mean())
    assert mark.y[0] == pytest.approx(called[sample.labels == 1].mean())


def test_long_curves_are_thinned_but_keep_their_area_and_ends() -> None:
    sample = binary(20_000)
    (curve,) = drawn(figures.roc({"test": sample}, CLASSES))
    assert 100 < len(curve.x) <= figures.MOST_POINTS + 1
    expected = roc_auc_score(sample.labels, sample.probabilities[:, 0])
    assert auc(curve.x, curve.y) == pytest.approx(expected, abs=2e-3)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)


def test_precision_recall_is_that_of_the_scores() -> None:
    sample = binary()
    figure = figures.precision_recall({"test": sample}, CLASSES)
    (curve,) = drawn(figure)
    precision, recall, _ = precision_recall_curve(sample.labels, sample.probabilities[:, 0])
    expected = dict(zip(recall[:-1], precision[:-1], strict=True))
    # Of points with one recall scikit-learn's last is the best precision, as is our first.
    assert curve.y[-1] == pytest.approx(sample.prevalence)
    assert set(np.round(curve.x, 12)) == set(np.round(list(expected), 12))
    assert figure.layout.shapes[0].y0 == pytest.approx(sample.prevalence)


@pytest.mark.parametrize("label", [0, 1])
def test_curves_of_one_class_are_left_out(label: int) -> None:
    samples = {"valid": binary(), "test": one_class(label)}
    assert [trace.name for trace in drawn(figures.roc(samples, CLASSES))] == ["validation"]
    names = [trace.name for trace in drawn(figures.precision_recall(samples, CLASSES))]
    assert names == ["validation"] + ["test"] * label


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_row_can_be_drawn(label: int) -> None:
    samples = {"test": Sample.of(np.array([label]), np.array([0.7]))}
    assert not drawn(figures.roc(samples, CLASSES))
    assert len(drawn(figures.precision_recall(samples, CLASSES))) == label
    (point,) = drawn(figures.calibration(samples))
    assert (list(point.x), list(point.y)) == ([0.7], [label])


def test_nothing_called_positive_has_no_precision_to_mark() -> None:
    figure = figures.precision_recall({"test": binary(threshold=1.0)}, CLASSES)
    assert all(trace.mode == "lines" for trace in figure.data)


def test_curves_of_several_classes_are_one_against_the_rest() -> None:
    figure = figures.roc({"test": multiclass(3)}, MANY[:3])
    assert [trace.name for trace in drawn(figure)] == list(MANY[:3])
    assert len({trace.line.color for trace in drawn(figure)}) == 3


def test_of_many_classes_the_most_frequent_are_drawn() -> None:
    sample = multiclass(12)
    names = {trace.name for trace in drawn(figures.precision_recall({"test": sample}, MANY))}
    counts = np.bincount(sample.labels, minlength=12)
    assert len(names) == figures.MOST_CLASSES
    dropped = [counts[number] for number, name in enumerate(MANY) if name not in names]
    kept = [counts[number] for number, name in enumerate(MANY) if name in names]
    assert max(dropped) <= min(kept)


def test_calibration_points_carry_their_intervals() -> None:
    figure = figures.calibration({"valid": binary(seed=1), "test": binary()})
    assert [trace.name for trace in drawn(figure)] == ["validation", "test"]
    for trace in drawn(figure):
        high = np.add(trace.y, trace.error_y.array)
        low = np.subtract(trace.y, trace.error_y.arrayminus)
        assert ((low >= 0) & (low <= trace.y) & (high >= trace.y) & (high <= 1)).all()
    assert sum(drawn(figure)[0].customdata) == 300


def test_calibration_of_several_classes_says_what_it_is() -> None:
    figure = figures.calibration({"test": multiclass(4)})
    assert figure.layout.xaxis.title.text == "probability of the predicted class"


def test_metric_intervals_put_splits_of_one_metric_one_above_the_other() -> None:
    rows = pl.DataFrame(
        [
            {"title": "MCC", "split": "valid", "value": 0.5, "low": 0.4, "high": 0.6},
            {"title": "MCC", "split": "test", "value": -0.2, "low": -0.3, "high": 0.1},
            {"title": "AUROC", "split": "test", "value": 0.8, "low": 0.7, "high": 0.9},
        ]
    )
    figure = figures.metric_intervals(rows)
    valid, test = figure.data
    assert list(test.x) == [-0.2, 0.8]
    assert valid.y[0] - test.y[0] == pytest.approx(0.26)
    assert list(test.error_x.array) == pytest.approx([0.3, 0.1])
    assert list(test.error_x.arrayminus) == pytest.approx([0.1, 0.1])
    assert figure.layout.yaxis.ticktext == ("MCC", "AUROC")
    assert figure.layout.xaxis.range[0] < -0.3


def test_names_are_text_never_markup() -> None:
    hostile = ("<b>a</b>", '<a href="javascript:x">b</a>')
    shown = [
        figures.probability_histogram(binary(), hostile),
        figures.roc({"test": multiclass(3)}, (*hostile, "<i>")),
        figures.gc_content({hostile[0]: np.array([0.5]), hostile[1]: np.array([0.4])}, 0.01),
    ]
    for figure in shown:
        for trace in drawn(figure):
            assert "<" not in trace.name.replace("<extra>", "")
            assert "<b>" not in trace.hovertemplate
            assert "<a" not in trace.hovertemplate


def test_importance_map_is_centered_on_zero() -> None:
    values = np.array([[1.0, -0.5, np.nan], [0.2, 0.0, -2.0]])
    (heat,) = figures.importance_map(("a", "<b>"), values).data
    assert np.array_equal(heat.z, values, equal_nan=True)
    assert heat.zmin == -heat.zmax
    assert heat.zmid == 0
    assert [row[0] for row in heat.customdata] == ["a", "&lt;b&gt;"]
    # The middle is the page itself, whatever its theme.
    assert all(color.endswith(",0)") for place, color in heat.colorscale if place == 0.5)


def test_importance_map_of_nothing_is_flat() -> None:
    for values in (np.zeros((1, 4)), np.full((1, 4), np.nan)):
        (heat,) = figures.importance_map(("a",), values).data
        assert (heat.zmin, heat.zmax) == (-1, 1)
