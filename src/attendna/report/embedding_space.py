"""The page about how sequences lie in a model's representation."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import GAIN, LOSS, blank, rgba, series_line, value_range
from attendna.report.template import measure, percent

MOST_POINTS = 4000
"""Points a chart shows; of more, the first."""

_TOLD = {
    "gc_1": "rank correlation of GC content with the first dimension",
    "gc_2": "rank correlation of GC content with the second dimension",
    "alike": "nearest neighbors of the same class, as a share",
    "by_chance": "the same if classes were dealt at random",
}


@dataclass(frozen=True, eq=False)
class EmbeddingPage:
    """Points as a page.

    Parameters
    ----------
    points
        ``id, x, y, gc`` and, where there are classes, ``class``.
    numbers
        As :meth:`attendna.interpret.embedding_space.EmbeddingSpace.numbers` gives them.
    """

    run: str
    projection: str
    points: pl.DataFrame
    numbers: Mapping[str, float]
    explained: Sequence[float] | None

    def sheet(self) -> Sheet:
        """The page."""
        charts = [Chart("By GC content", "", self.by_gc())]
        if "class" in self.points.columns:
            charts.insert(0, Chart("By class", "", self.by_class()))
        shares = "" if self.explained is None else f"{percent(sum(self.explained))} of the variance"
        return Sheet(
            eyebrow="attendna interpret embeddings",
            title=f"Representations of {self.run}",
            lead="What lies close together is alike to the model's head. Two dimensions show "
            "a part of it; neighbors are counted in all of them.",
            tiles=[
                ("Sequences", f"{self.points.height:,}", ""),
                ("Projection", self.projection.upper(), shares),
            ],
            sections=[
                Section(
                    "points",
                    "Points",
                    charts=charts,
                    tables=[
                        Table(
                            ("what", "value"),
                            [(_TOLD[name], measure(value)) for name, value in self.numbers.items()],
                        )
                    ],
                )
            ],
        )

    def by_class(self) -> go.Figure:
        """Points in the colors of their classes."""
        figure = self._blank()
        shown = self.points.head(MOST_POINTS)
        for number, (name, mine) in enumerate(
            sorted(shown.partition_by("class", as_dict=True).items())
        ):
            look = series_line(number)
            figure.add_scatter(
                x=mine["x"].to_numpy(),
                y=mine["y"].to_numpy(),
                text=[html.escape(one, quote=False) for one in mine["id"]],
                mode="markers",
                name=html.escape(str(name[0]), quote=False),
                marker={"color": rgba(look.color, 0.6), "symbol": look.symbol, "size": 5},
                hovertemplate="%{text}<extra></extra>",
            )
        return figure

    def by_gc(self) -> go.Figure:
        """Points in the color of their GC content."""
        figure = self._blank()
        shown = self.points.head(MOST_POINTS)
        figure.add_scatter(
            x=shown["x"].to_numpy(),
            y=shown["y"].to_numpy(),
            text=[html.escape(one, quote=False) for one in shown["id"]],
            mode="markers",
            marker={
                "color": shown["gc"].to_numpy(),
                "colorscale": [[0, LOSS], [1, GAIN]],
                "size": 5,
                "opacity": 0.6,
                "colorbar": {
                    "thickness": 10,
                    "outlinewidth": 0,
                    "tickformat": ".0%",
                    "title": {"text": "GC content", "side": "right"},
                },
            },
            hovertemplate="%{text}: GC %{marker.color:.1%}<extra></extra>",
        )
        return figure

    def _blank(self) -> go.Figure:
        """Axes of one scale for the same points, however they are colored."""
        name = self.projection.upper()
        figure = blank(f"{name} 1", f"{name} 2", height=420)
        figure.update_xaxes(range=value_range(self.points["x"]))
        figure.update_yaxes(range=value_range(self.points["y"]))
        # As much room as the bar of colors takes: in both charts a point has one place.
        figure.update_layout(margin_r=90)
        return figure
