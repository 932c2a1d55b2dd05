"""The page about a study: settings side by side on tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import blank, class_color, value_range
from attendna.report.trade import Point, trade_charts


@dataclass(frozen=True)
class Mark:
    """A row in a chart: a value, its interval (NaN for none) and what was published."""

    name: str
    value: float
    low: float
    high: float
    paper: float
    kind: str
    """``run``, ``reference``, ``baseline`` or ``leak rule``."""


@dataclass(frozen=True)
class MetricPart:
    """One metric of a task: its chart and its table."""

    metric: str
    marks: Sequence[Mark]
    table: Table


@dataclass(frozen=True)
class TaskPart:
    """One task of a study."""

    name: str
    verdict: str
    metrics: Sequence[MetricPart]
    points: Sequence[Point] = ()
    """What its rows reach by the first metric for what they cost."""


@dataclass(frozen=True)
class StudyPage:
    """A study as a page."""

    title: str
    about: str
    note: str
    tasks: Sequence[TaskPart]
    costs: Table
    failures: Sequence[str]

    def sheet(self) -> Sheet:
        """The page."""
        finished = sum(int(row[2].split()[0]) for row in self.costs.rows)
        of_all = sum(int(row[2].split()[-1]) for row in self.costs.rows)
        return Sheet(
            eyebrow="attendna study",
            title=self.title,
            lead=self.about,
            tiles=[
                ("Runs", f"{finished:,}", f"of {of_all:,}"),
                ("Failed", str(len(self.failures)), "listed under Runs"),
            ],
            sections=[
                *(_section(task, self.note) for task in self.tasks),
                Section("runs", "Runs", warnings=self.failures, tables=[self.costs]),
            ],
        )


def _section(task: TaskPart, note: str) -> Section:
    return Section(
        f"task-{task.name}",
        task.name,
        [task.verdict, note],
        charts=[
            *(Chart(f"{task.name}, {part.metric}", _CAPTION, dots(part)) for part in task.metrics),
            *(trade_charts(task.points, task.metrics[0].metric) if len(task.points) > 1 else ()),
        ],
        tables=[part.table for part in task.metrics],
    )


_CAPTION = "Points are means over seeds, with the interval by bootstrap over test rows."


def dots(part: MetricPart) -> go.Figure:
    """A point for each row with its interval; crosses are what was published."""
    figure = blank_of(part.metric, [mark.name for mark in part.marks])
    for kind, title, color, symbol in (
        ("run", "runs", 2, "circle"),
        ("baseline", "learning baseline", 3, "diamond"),
        ("leak rule", "leak rules", 0, "square"),
        ("reference", "most frequent class", 0, "cross"),
    ):
        marks = [mark for mark in part.marks if mark.kind == kind]
        if marks:
            figure.add_scatter(
                x=[mark.value for mark in marks],
                y=[mark.name for mark in marks],
                mode="markers",
                name=title,
                marker={"color": class_color(color), "symbol": symbol, "size": 9},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [_reach(mark.high - mark.value) for mark in marks],
                    "arrayminus": [_reach(mark.value - mark.low) for mark in marks],
                },
            )
    published = [mark for mark in part.marks if not math.isnan(mark.paper)]
    if published:
        figure.add_scatter(
            x=[mark.paper for mark in published],
            y=[mark.name for mark in published],
            mode="markers",
            name="published",
            marker={"color": class_color(1), "symbol": "x", "size": 9},
        )
    reached = [
        number for mark in part.marks for number in (mark.value, mark.low, mark.high, mark.paper)
    ]
    figure.update_xaxes(range=value_range(reached, part.metric))
    return figure


def blank_of(title: str, names: Sequence[str]) -> go.Figure:
    """An empty chart with a line for each name, the first on top."""
    figure = blank(title, "", height=120 + 26 * len(names))
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=list(names)[::-1])
    return figure


def _reach(value: float) -> float:
    return 0.0 if math.isnan(value) else max(0.0, value)
