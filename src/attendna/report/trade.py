"""What is reached for what it costs: a metric against parameters and seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from attendna.report.page import Chart
from attendna.report.style import blank, class_color, log_axis, rgba, value_range

_NOTE = (
    "Means over seeds. Filled points have names: no other row is at least as good, as small and as "
    "quick, and better in one of these."
)


@dataclass(frozen=True)
class Point:
    """A row of a study."""

    name: str
    value: float
    parameters: float
    seconds: float
    """Of one training."""
    efficient: bool
    """Whether it is worth its cost."""


def trade_charts(points: Sequence[Point], metric: str) -> Iterator[Chart]:
    """The metric against the size of the model, and against the time of its training."""
    for title, costs in (
        ("parameters", [point.parameters for point in points]),
        ("seconds of a training", [point.seconds for point in points]),
    ):
        yield Chart(f"{metric} and {title}", _NOTE, scatter(points, costs, title, metric))


def scatter(points: Sequence[Point], costs: Sequence[float], title: str, metric: str) -> go.Figure:
    """A point for each row; those that are worth their cost are filled and have their names."""
    figure = blank(title, metric, height=420)
    for efficient in (False, True):
        chosen = [at for at, point in enumerate(points) if point.efficient == efficient]
        if not chosen:
            continue
        color = class_color(2 if efficient else 0)
        mine = [points[at] for at in chosen]
        figure.add_scatter(
            x=[costs[at] for at in chosen],
            y=[point.value for point in mine],
            mode="markers+text" if efficient else "markers",
            name="worth its cost" if efficient else "another is better and no dearer",
            text=[point.name for point in mine],
            textposition="top center",
            cliponaxis=False,
            customdata=[(point.parameters, point.seconds) for point in mine],
            hovertemplate="%{text}<br>%{y:.4f}<br>%{customdata[0]:,.0f} parameters"
            "<br>%{customdata[1]:,.0f} s<extra></extra>",
            marker={
                "color": color if efficient else rgba(color, 0.15),
                "line": {"color": color, "width": 1.5},
                "size": 10,
            },
        )
    # Shorter times than these are not told apart, and a logarithm needs one.
    figure.update_xaxes(log_axis([max(cost, 0.1) for cost in costs]))
    figure.update_yaxes(range=value_range([point.value for point in points], metric))
    return figure
