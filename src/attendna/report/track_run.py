"""The page about a run of tracks: how well each is predicted, and what that looks like."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import plotly.graph_objects as go
import polars as pl

from attendna.core.errors import FolderError
from attendna.evaluation.track_files import (
    ASSAYS_FILE,
    EXAMPLES_FILE,
    TRACKS_FILE,
    read_table,
)
from attendna.report.page import Chart
from attendna.report.run import Run
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import SPLIT_TITLES, blank, rgba, series_line, value_range
from attendna.report.template import counted
from attendna.report.training_section import settings, training
from attendna.tasks.spec import SPLITS, SplitName

METRICS = {"pearson": "Pearson", "log_pearson": "Pearson of log(1 + x)", "spearman": "Spearman"}

PLACES = {"best": "predicted best", "middle": "in the middle", "worst": "predicted worst"}

OBSERVED, PREDICTED = "#7d8894", "#2c7fbf"


@dataclass(frozen=True, eq=False)
class TrackRunPage:
    """A run of tracks, with what was measured of it."""

    run: Run

    @cached_property
    def assays(self) -> pl.DataFrame | None:
        """Metrics by assay of every head and split that was evaluated."""
        return read_table(self.run.path, ASSAYS_FILE)

    @cached_property
    def measured(self) -> list[tuple[str, SplitName]]:
        """Heads and splits that were evaluated, the test split first."""
        if self.assays is None:
            return []
        pairs = self.assays.select("head", "split").unique(maintain_order=True).rows()
        return sorted(((h, s) for h, s in pairs), key=lambda pair: -SPLITS.index(pair[1]))

    def sheet(self) -> Sheet:
        """The page.

        Raises
        ------
        FolderError
            The training has not ended, or a table of the folder is damaged.
        """
        header = self.run.header
        if header is None:
            raise FolderError(
                f"{self.run.path} is not finished", "go on with attendna train --resume"
            )
        return Sheet(
            eyebrow="attendna report",
            title=self.run.path.resolve().name,
            lead=self._lead(),
            tiles=list(self._tiles(header.parameters)),
            sections=[
                *(self._result(head, split) for head, split in self.measured),
                *(self._examples(head, split) for head, split in self.measured),
                *training(self.run, "valid_pearson", "correlation", "Mean over heads and tracks."),
                settings(self.run),
            ],
        )

    def _lead(self) -> str:
        if not self.measured:
            return "This run has not been evaluated yet: attendna evaluate measures it."
        told = [
            f"{head} {value:.3f} ({low:.3f} to {high:.3f}) over {counted(tracks, 'track')} and "
            f"{counted(n, f'{SPLIT_TITLES[split]} record')}"
            for head, split in self.measured
            if split == self.measured[0][1]
            for value, low, high, tracks, n in self._overall(head, split)
        ]
        return f"Mean correlation with what was observed: {'; '.join(told)}."

    def _overall(self, head: str, split: str) -> list[tuple[float, float, float, int, int]]:
        rows = self._of(self.assays, head, split)
        if rows is None:
            return []
        found = rows.filter(assay="all", metric="pearson")
        return found.select("value", "low", "high", "tracks", "n").rows()

    def _tiles(self, parameters: int) -> Iterator[tuple[str, str, str]]:
        header = self.run.header.checkpoint if self.run.header else {}
        heads = {head: len(tracks) for head, tracks in header["heads"].items()}
        yield "Parameters", f"{parameters:,}", str(header["model"]["name"])
        yield "Window", f"{header['window']:,}", f"bases, in bins of {header['bin_size']}"
        told = ", ".join(f"{head} {count:,}" for head, count in heads.items())
        yield "Tracks", f"{sum(heads.values()):,}", told
        attention = header["model"].get("attention", {})
        sparse = attention.get("sparse")
        yield (
            "Attention",
            "block-sparse" if sparse else "dense",
            f"blocks of {sparse['block']}" if sparse else "every bin reads every other",
        )

    def _of(self, table: pl.DataFrame | None, head: str, split: str) -> pl.DataFrame | None:
        return None if table is None else table.filter(head=head, split=split)

    def _result(self, head: str, split: SplitName) -> Section:
        assays = self._of(self.assays, head, split)
        tracks = self._of(read_table(self.run.path, TRACKS_FILE), head, split)
        rows = [] if assays is None else list(_assay_rows(assays))
        columns = ("Assay", "Measure", "Tracks", "Mean", "95 % interval")
        charts = []
        if tracks is not None:
            note = "A point is a track; the line is the mean of its assay."
            charts = [Chart("Pearson correlation of each track", note, by_track(tracks))]
        caption = "Intervals are by bootstrap over records; ranks have none."
        return Section(
            f"result-{head}-{split}",
            f"{head}, {SPLIT_TITLES[split]}",
            charts=charts,
            tables=[Table(columns, rows, words=2, caption=caption)],
        )

    def _examples(self, head: str, split: SplitName) -> Section:
        table = self._of(read_table(self.run.path, EXAMPLES_FILE), head, split)
        charts = [] if table is None else [_example(row) for row in table.iter_rows(named=True)]
        text = (
            "Of each assay the track that is predicted best and the one in the middle, in the "
            f"{SPLIT_TITLES[split]} records that are predicted best, in the middle and worst. Both "
            "lines have one scale."
        )
        return Section(
            f"seen-{head}-{split}",
            f"Predicted and observed: {head}, {SPLIT_TITLES[split]}",
            [text] if charts else ["Evaluate again to have tracks drawn."],
            charts=charts,
        )


def _assay_rows(assays: pl.DataFrame) -> Iterator[list[str]]:
    for row in assays.iter_rows(named=True):
        known = row["low"] is not None and row["low"] == row["low"]
        yield [
            str(row["assay"]),
            METRICS.get(str(row["metric"]), str(row["metric"])),
            f"{row['tracks']:,}",
            f"{row['value']:.3f}" if row["value"] == row["value"] else "not defined",
            f"{row['low']:.3f} to {row['high']:.3f}" if known else "–",
        ]


def by_track(tracks: pl.DataFrame) -> go.Figure:
    """Points for the correlation of each track, in a column for each assay."""
    figure = blank("", "Pearson correlation", height=340)
    random = np.random.default_rng(0)
    known = tracks.filter(pl.col("metric") == "pearson", pl.col("value").is_not_nan())
    for number, ((assay,), part) in enumerate(known.group_by("assay", maintain_order=True)):
        look, values = series_line(number + 1), part["value"].to_numpy()
        figure.add_scatter(
            x=number + random.uniform(-0.25, 0.25, part.height),
            y=values,
            mode="markers",
            name=escape(str(assay)),
            marker={"color": rgba(look.color, 0.6), "symbol": look.symbol, "size": 6},
            text=[escape(text) for text in part["description"]],
            hovertemplate="%{text}: %{y:.3f}<extra></extra>",
        )
        figure.add_scatter(
            x=[number - 0.35, number + 0.35],
            y=[values.mean()] * 2,
            mode="lines",
            line={"color": look.color, "dash": look.dash, "width": 2},
            showlegend=False,
            hovertemplate="mean %{y:.3f}<extra></extra>",
        )
    figure.update_xaxes(showticklabels=False, ticks="")
    figure.update_yaxes(range=value_range(known["value"], "pearson"))
    return figure


def title_of(row: Mapping[str, object]) -> str:
    """The description of a track, with its identifier: both strands share a description."""
    description, identifier = str(row["description"] or ""), str(row["identifier"])
    if identifier in description:
        return description
    return f"{description} ({identifier})" if description else identifier


def _example(row: dict[str, object]) -> Chart:
    observed, predicted = (np.array(row[k], dtype=np.float64) for k in ("observed", "predicted"))
    size, start = int(str(row["bin_size"])), row["start"]
    place = np.arange(observed.size) * size / 1e3
    title = "kb of the predicted part"
    if start is not None:
        place, title = place + int(str(start)) / 1e3, f"{row['chrom']} (kb)"
    figure = blank(escape(title), f"signal per {size} bp", height=210)
    for name, values, color, fill in (
        ("observed", observed, OBSERVED, "tozeroy"),
        ("predicted", predicted, PREDICTED, None),
    ):
        figure.add_scatter(
            x=np.round(place, 3), y=np.round(values, 4), name=name, mode="lines", fill=fill,
            line={"color": color, "width": 1 if fill else 1.5, "shape": "hv"},
            fillcolor=rgba(color, 0.35) if fill else None,
            hovertemplate=f"{name}: %{{y:.3g}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    note = f"{row['assay']}, record {row['id']} ({PLACES[str(row['place'])]})"
    return Chart(title_of(row), note, figure)
