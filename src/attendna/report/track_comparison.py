"""The page about two models of tracks: how they do record by record."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
import polars as pl

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import SPLIT_LINES, Line, blank, rgba, series_line, value_range


@dataclass(frozen=True, eq=False)
class TrackComparisonPage:
    """A run against the first; the tables are those of a comparison of tracks."""

    first: str
    second: str
    split: str
    rows: pl.DataFrame
    scores: pl.DataFrame

    def sheet(self) -> Sheet:
        """The page."""
        columns = (
            "Head", "Assay", "Records", self.first, self.second, "Difference", "95 % interval",
            "Correlation", "At least as good",
        )  # fmt: skip
        caption = (
            "Mean correlation with what was observed, within records. The interval of the "
            "difference is by bootstrap over records; the correlation is that of the two models' "
            f"scores; at least as good is the share of records in which {self.second} is."
        )
        return Sheet(
            eyebrow="attendna compare",
            title=f"{self.second} against {self.first}",
            lead=self._lead(),
            tiles=list(self._tiles()),
            sections=[
                Section(
                    "table", "By assay", tables=[Table(columns, self._table(), 2, caption)]
                ),
                Section("records", "Record by record", charts=list(self._charts())),
            ],
        )  # fmt: skip

    def _lead(self) -> str:
        told = [
            f"{row['head']} {row['assay']}: {_verdict(row['low'], row['high'])}"
            for row in self.rows.iter_rows(named=True)
        ]
        return f"{self.second} is, on {self.split} records: {'; '.join(told)}."

    def _tiles(self) -> Iterator[tuple[str, str, str]]:
        for row in self.rows.iter_rows(named=True):
            yield (
                f"{row['head']}, {row['assay']}",
                f"{row['difference']:+.3f}".replace("-", "−"),
                f"{row['low']:+.3f} to {row['high']:+.3f}".replace("-", "−"),
            )

    def _table(self) -> list[list[str]]:
        return [
            [
                row["head"], row["assay"], str(row["n"]), f"{row['first']:.3f}",
                f"{row['second']:.3f}", f"{row['difference']:+.3f}".replace("-", "−"),
                f"{row['low']:+.3f} to {row['high']:+.3f}".replace("-", "−"),
                "not defined" if np.isnan(row["correlation"]) else f"{row['correlation']:.3f}",
                f"{row['as_good']:.0%}",
            ]
            for row in self.rows.iter_rows(named=True)
        ]  # fmt: skip

    def _charts(self) -> Iterator[Chart]:
        groups = self.scores.group_by("head", "assay", maintain_order=True)
        for number, ((head, assay), part) in enumerate(groups):
            figure = against(part, self.first, self.second, series_line(number + 1))
            yield Chart(f"{head}, {assay}", "A point is a record.", figure)


def against(scores: pl.DataFrame, first: str, second: str, look: Line) -> go.Figure:
    """Scores of one model over those of another, with the line on which they are equal."""
    figure = blank(f"{escape(first)} (correlation)", f"{escape(second)} (correlation)", height=330)
    one, other = scores["first"].to_numpy(), scores["second"].to_numpy()
    ends = value_range([*one.tolist(), *other.tolist()], "pearson")
    figure.add_scatter(
        x=ends, y=ends, mode="lines", showlegend=False, hoverinfo="skip",
        line={"color": SPLIT_LINES["train"].color, "width": 1, "dash": "dot"},
    )  # fmt: skip
    figure.add_scatter(
        x=one, y=other, mode="markers", showlegend=False,
        marker={"color": rgba(look.color, 0.7), "symbol": look.symbol, "size": 8},
        text=[escape(name) for name in scores["id"]],
        hovertemplate="%{text}: %{x:.3f}, %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=ends)
    figure.update_yaxes(range=ends)
    return figure


def _verdict(low: float, high: float) -> str:
    if low > 0:
        return "better"
    return "worse" if high < 0 else "neither better nor worse beyond the interval"
