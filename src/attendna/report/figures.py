"""The charts of a report, one function each: numbers in, a Plotly figure out.

Shapes: ``N`` sequences, ``L`` bases of one sequence, ``K`` classes.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from jaxtyping import Float, Int, Num
from numpy import ndarray

from attendna.evaluation import curves
from attendna.evaluation.calibration import reliability
from attendna.evaluation.metrics import Contrast, Sample
from attendna.report.style import (
    GAIN,
    LOSS,
    SPLIT_LINES,
    SPLIT_TITLES,
    Line,
    blank,
    rgba,
    series_line,
    value_range,
    whole_axis,
)
from attendna.tasks.spec import SplitName

MOST_POINTS = 400
"""Points a curve keeps: more cannot be seen, and a page of a large test split would grow heavy."""

MOST_BINS = 40
MOST_CLASSES = 8
"""Classes a chart of curves shows; the most frequent ones, where there are more."""


def training_curves(log: pl.DataFrame, kept: float | None = None) -> go.Figure:
    """Loss of each epoch on training and validation data.

    Parameters
    ----------
    log
        ``log.csv``: a row an epoch with ``epoch``, ``train_loss`` and ``valid_loss``.
    kept
        The epoch whose weights were kept.
    """
    figure = blank("epoch", "loss", height=290)
    for split in ("train", "valid"):
        _epochs(figure, log, f"{split}_loss", split, SPLIT_TITLES[split])
    _mark_kept(figure, kept)
    return figure


def validation_curve(
    log: pl.DataFrame, column: str, title: str, kept: float | None = None
) -> go.Figure:
    """One metric of each epoch on validation data."""
    figure = blank("epoch", f"validation {title}", height=290)
    _epochs(figure, log, column, "valid", title)
    figure.update_yaxes(range=value_range(log[column], column))
    figure.update_layout(showlegend=False)
    _mark_kept(figure, kept)
    return figure


def learning_rate(log: pl.DataFrame) -> go.Figure:
    """Learning rate at the end of each epoch."""
    figure = blank("epoch", "learning rate", height=290)
    _epochs(figure, log, "learning_rate", "train", "learning rate")
    figure.update_traces(line_dash="solid")
    figure.update_layout(showlegend=False)
    figure.update_yaxes(rangemode="tozero")
    return figure


def _epochs(figure: go.Figure, log: pl.DataFrame, column: str, split: SplitName, name: str) -> None:
    known = log.select("epoch", column).drop_nulls()
    line = SPLIT_LINES[split]
    # A run of few epochs is points; a long one is a line.
    mode = "lines+markers" if known.height <= 30 else "lines"
    figure.add_scatter(
        x=known["epoch"].to_numpy(),
        y=known[column].to_numpy(),
        name=name,
        mode=mode,
        line={"color": line.color, "width": 2, "dash": line.dash},
        marker={"symbol": line.symbol, "size": 6},
        hovertemplate=f"epoch %{{x}}: {name} %{{y:.4g}}<extra></extra>",
    )
    figure.update_xaxes(whole_axis(log["epoch"]))


def _mark_kept(figure: go.Figure, kept: float | None) -> None:
    if kept is not None:
        figure.add_vline(
            x=kept, line={"color": SPLIT_LINES["train"].color, "width": 1, "dash": "dot"}
        )
        low, high = map(float, figure.layout["xaxis"]["range"])
        left = kept > (low + high) / 2
        figure.add_annotation(
            x=kept,
            y=1,
            yref="paper",
            text="kept",
            showarrow=False,
            xanchor="right" if left else "left",
            xshift=-4 if left else 4,
        )


def lengths(splits: Mapping[SplitName, Int[ndarray, " _"]]) -> go.Figure:
    """Distribution of the sequence lengths of each split, in bases."""
    figure = blank("length (bases)", "share of split", height=280)
    groups = {SPLIT_TITLES[name]: (found, SPLIT_LINES[name]) for name, found in splits.items()}
    _histograms(figure, groups, edges=_edges(list(splits.values()), 1.0), unit=" bases")
    return figure


def gc_content(classes: Mapping[str, Float[ndarray, " _"]], step: float) -> go.Figure:
    """Distribution of the GC content of each class.

    Parameters
    ----------
    classes
        GC content of the sequences of each class, in the order of class numbers.
    step
        Smallest difference there can be between two values: one base in the common length.
    """
    figure = blank("GC content", "share of class", height=280)
    groups = {name: (gc, series_line(number)) for number, (name, gc) in enumerate(classes.items())}
    _histograms(figure, groups, edges=_edges(list(classes.values()), step))
    figure.update_xaxes(tickformat=".0%")
    return figure


def _histograms(
    figure: go.Figure,
    groups: Mapping[str, tuple[Num[ndarray, " _"], Line]],
    *,
    edges: Float[ndarray, " _"],
    unit: str = "",
) -> None:
    """Outlines of several distributions over common bins; each sums to one, or is not drawn."""
    for name, (values, look) in groups.items():
        if not values.size:
            continue
        counts, _ = np.histogram(values, edges)
        share = counts / counts.sum()
        figure.add_scatter(
            # A step needs the right end of its last bin as well.
            x=edges,
            y=np.append(share, share[-1]),
            name=html.escape(name),
            mode="lines",
            line={"shape": "hv", "color": look.color, "dash": look.dash, "width": 1.8},
            fill="tozeroy",
            fillcolor=rgba(look.color, 0.12),
            hovertemplate=f"{html.escape(name)}: %{{y:.1%}} from %{{x:.3g}}{unit}<extra></extra>",
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")


def _edges(groups: Sequence[Num[ndarray, " _"]], step: float) -> Float[ndarray, " _"]:
    """Bins that each hold the same number of possible values, or a comb would be seen."""
    low = min(float(values.min()) for values in groups)
    high = max(float(values.max()) for values in groups)
    width = step * max(1, math.ceil((high - low) / step / MOST_BINS))
    return low - step / 2 + width * np.arange(math.floor((high - low + step / 2) / width) + 2)


def probability_histogram(sample: Sample, classes: Sequence[str]) -> go.Figure:
    """What the model said about the sequences of each class, and where the threshold lies.

    Binary: the probability of the positive class. More classes: the probability of the true one.
    """
    if sample.binary:
        said, x = sample.probabilities[:, 0], f"probability of {html.escape(classes[1])}"
    else:
        rows = np.arange(sample.labels.size)
        said, x = sample.probabilities[rows, sample.labels], "probability given to the true class"
    figure = blank(x, "share of class", height=340)
    groups = {
        name: (said[sample.labels == number], series_line(number))
        for number, name in enumerate(classes)
    }
    _histograms(figure, groups, edges=np.linspace(0, 1, MOST_BINS + 1))
    figure.update_xaxes(range=[0, 1])
    if sample.binary:
        _mark_threshold(figure, sample.threshold)
    return figure


def _mark_threshold(figure: go.Figure, threshold: float) -> None:
    figure.add_vline(x=threshold, line={"color": SPLIT_LINES["train"].color, "width": 1.5})
    left = threshold > 0.5
    figure.add_annotation(
        x=threshold,
        y=1,
        yref="paper",
        text=f"threshold {threshold:.3f}",
        showarrow=False,
        xanchor="right" if left else "left",
        xshift=-4 if left else 4,
    )


def roc(samples: Mapping[SplitName, Sample], classes: Sequence[str]) -> go.Figure:
    """True against false positive rate at every threshold; the one in use is marked.

    Binary: a curve a split. More classes: each class against the rest. What has rows of one class
    only has no curve and is left out.
    """
    figure = blank("false positive rate", "true positive rate", height=340)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line=_chance(), hoverinfo="skip", showlegend=False
    )
    for contrast, line, name in _contrasts(samples, classes):
        if contrast.positive.all() or not contrast.positive.any():
            continue
        hover = "threshold %{customdata:.3f}: finds %{y:.1%}, and %{x:.1%} of the others"
        _curve(figure, curves.roc(contrast), line, name, hover)
    for split, sample in samples.items():
        if sample.binary and 0 < sample.prevalence < 1:
            called, truly = sample.predicted == 1, sample.labels == 1
            point = float(called[~truly].mean()), float(called[truly].mean())
            _operating_point(figure, point, split, sample.threshold)
    _square(figure)
    return figure


def precision_recall(samples: Mapping[SplitName, Sample], classes: Sequence[str]) -> go.Figure:
    """Precision against recall at every threshold; the one in use and the prevalence are marked."""
    figure = blank("recall", "precision", height=340)
    for contrast, line, name in _contrasts(samples, classes):
        if not contrast.positive.any():
            continue
        hover = "threshold %{customdata:.3f}: finds %{x:.1%}, right in %{y:.1%}"
        _curve(figure, curves.precision_recall(contrast), line, name, hover)
    for split, sample in samples.items():
        called, truly = sample.predicted == 1, sample.labels == 1
        if sample.binary and truly.any():
            figure.add_hline(y=sample.prevalence, line=_chance())
            if called.any():
                point = float(called[truly].mean()), float(truly[called].mean())
                _operating_point(figure, point, split, sample.threshold)
    _square(figure)
    return figure


def calibration(samples: Mapping[SplitName, Sample]) -> go.Figure:
    """How often what got a probability came true, with 95 % Wilson intervals.

    Binary: the probability of the positive class. More classes: that of the predicted class.
    """
    binary = all(sample.binary for sample in samples.values())
    x = "predicted probability" if binary else "probability of the predicted class"
    y = "observed frequency" if binary else "share that was right"
    figure = blank(x, y, height=340)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line=_chance(), hoverinfo="skip", showlegend=False
    )
    for split, sample in samples.items():
        line, bins = SPLIT_LINES[split], reliability(sample)
        figure.add_scatter(
            x=bins["probability"].to_numpy(),
            y=bins["frequency"].to_numpy(),
            customdata=bins["n"].to_numpy(),
            error_y={
                "array": (bins["frequency_high"] - bins["frequency"]).to_numpy(),
                "arrayminus": (bins["frequency"] - bins["frequency_low"]).to_numpy(),
                "color": rgba(line.color, 0.55),
                "thickness": 1.3,
                "width": 0,
            },
            name=SPLIT_TITLES[split],
            mode="lines+markers",
            line={"color": line.color, "width": 1.4, "dash": line.dash},
            marker={"symbol": line.symbol, "size": 7},
            hovertemplate="said %{x:.2f}, came true in %{y:.1%} of %{customdata}<extra></extra>",
        )
    _square(figure)
    return figure


def metric_intervals(
    rows: pl.DataFrame,
    lines: Mapping[Any, Line] = SPLIT_LINES,
    names: Mapping[Any, str] = SPLIT_TITLES,
) -> go.Figure:
    """Metrics between -1 and 1 as dots with their 95 % intervals, a row of dots a metric.

    Parameters
    ----------
    rows
        A row a metric and split: ``title``, ``split``, ``value``, ``low``, ``high``.
    lines, names
        How each split, or whatever stands in its place, is drawn and called.
    """
    titles = rows["title"].unique(maintain_order=True).to_list()
    drawn = rows["split"].to_list()
    splits = [split for split in lines if split in drawn]
    figure = blank("", "", height=110 + len(titles) * (18 + 14 * len(splits)))
    place = {title: len(titles) - number for number, title in enumerate(titles)}
    for number, split in enumerate(splits):
        line, of_split = lines[split], rows.filter(split=split)
        # Splits of one metric stand one above the other.
        shift = 0.26 * ((len(splits) - 1) / 2 - number)
        figure.add_scatter(
            x=of_split["value"].to_numpy(),
            y=np.array([place[title] + shift for title in of_split["title"]]),
            customdata=of_split.select("title", "low", "high").rows(),
            error_x={
                "array": (of_split["high"] - of_split["value"]).to_numpy(),
                "arrayminus": (of_split["value"] - of_split["low"]).to_numpy(),
                "color": rgba(line.color, 0.6),
                "thickness": 2,
                "width": 0,
            },
            name=names[split],
            mode="markers",
            marker={"color": line.color, "symbol": line.symbol, "size": 9},
            hovertemplate=f"{names[split]}, %{{customdata[0]}}: %{{x:.3f}} "
            "(%{customdata[1]:.3f} to %{customdata[2]:.3f})<extra></extra>",
        )
    lowest = float(np.nanmin([0.0, *rows["low"], *rows["value"]]))
    figure.update_xaxes(range=[min(0.0, lowest) - 0.02, 1.02], showgrid=True)
    figure.update_yaxes(
        tickvals=list(place.values()),
        ticktext=[html.escape(title) for title in place],
        range=[0.4, len(titles) + 0.6],
        showline=False,
        ticks="",
    )
    return figure


def importance_map(ids: Sequence[str], values: Float[ndarray, "N L"]) -> go.Figure:
    """Importance of every base of some sequences, a row a sequence, aligned at their first base.

    Parameters
    ----------
    values
        Positive where the base speaks for the class that was followed; NaN where there is no base.
    """
    figure = blank("position (bases)", "", height=120 + max(60, 14 * len(ids)))
    # A few bases matter much more than all others; what exceeds the scale has its end's color.
    most = float(np.nanquantile(np.abs(values), 0.995)) if np.isfinite(values).any() else 0.0
    figure.add_heatmap(
        z=values,
        y=np.arange(len(ids)),
        customdata=np.array([[html.escape(name)] * values.shape[1] for name in ids]),
        zmid=0,
        zmin=-most or -1,
        zmax=most or 1,
        colorscale=[[0, LOSS], [0.5, rgba(LOSS, 0.0)], [0.5, rgba(GAIN, 0.0)], [1, GAIN]],
        colorbar={"title": {"text": "log-odds"}, "thickness": 10, "outlinewidth": 0},
        hovertemplate="%{customdata}, position %{x}: %{z:.3f}<extra></extra>",
    )
    figure.update_yaxes(showticklabels=False, ticks="", showline=False, autorange="reversed")
    return figure


def _contrasts(
    samples: Mapping[SplitName, Sample], classes: Sequence[str]
) -> Iterator[tuple[Contrast, dict[str, Any], str]]:
    """What curves there are to draw: how each looks and is called."""
    for split, sample in samples.items():
        line = SPLIT_LINES[split]
        if sample.binary:
            yield (
                sample.contrasts[0],
                {"color": line.color, "dash": line.dash, "width": 2},
                SPLIT_TITLES[split],
            )
            continue
        counts = np.bincount(sample.labels, minlength=sample.classes)
        numbers: list[int] = np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist()
        for number in sorted(numbers):
            own = series_line(number)
            look = {"color": own.color, "dash": own.dash, "width": 2}
            yield sample.contrasts[number], look, html.escape(classes[number])


def _curve(
    figure: go.Figure, curve: curves.Curve, line: dict[str, Any], name: str, hover: str
) -> None:
    kept = _thinned(curve)
    figure.add_scatter(
        x=curve.x[kept],
        y=curve.y[kept],
        # JSON has no infinity; nothing is called there, and the hover need not say from where on.
        customdata=np.minimum(curve.thresholds[kept], 1),
        name=name,
        mode="lines",
        line=line,
        hovertemplate=f"{name}, {hover}<extra></extra>",
    )


def _thinned(curve: curves.Curve) -> Int[ndarray, " _"]:
    """Which points to keep, evenly spread along the curve, its ends among them."""
    if curve.x.size <= MOST_POINTS:
        return np.arange(curve.x.size)
    walked = np.cumsum(np.hypot(np.diff(curve.x, prepend=0), np.diff(curve.y, prepend=0)))
    stops = np.linspace(walked[0], walked[-1], MOST_POINTS)
    return np.unique(np.append(np.searchsorted(walked, stops[:-1]), curve.x.size - 1))


def _operating_point(
    figure: go.Figure, point: tuple[float, float], split: SplitName, threshold: float
) -> None:
    line = SPLIT_LINES[split]
    figure.add_scatter(
        x=[point[0]],
        y=[point[1]],
        mode="markers",
        marker={"symbol": f"{line.symbol}-open", "size": 11, "color": line.color, "line_width": 2},
        showlegend=False,
        hovertemplate=f"{SPLIT_TITLES[split]}, at the threshold in use, {threshold:.3f}: "
        "%{x:.1%}, %{y:.1%}<extra></extra>",
    )


def _chance() -> dict[str, Any]:
    return {"color": rgba(SPLIT_LINES["train"].color, 0.7), "width": 1, "dash": "dot"}


def _square(figure: go.Figure) -> None:
    ticks: dict[str, Any] = {
        "range": [-0.01, 1.01],
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "showgrid": True,
    }
    figure.update_xaxes(**ticks)
    figure.update_yaxes(**ticks)
