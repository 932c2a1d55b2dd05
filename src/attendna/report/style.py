"""Colors and layout that every chart of a report shares.

The colors are told apart by color-blind readers (they follow Okabe and Ito 2008) and keep a
contrast of 3:1 on both the light and the dark page. Text, axes and grid have no color here: the
page's style sheet gives them theirs, so that a chart follows the reader's theme and turns light on
paper.
"""

from typing import Any, NamedTuple

import plotly.graph_objects as go

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
