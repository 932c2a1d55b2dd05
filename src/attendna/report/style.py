"""Colors and layout that every chart of a report shares.

The colors are told apart by color-blind readers (they follow Okabe and Ito 2008) and keep a
contrast of 3:1 on both the light and the dark page. Text, axes and grid have no color here: the
page's style sheet gives them theirs, so that a chart follows the reader's theme and turns light on
paper.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any, NamedTuple

import plotly.graph_objects as go
import polars as pl

from attendna.tasks.spec import SplitName

PAPER = {"light": "#ffffff", "dark": "#15181c"}
"""Backgrounds of the page, as in ``templates/report.css``."""


class Line(NamedTuple):
    """How a split is drawn, so that it can be told without its color too."""

    color: str
    dash: str
    symbol: str


SPLIT_LINES: dict[SplitName, Line] = {
    "train": Line("#7d8894", "dot", "square"),
    "valid": Line("#c07f00", "dash", "diamond"),
    "test": Line("#2c7fbf", "solid", "circle"),
}

SPLIT_TITLES: dict[SplitName, str] = {"train": "training", "valid": "validation", "test": "test"}

CLASS_COLORS = ("#7d8894", "#d55e00", "#2c7fbf", "#0a9673", "#b3649a", "#c07f00")
"""By class number, from the seventh anew; of two classes the second is the positive one."""

GAIN, LOSS = "#2c7fbf", "#d55e00"
"""Ends of the diverging scale; its middle is transparent, the page itself."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"

CONFIG: dict[str, Any] = {"displayModeBar": False, "responsive": True, "showTips": False}
"""Plotly's settings of every chart: read by pointing, never dragged by accident while scrolling."""


DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")

LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(
        ("accuracy", "precision", "recall", "specificity", "f1", "auroc", "auprc", "brier", "ece",
         "masked_accuracy", "share"),
        (0.0, 1.0),
    ),
    **dict.fromkeys(("mcc", "pearson", "log_pearson", "spearman"), (-1.0, 1.0)),
    **dict.fromkeys(("loss", "log_loss", "mae", "mse"), (0.0, math.inf)),
    "r2": (-math.inf, 1.0),
}  # fmt: skip
"""Least and greatest value a metric can have; of one that is not listed nothing is known."""


Numbers = Iterable[int | float | None] | pl.Series
"""Numbers of an axis; those that are missing, NaN or infinite are passed over."""


def _known(values: Numbers) -> list[float]:
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def series_line(index: int) -> Line:
    """How the series with this number is drawn: no two of 24 look alike."""
    turn, place = divmod(index, len(CLASS_COLORS))
    look = turn % len(DASHES)
    return Line(CLASS_COLORS[place], DASHES[look], SYMBOLS[look])


def whole_axis(values: Numbers) -> dict[str, Any]:
    """Settings of an axis that counts, such as epochs: ticks at whole numbers alone.

    The axis ends at whole numbers too, so that there are ticks where all values lie between two.
    """
    known = _known(values) or [0.0, 1.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    low -= low == high
    room = 0.03 * (high - low)
    return {"range": [low - room, high + room], "tick0": 0, "dtick": _step(high - low)}


def _step(width: int) -> int:
    """The least of 1, 2, 5, 10, … that cuts a width into eight parts at most."""
    return next(
        step * 10**power
        for power in range(20)
        for step in (1, 2, 5)
        if step * 10**power * 8 >= width
    )


def value_range(values: Numbers, metric: str = "") -> list[float]:
    """Ends of an axis around values of a metric, not beyond what it can be.

    Parameters
    ----------
    metric
        Its name as in :data:`LIMITS`; a prefix ``valid_`` or ``train_`` does not matter.
    """
    name = metric.removeprefix("valid_").removeprefix("train_")
    least, most = LIMITS.get(name, (-math.inf, math.inf))
    known = _known(values)
    if not known:
        return [least if math.isfinite(least) else 0.0, most if math.isfinite(most) else 1.0]
    low, high = min(known), max(known)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.05
    # A marker at the limit itself needs a little room to be seen whole.
    edge = 0.02 * (high - low + room)
    return [
        max(low - room, least - edge) if low >= least else low - room,
        min(high + room, most + edge) if high <= most else high + room,
    ]


def number_tick(value: float) -> str:
    """A number at a tick: 0.2, 500, 20k, 1.5M; no milli and no micro."""
    for least, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:g}{unit}"
    if value == 0 or abs(value) >= 1e-4:
        return f"{value:,g}"
    times, _, power = f"{value:.0e}".partition("e")
    of_ten = f"10<sup>{int(power)}</sup>".replace("-", "−")
    return of_ten if times == "1" else f"{times}·{of_ten}"


def log_axis(values: Numbers) -> dict[str, Any]:
    """Settings of a logarithmic axis with room at its ends, and six ticks at most."""
    known = [value for value in _known(values) if value > 0] or [1.0]
    low, high = math.log10(min(known)), math.log10(max(known))
    room = max(0.1 * (high - low), 0.25)
    ends = low - room, high + room
    ticks = next(found for found in _log_ticks(*ends) if len(found) <= 6)
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": ticks,
        "ticktext": [number_tick(tick) for tick in ticks],
    }


def _log_ticks(low: float, high: float) -> Iterator[list[float]]:
    """Ticks between two powers of ten: fewer multiples each time, then fewer powers."""
    sparser = (((1,), apart) for apart in count(1))
    for steps, apart in chain((((1, 2, 5), 1), ((1, 3), 1)), sparser):
        yield [
            step * 10.0**power
            for power in range(math.floor(low), math.ceil(high) + 1)
            for step in steps
            if power % apart == 0 and low <= math.log10(step) + power <= high
        ]


def class_color(index: int) -> str:
    """Color of the class with this number."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def rgba(color: str, alpha: float) -> str:
    """A ``#rrggbb`` color with an opacity."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def blank(x: str, y: str, *, height: int = 320) -> go.Figure:
    """An empty chart with titled axes, on which a figure function draws.

    Parameters
    ----------
    height
        In pixels; the width is what the page has.
    """
    axis: dict[str, Any] = {
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "fixedrange": True,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 12.5}},
        # Without it .2 s is written as 200m, and a learning rate of 1e-5 as 10μ.
        "exponentformat": "power",
        "minexponent": 5,
        "separatethousands": True,
    }
    figure = go.Figure()
    figure.update_layout(
        template="none",
        height=height,
        font={"family": FONT, "size": 12.5},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 52, "r": 14, "t": 34, "b": 44},
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemwidth": 30},
        hoverlabel={"font": {"family": FONT, "size": 12.5}},
    )
    figure.update_xaxes(**axis, title_text=x, showgrid=False)
    figure.update_yaxes(**axis, title_text=y)
    return figure
