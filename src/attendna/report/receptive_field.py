"""How far a model of tracks sees, as a page, from the table that was measured."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from plotly.colors import sample_colorscale

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import blank, log_axis
from attendna.report.template import counted

SIDES = {"left": ("#d55e00", "square"), "right": ("#2c7fbf", "circle")}
ALIKE = 0.1
"""Share by which the two sides may differ and still count as alike."""


@dataclass(frozen=True, eq=False)
class ReceptiveFieldPage:
    """What one changed base does to every bin."""

    model: str
    weights: str
    """Where the weights come from."""
    summary: Mapping[str, Any]
    rows: pl.DataFrame
    """A row a position and bin."""
    by_distance: pl.DataFrame

    def sheet(self) -> Sheet:
        """The page."""
        summary = self.summary
        ratio, error = summary["left_over_right"], summary["left_over_right_error"]
        return Sheet(
            eyebrow="attendna interpret receptive-field",
            title=f"How far {self.model} sees",
            lead=self._lead(),
            tiles=[
                ("Left over right", _known(ratio), _spread(error)),
                ("Sequences", f"{summary['sequences']:,}", f"of {summary['length']:,} bp"),
                ("Positions", str(len(summary["positions"])), "a base changed at each"),
                ("Resolved", f"{sum(summary['resolved'])} of {len(summary['resolved'])}",
                 "positions with an effect above rounding"),
            ],
            sections=[
                Section("bins", "Bin by bin", self._texts(), charts=[self._lines()]),
                Section(
                    "summary", "By position and by distance",
                    charts=[self._positions(), self._distances()], tables=[self._table()],
                ),
                Section("measured", "Measured", facts=list(self._facts())),
            ],
        )  # fmt: skip

    def _lead(self) -> str:
        ratio = self.summary["left_over_right"]
        if ratio != ratio:  # noqa: PLR0124 - not a number
            return (
                "No bin is reached through attention above rounding on at least one side, so the "
                "sides are not compared."
            )
        sides = (
            "Both sides of the window count about alike"
            if abs(ratio - 1) <= ALIKE
            else f"The {'left' if ratio > 1 else 'right'} side of the window counts more"
        )
        return (
            f"{sides}: bases left of the middle move far bins {ratio:.2f} times as much as "
            "those right of it."
        )

    def _texts(self) -> list[str]:
        summary = self.summary
        text = (
            "One base of a random window was replaced by a random other one. Shown is the mean "
            f"absolute change over all tracks of the head {summary['head']} and "
            f"{counted(summary['sequences'], 'window')}. A base reaches the "
            f"{counted(summary['near'], 'bin')} to "
            "either side of its own by convolution; any other only through attention."
        )
        return [text]

    def _lines(self) -> Chart:
        positions = self.summary["positions"]
        figure = blank("bin (kb from the start of the window)", "mean absolute change", height=420)
        shades = sample_colorscale(
            "Viridis", [0.9 * p / max(1, len(positions) - 1) for p in range(len(positions))]
        )
        for position, shade in zip(positions, shades, strict=True):
            own = self.rows.filter(position=position)
            figure.add_scatter(
                x=(own["start"].to_numpy() + self.summary["bin"] / 2) / 1e3,
                y=own["change"].to_numpy(),
                name=f"{position / 1e3:,.1f} kb",
                mode="lines",
                line={"color": shade, "width": 1.4},
                hovertemplate=f"base {position:,}, at %{{x:,.1f}} kb: %{{y:.3g}}<extra></extra>",
            )
        figure.update_yaxes(log_axis(self.rows["change"]))
        return Chart("Change by bin, a line for each changed base", "", figure, wide=True)

    def _positions(self) -> Chart:
        figure = blank("changed base (kb)", "mean change of far bins", height=320)
        figure.add_scatter(
            x=[p / 1e3 for p in self.summary["positions"]],
            y=list(self.summary["effects"]),
            mode="lines+markers",
            line={"color": "#2c7fbf", "width": 2},
            marker={"size": 7},
            hovertemplate="base at %{x:,.1f} kb: %{y:.3g}<extra></extra>",
        )
        figure.update_layout(showlegend=False)
        figure.update_yaxes(rangemode="tozero")
        note = "Bins that the base reaches through attention only. Even is ideal."
        return Chart("Effect of each place", note, figure)

    def _distances(self) -> Chart:
        figure = blank("distance (kb)", "mean absolute change", height=320)
        for side, (color, symbol) in SIDES.items():
            own = self.by_distance.filter(side=side)
            figure.add_scatter(
                x=own["distance"].to_numpy() / 1e3,
                y=own["change"].to_numpy(),
                name=f"bins to the {side}",
                mode="lines+markers",
                line={"color": color, "width": 2},
                marker={"symbol": symbol, "size": 5},
                hovertemplate=f"%{{x:,.2f}} kb to the {side}: %{{y:.3g}}<extra></extra>",
            )
        figure.update_xaxes(log_axis(self.by_distance["distance"] / 1e3))
        figure.update_yaxes(log_axis(self.by_distance["change"]))
        return Chart("Effect at a distance", "Mean over all positions.", figure)

    def _table(self) -> Table:
        positions, effects = self.summary["positions"], self.summary["effects"]
        mirrored = [
            "–" if not other or (place == len(effects) // 2 and len(effects) % 2)
            else f"{effect / other:.2f}"
            for place, (effect, other) in enumerate(
                zip(effects, reversed(effects), strict=True)
            )
        ]  # fmt: skip
        rows = [
            [f"{position:,}", f"{effect:.3g}", ratio if there else "not resolved"]
            for position, effect, ratio, there in zip(
                positions, effects, mirrored, self.summary["resolved"], strict=True
            )
        ]
        columns = ("Changed base", "Mean change of far bins", "Over that of the mirrored base")
        return Table(columns, rows, words=0)

    def _facts(self) -> Iterator[tuple[str, str]]:
        summary = self.summary
        yield "Weights", self.weights
        yield "Window", f"{summary['length']:,} bp, bins of {summary['bin']}"
        yield "Mean prediction", f"{summary['level']:.4g}"
        yield (
            "Rounding",
            (
                f"{summary['noise']:.2g}: mean absolute difference of the changes from those in "
                "float64; effects below three times as much are not resolved"
            ),
        )


def _known(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.2f}"


def _spread(error: float) -> str:
    """The standard error of a mean over sequences; of one sequence there is none."""
    if math.isnan(error):
        return "no standard error of one sequence"
    return f"± {error:.2f} (standard error)"
