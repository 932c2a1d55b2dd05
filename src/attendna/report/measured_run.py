"""The page about a run whose labels are numbers or lists of tracks, and about any transfer.

Shapes: ``n`` rows of a split.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.errors import FolderError
from attendna.evaluation.track_files import TRACKS_FILE, read_table
from attendna.report.page import Chart
from attendna.report.run import Run
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import SPLIT_LINES, SPLIT_TITLES, blank, rgba, value_range
from attendna.report.template import counted
from attendna.report.training_section import settings, training
from attendna.tasks.spec import SPLITS, SplitName

MAIN = ("spearman", "auprc", "auroc")
"""The metric a page begins with is the first of these that was measured."""
MOST_DRAWN = 6
"""Tracks of which what was predicted is drawn."""
MOST_LISTED = 200
MOST_POINTS = 800

_KEYS = ("task", "split", "track", "n", "prevalence")
_COLUMNS = ("metric", "value", "95 % interval", "n")


@dataclass(frozen=True)
class MeasuredRunPage:
    """A run, with what was measured of it."""

    run: Run

    def sheet(self) -> Sheet:
        """The page.

        Raises
        ------
        FolderError
            Nothing has been measured yet, or a table of the folder is damaged.
        """
        metrics = self.run.metrics
        if metrics is None:
            raise FolderError(
                f"{self.run.path} is not finished", "go on with attendna train --resume"
            )
        pairs = metrics.select("task", "split").unique(maintain_order=True).rows()
        measured = sorted(pairs, key=lambda pair: -SPLITS.index(pair[1]))
        first = metrics.filter(task=measured[0][0], split=measured[0][1])
        names = first["metric"].to_list()
        metric = next((name for name in MAIN if name in names), names[0])
        main = first.filter(metric=metric)
        return Sheet(
            eyebrow="attendna report",
            title=self.run.path.resolve().name,
            lead=_lead(main.row(0, named=True)),
            tiles=list(self._tiles(first)),
            sections=[
                *(self._result(metrics, task, split) for task, split in measured),
                *training(self.run, f"valid_{metric}", metric, "Mean over tracks, if several."),
                settings(self.run),
            ],
        )

    def _tiles(self, metrics: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
        split: SplitName = metrics["split"][0]
        yield "Rows", f"{metrics['n'][0]:,}", f"{SPLIT_TITLES[split]}, measured"
        header, config = self.run.header, self.run.config
        if header is not None:
            yield "Parameters", f"{header.parameters:,}", str(header.checkpoint["model"]["name"])
            tracks = len(header.classes)
            yield "Tracks", f"{tracks:,}", str(header.checkpoint["label_kind"])
        if "learner" in config:
            yield "Learner", str(config["learner"]["name"]), f"on the vectors of {config['run']}"

    def _result(self, metrics: pl.DataFrame, task: str, split: SplitName) -> Section:
        rows = metrics.filter(task=task, split=split)
        tables = [Table(_COLUMNS, [_cells(row) for row in rows.iter_rows(named=True)])]
        tracks = read_table(self.run.path, TRACKS_FILE)
        if tracks is not None and tracks.height:
            tables.append(_listed(tracks.filter(task=task, split=split)))
        return Section(
            f"result-{task}-{split}",
            f"{task}, {SPLIT_TITLES[split]}",
            charts=list(self._charts(task, split)),
            tables=tables,
        )

    def _charts(self, task: str, split: SplitName) -> Iterator[Chart]:
        """Predicted beside measured numbers, of the first tracks."""
        frame = self.run.predictions
        if frame is None or frame.schema["label"] != pl.List(pl.Float32):
            return
        rows = frame.filter(task=task, split=split)
        names = rows.columns[rows.columns.index("label") + 1 :]
        for place, name in enumerate(names[:MOST_DRAWN]):
            pair = rows.select(seen=pl.col("label").list.get(place), said=name).drop_nulls()
            note = counted(pair.height, "row") + (
                f", of which {MOST_POINTS:,} are drawn." if pair.height > MOST_POINTS else "."
            )
            drawn = pair.sample(min(pair.height, MOST_POINTS), seed=0).cast(pl.Float64)
            figure = scatter(drawn["seen"].to_numpy(), drawn["said"].to_numpy(), split)
            yield Chart(f"{name}: predicted and measured", note, figure)


def scatter(
    seen: Float64[ndarray, " n"], said: Float64[ndarray, " n"], split: SplitName
) -> go.Figure:
    """A point for each row, and the line on which both are equal."""
    figure = blank("measured", "predicted", height=320)
    line = SPLIT_LINES[split]
    if seen.size:
        ends = value_range([*seen.tolist(), *said.tolist()])
        # What is equal lies on the diagonal only where both axes have one scale.
        figure.update_xaxes(range=ends)
        figure.update_yaxes(range=ends)
        figure.add_scatter(
            x=ends, y=ends, mode="lines", hoverinfo="skip", name="equal",
            line={"color": SPLIT_LINES["train"].color, "width": 1, "dash": "dot"},
        )  # fmt: skip
    figure.add_scatter(
        x=np.round(seen, 4),
        y=np.round(said, 4),
        mode="markers",
        name=SPLIT_TITLES[split],
        marker={"color": rgba(line.color, 0.5), "size": 5},
        hovertemplate="measured %{x:.3g}, predicted %{y:.3g}<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    return figure


def _lead(row: dict[str, Any]) -> str:
    split: SplitName = row["split"]  # pyright: ignore[reportAssignmentType]
    told = f"{row['metric']} {_spell(row['value'])}"
    rows = counted(row["n"], f"{SPLIT_TITLES[split]} row")
    return f"{told} ({_between(row)}) on {rows} of {row['task']}."


def _cells(row: dict[str, object]) -> list[str]:
    return [str(row["metric"]), _spell(row["value"]), _between(row), f"{row['n']:,}"]


def _listed(tracks: pl.DataFrame) -> Table:
    """The metrics of each track, the first of very many."""
    metrics = [name for name in tracks.columns if name not in _KEYS]
    rows = [
        [str(row["track"]), f"{row['n']:,}", *(_spell(row[name]) for name in metrics)]
        for row in tracks.head(MOST_LISTED).iter_rows(named=True)
    ]
    more = tracks.height - MOST_LISTED
    caption = f"{more:,} more in {TRACKS_FILE}" if more > 0 else ""
    return Table(("track", "n", *metrics), rows, caption=caption)


def _between(row: dict[str, object]) -> str:
    return "no interval" if row["low"] is None else f"{_spell(row['low'])} to {_spell(row['high'])}"


def _spell(value: object) -> str:
    known = isinstance(value, float) and value == value  # noqa: PLR0124 - NaN
    return f"{value:.4f}" if known else "–"
