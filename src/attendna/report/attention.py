"""The page about where a model looks.

Shapes: ``L`` bases, ``H`` heads, ``Q`` tokens that read, ``S`` tokens that are read.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float64
from numpy import ndarray

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import DASHES, GAIN, blank, class_color, rgba
from attendna.report.template import measure

NOT_ATTRIBUTION = (
    "Attention is not attribution: it says where a layer looks, not what the prediction follows "
    "from."
)
WARNING = (
    f"{NOT_ATTRIBUTION} What mutating bases changes is; the table says how well the two agree."
)

MOST_TOKENS = 160
"""Tokens a map shows; of more, neighbors are averaged."""

MOST_PLACES = 2000
"""Bases, or runs of bases, that the profile shows."""


@dataclass(frozen=True, eq=False)
class MapPart:
    """The maps of one sequence in one network."""

    title: str
    layers: Sequence[Float64[ndarray, "H Q S"]]
    middles: Float[ndarray, " S"]
    """Where the tokens lie, in bases; negative for a learned one."""


@dataclass(frozen=True, eq=False)
class AttentionPage:
    """Profiles and maps as a page.

    Parameters
    ----------
    means
        By the name of the way, the mean profile over aligned sequences, as a multiple of even.
    scores
        What was compared with, and by the name of the way how well it agrees.
    """

    run: str
    sequences: int
    means: Mapping[str, Float[ndarray, " L"]]
    scores: Mapping[str, Mapping[str, float]]
    maps: Sequence[MapPart]

    def sheet(self) -> Sheet:
        """The page."""
        told = "Where the model looks, on average over sequences aligned at their first base."
        rows = [
            (what, *(measure(found[way]) for way in self.means))
            for what, found in self.scores.items()
        ]
        tables = [Table(("compared with", *self.means), rows)] if rows else []
        note = "1 is what each base would have if all had the same."
        return Sheet(
            eyebrow="attendna interpret attention",
            title=f"Attention of {self.run}",
            lead=told,
            tiles=[("Sequences", f"{self.sequences:,}", "each on the strand it is given on")],
            sections=[
                Section(
                    "profile",
                    "Profile",
                    warnings=[WARNING if rows else NOT_ATTRIBUTION],
                    charts=[Chart("Attention by base", note, self.profile(), wide=True)],
                    tables=tables,
                ),
                *(
                    Section(
                        f"map-{number}", part.title, charts=_charts(part), texts=_captions(part)
                    )
                    for number, part in enumerate(self.maps)
                ),
            ],
        )

    def profile(self) -> go.Figure:
        """How much of every position is read."""
        figure = blank("position (bases)", "attention (multiple of even)", height=320)
        for number, (way, mean) in enumerate(self.means.items()):
            shown = _averaged(mean[:, None], MOST_PLACES)[:, 0]
            figure.add_scatter(
                x=np.arange(len(shown)) * _run(len(mean), MOST_PLACES),
                y=shown,
                mode="lines",
                name=way,
                line={"color": class_color(number + 1), "width": 1.6, "dash": DASHES[number]},
                hovertemplate=f"{way} at %{{x}}: %{{y:.2f}}<extra></extra>",
            )
        figure.update_yaxes(rangemode="tozero")
        return figure


_MAPS = "Rows read, columns are read, both from the first token; the darker, the more."
_BARS = "One token reads all others: a bar is the share of its attention that a token gets."


def _captions(part: MapPart) -> list[str]:
    """What the charts of a sequence show: maps, bars, or in some layers one and in others both."""
    alone = [layer.shape[1] == 1 for layer in part.layers]
    return [_MAPS] * (not all(alone)) + [_BARS] * any(alone)


def _charts(part: MapPart) -> list[Chart]:
    return [
        Chart(f"Layer {depth + 1}, head {head + 1}", "", heatmap(layer[head], part.middles))
        for depth, layer in enumerate(part.layers)
        for head in range(len(layer))
    ]


def heatmap(weights: Float64[ndarray, "Q S"], middles: Float[ndarray, " S"]) -> go.Figure:
    """Who reads whom; one reader alone is a line of columns."""
    columns = _averaged(weights.T).T
    places = _averaged(middles[:, None])[:, 0]
    said = np.array(["learned token" if place < 0 else f"base {place:.0f}" for place in places])
    if len(weights) == 1:
        figure = blank("token that is read", "share of attention", height=240)
        figure.add_bar(
            x=np.arange(columns.shape[1]),
            y=columns[0],
            text=said,
            textposition="none",
            marker={"color": GAIN},
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )
        return figure
    shown = _averaged(columns)
    unit = "token" if (places < 0).any() else "base"
    figure = blank(f"is read ({unit})", f"reads ({unit})", height=360)
    # Where a learned token has no place, every cell says who reads whom; that is much text.
    learned = bool((places < 0).any())
    words = [[f"{html.escape(a)} reads {b}" for b in said] for a in said] if learned else None
    figure.add_heatmap(
        z=shown,
        x=None if learned else places,
        y=None if learned else places,
        text=words,
        colorscale=[[0, rgba(GAIN, 0.0)], [1, GAIN]],
        zmin=0,
        zmax=float(np.quantile(shown, 0.995)) or 1.0,
        showscale=False,
        hovertemplate=("%{text}" if learned else "base %{y:.0f} reads base %{x:.0f}")
        + ": %{z:.4f}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def _run(count: int, most: int) -> int:
    """How many neighbors are shown as one."""
    return -(-count // most)


def _averaged(values: Float[ndarray, "S C"], most: int = MOST_TOKENS) -> Float[ndarray, "_ C"]:
    """Rows, of which so many neighbors are averaged that no more than can be seen are left."""
    starts = np.arange(0, len(values), _run(len(values), most))
    counts = np.diff(np.append(starts, len(values)))
    return np.add.reduceat(values, starts, axis=0) / counts[:, None]
