"""The page about a search for settings: how it went, what mattered, and what won."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from jaxtyping import Float64
from numpy import ndarray

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import (
    GAIN,
    SPLIT_LINES,
    blank,
    log_axis,
    rgba,
    series_line,
    value_range,
    whole_axis,
)
from attendna.report.template import counted, duration, measure

MOST_CURVES = 8
"""Trials whose validations are drawn one by one."""

MOST_LINES = 60
"""Trials that the chart of all keys shows."""

MOST_ROWS = 20
"""Trials in the table."""

_CURVES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "specificity": "false positive rate",
    "f1": "F1",
}
"""Measures of every validation that are drawn, where they were logged."""


@dataclass(frozen=True, eq=False)
class TuningPage:
    """A search as a page.

    Parameters
    ----------
    trials, logs
        As :class:`attendna.training.tuning.result.TuneResult` has them.
    keys
        The settings that were searched; true where the logarithm was drawn evenly.
    facts
        How was searched, name by name.
    """

    task: str
    metric: str
    lower_is_better: bool
    trials: pl.DataFrame
    logs: pl.DataFrame
    keys: Mapping[str, bool]
    importances: Mapping[str, float]
    best: Mapping[str, Any] | None
    facts: Sequence[tuple[str, str]]

    @property
    def ranked(self) -> pl.DataFrame:
        """The trials of the search that were trained to their end, the best first."""
        complete = self.searched.filter(state="complete")
        return complete.sort("value", "number", descending=[not self.lower_is_better, False])

    @property
    def searched(self) -> pl.DataFrame:
        """The trials of the search proper."""
        return self.trials.filter(phase="search")

    def sheet(self) -> Sheet:
        """The page."""
        states = dict(self.searched.group_by("state").len().iter_rows())
        again = self.trials.filter(phase="full").height
        value = measure(None if self.best is None else self.best["value"])
        return Sheet(
            eyebrow="attendna tune",
            title=f"Settings for {self.task}",
            lead=self._lead(),
            tiles=[
                (f"Best {self.metric}", value, "on validation rows"),
                (
                    "Trials",
                    f"{self.searched.height:,}",
                    f"{states.get('complete', 0):,} trained to their end",
                ),
                ("Stopped early", f"{states.get('pruned', 0):,}", "behind the median"),
                ("Failed", f"{states.get('failed', 0):,}", "listed under Trials"),
                *([("Trained again", f"{again:,}", "on all rows")] if again else []),
            ],
            sections=list(self._sections()),
        )

    def _lead(self) -> str:
        if self.best is None:
            return "No trial was trained to its end."
        chosen = ", ".join(f"{key} {told(self.best[key])}" for key in self.keys)
        again = "" if self.best["of"] is None else ", trained again on all rows,"
        return (
            f"Trial {_number(self.best)}{again} is best: {chosen}. On the rows it was chosen by, "
            "the best of many is better than it will be on others; the test rows were not opened."
        )

    def _sections(self) -> Iterator[Section]:
        yield Section(
            "history",
            "The search",
            [] if self.importances or len(self.keys) < 2 else [self._no_importance()],
            charts=[
                Chart("Trials in turn", "Hollow points were stopped early.", self.history()),
                *self._importance(),
            ],
        )
        slices = [Chart(key, "", self.slice(key)) for key in self.keys]
        if len(self.keys) > 1:
            note = f"A line a trial, the {MOST_LINES} best; the stronger, the better."
            data = self.ranked.select("number", *self.keys, "value").head(MOST_LINES)
            slices.append(Chart("All settings", note, self.parallel(), wide=True, data=data))
        yield Section("settings", "Settings", charts=slices)
        curves = list(self.curves())
        if curves:
            yield Section("validations", "Validations", charts=curves)
        yield Section("trials", "Trials", warnings=self._failures(), tables=list(self._tables()))
        yield Section("how", "How was searched", facts=self.facts)

    def history(self) -> go.Figure:
        """What each trial reached, and the best so far."""
        figure = blank("trial", self.metric)
        for state, symbol in (("complete", "circle"), ("pruned", "circle-open")):
            mine = self.searched.filter(pl.col("state") == state, pl.col("value").is_finite())
            figure.add_scatter(
                x=mine["number"].to_numpy(),
                y=mine["value"].to_numpy(),
                mode="markers",
                name=state,
                marker={"color": GAIN, "symbol": symbol, "size": 8},
                hovertemplate=f"trial %{{x}}: {self.metric} %{{y:.4f}}<extra>{state}</extra>",
            )
        figure.update_xaxes(whole_axis(self.searched["number"]))
        figure.update_yaxes(range=self._reached)
        complete = self.searched.filter(state="complete").sort("number")
        values = complete["value"]
        line = SPLIT_LINES["train"]
        figure.add_scatter(
            x=complete["number"].to_numpy(),
            y=(values.cum_min() if self.lower_is_better else values.cum_max()).to_numpy(),
            mode="lines",
            name="best so far",
            line={"color": line.color, "width": 1.5, "shape": "hv"},
            hoverinfo="skip",
        )
        return figure

    def _no_importance(self) -> str:
        finished = counted(self.ranked.height, "trial")
        return (
            "How much each setting matters (fANOVA) is not shown: "
            f"{finished} trained to the end, which is too few to estimate it."
        )

    def _importance(self) -> Iterator[Chart]:
        if len(self.importances) < 2:
            return  # of one setting it says nothing
        keys = list(self.importances)[::-1]
        figure = blank("share of the differences", "", height=120 + 28 * len(keys))
        figure.add_bar(
            x=[self.importances[key] for key in keys],
            y=[_escaped(key) for key in keys],
            orientation="h",
            marker={"color": GAIN},
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
        figure.update_xaxes(tickformat=".0%", rangemode="tozero")
        yield Chart("Importance", "fANOVA over the trials that were trained to their end.", figure)

    @property
    def _reached(self) -> list[float]:
        """The scale on which every chart draws what the trials reached."""
        return value_range(self.searched["value"], self.metric)

    def slice(self, key: str) -> go.Figure:
        """What was reached with each value of a setting."""
        figure = blank(key, self.metric, height=290)
        mine = self.ranked
        texts = mine[key].dtype == pl.String
        figure.add_scatter(
            x=[_escaped(told(value)) if texts else value for value in mine[key]],
            y=mine["value"].to_numpy(),
            customdata=mine["number"].to_numpy(),
            mode="markers",
            marker={"color": rgba(GAIN, 0.7), "size": 8},
            hovertemplate="trial %{customdata}: %{x}, %{y:.4f}<extra></extra>",
        )
        if texts:
            places = [_escaped(told(text)) for text in _choices(mine[key])]
            figure.update_xaxes(type="category", categoryorder="array", categoryarray=places)
        else:
            figure.update_xaxes(_setting_axis(mine[key], self.keys[key]))
        figure.update_yaxes(range=self._reached)
        return figure

    def parallel(self) -> go.Figure:
        """A line a trial through its values, each setting from its lowest to its highest."""
        figure = blank("", "", height=360)
        mine = self.ranked.head(MOST_LINES)
        names = [*self.keys, "value"]
        places = np.stack([self._places(mine[name], self.keys.get(name, False)) for name in names])
        titles = [*self.keys, self.metric]
        # Long names beside each other would run together on a narrow page.
        shown = [_escaped(title).replace(".", ".<br>") for title in titles]
        for row in reversed(range(mine.height)):
            hover = [
                f"{title} {told(mine[name][row])}"
                for title, name in zip(titles, names, strict=True)
            ]
            figure.add_scatter(
                x=shown,
                y=places[:, row],
                mode="lines+markers",
                text=[_escaped(text) for text in hover],
                hovertemplate=f"trial {mine['number'][row]}: %{{text}}<extra></extra>",
                line={
                    "color": rgba(GAIN, 0.9 - 0.75 * row / max(1, mine.height - 1)),
                    "width": 1.6,
                },
                marker={"size": 5},
                showlegend=False,
            )
        figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 1], ticktext=["low", "high"])
        return figure

    def _places(self, values: pl.Series, logarithmic: bool) -> Float64[ndarray, " n"]:
        """Where values lie between the lowest, 0, and the highest, 1."""
        if values.dtype == pl.String:
            choices = _choices(values)
            numbers = np.array([choices.index(value) for value in values], dtype=np.float64)
        else:
            numbers = values.to_numpy().astype(np.float64)
        numbers = np.log(numbers) if logarithmic else numbers
        width = np.ptp(numbers) if numbers.size else 0.0
        return (numbers - numbers.min()) / width if width > 0 else np.full(numbers.size, 0.5)

    def curves(self) -> Iterator[Chart]:
        """Every validation of the best trials, measure by measure."""
        best = self.ranked.head(MOST_CURVES)
        measures = dict(_CURVES)
        if not {"specificity", "f1"} & {name.removeprefix("valid_") for name in self.logs.columns}:
            measures = {"loss": "loss"}
        measures.setdefault(self.metric, self.metric)
        note = "" if best.height == self.searched.height else f"The {best.height} best trials."
        for name, title in measures.items():
            column = f"valid_{name}"
            if column in self.logs.columns:
                yield Chart(title, note, self._curve(best, column, title))

    def _curve(self, best: pl.DataFrame, column: str, title: str) -> go.Figure:
        figure = blank("epoch", f"validation {title}", height=320)
        drawn: list[float] = []
        for place, trial in enumerate(best.sort(*self.keys).iter_rows(named=True)):
            look = series_line(place)
            log = self.logs.filter(phase="search", number=trial["number"])
            validated = log[column].to_numpy()
            values = [f"{key.rpartition('.')[2]} {told(trial[key])}" for key in self.keys]
            shown = 1 - validated if column == "valid_specificity" else validated
            drawn += shown.tolist()
            name = values[0] if len(values) == 1 else f"trial {trial['number']}"
            figure.add_scatter(
                x=log["epoch"].to_numpy(),
                y=shown,
                mode="lines+markers",
                name=_escaped(name),
                line={"color": look.color, "dash": look.dash, "width": 2},
                marker={"symbol": look.symbol, "size": 6},
                hovertemplate=f"epoch %{{x}}: {title} %{{y:.4f}}"
                f"<extra>{_escaped(', '.join(values))}</extra>",
            )
        figure.update_xaxes(whole_axis(self.logs.filter(phase="search")["epoch"]))
        figure.update_yaxes(range=value_range(drawn, column))
        return figure

    def _failures(self) -> list[str]:
        failed = self.trials.filter(state="failed")
        return [
            f"Trial {row['number']} ({row['phase']}) failed: {row['reason']}"
            for row in failed.iter_rows(named=True)
        ]

    def _tables(self) -> Iterator[Table]:
        columns = ("trial", *self.keys, self.metric, "time")
        for phase, caption in (
            ("full", "Trained again on all rows."),
            ("search", "The trials of the search that were trained to their end, the best first."),
        ):
            mine = self.trials.filter(phase=phase, state="complete").sort(
                "value", "number", descending=[not self.lower_is_better, False]
            )
            rows = [self._cells(row) for row in mine.head(MOST_ROWS).iter_rows(named=True)]
            if rows:
                yield Table(columns, rows, words=0, caption=caption)

    def _cells(self, row: Mapping[str, Any]) -> list[str]:
        values = [told(row[key]) for key in self.keys]
        return [_number(row), *values, measure(row["value"]), duration(row["seconds"] or 0.0)]


def _setting_axis(values: pl.Series, logarithmic: bool) -> dict[str, Any]:
    """The axis of a setting that is a number."""
    if logarithmic:
        return log_axis(values)
    return whole_axis(values) if values.dtype.is_integer() else {}


def _number(row: Mapping[str, Any]) -> str:
    """The number of a trial in the search, also where it was trained again."""
    return str(row["number"] if row["of"] is None else row["of"])


def _choices(values: pl.Series) -> list[str]:
    """The texts that occur: numbers by their size, then words."""

    def place(text: str) -> tuple[float, str]:
        try:
            return float(text), text
        except ValueError:
            return math.inf, text

    return sorted(values.unique(), key=place)


def _escaped(text: str) -> str:
    """Text for a chart, which takes tags but no entities of quotes."""
    return html.escape(text, quote=False)


def told(value: object) -> str:
    """A value of a setting, as short as it can be."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
