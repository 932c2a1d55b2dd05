"""The page about a language model: how well it tells hidden bases, beside those who only count."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from attendna.core.errors import FolderError
from attendna.report.page import Chart
from attendna.report.run import Run
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.study import blank_of
from attendna.report.style import class_color, value_range
from attendna.report.training_section import settings, training

ACCURACY, PERPLEXITY, GAIN = "masked_accuracy", "perplexity", "masked_accuracy_gain"

_COLUMNS = (
    "told by", "accuracy", "95 % interval", "perplexity", "95 % interval", "behind",
    "95 % interval",
)  # fmt: skip


@dataclass(frozen=True)
class LanguageRunPage:
    """A run of ``pretrain``, with what was measured of it."""

    run: Run

    def sheet(self) -> Sheet:
        """The page.

        Raises
        ------
        FolderError
            The training has not ended.
        """
        metrics = self.run.metrics
        if metrics is None:
            raise FolderError(
                f"{self.run.path} is not finished", "go on with attendna pretrain --resume"
            )
        mine = metrics["run"][0]
        right = metrics.filter(run=mine, metric=ACCURACY).row(0, named=True)
        lead = (
            f"Of {right['n']:,} hidden bases held out {right['value']:.1%} are told right "
            f"({right['low']:.1%} to {right['high']:.1%})."
        )
        return Sheet(
            eyebrow="attendna report",
            title=self.run.path.resolve().name,
            lead=lead,
            tiles=list(self._tiles(metrics, mine)),
            sections=[
                self._result(metrics, mine),
                *training(self.run, "valid_masked_accuracy", "accuracy of hidden bases"),
                settings(self.run),
            ],
        )

    def _tiles(self, metrics: pl.DataFrame, mine: str) -> Iterator[tuple[str, str, str]]:
        others = metrics.filter(pl.col("run") != mine, metric=ACCURACY).sort("value")
        if others.height:
            best = others.row(-1, named=True)
            yield "Best who counts", f"{best['value']:.1%}", _called(best["run"])
        header = self.run.header
        if header is not None:
            yield "Parameters", f"{header.parameters:,}", str(header.checkpoint["model"]["name"])

    def _result(self, metrics: pl.DataFrame, mine: str) -> Section:
        told = {
            name: {row["metric"]: row for row in metrics.filter(run=name).iter_rows(named=True)}
            for name in metrics["run"].unique(maintain_order=True)
        }
        names = {name: "this model" if name == mine else _called(name) for name in told}
        rows = [
            [names[name], *_pair(of[ACCURACY]), *_pair(of[PERPLEXITY]), *_pair(of.get(GAIN))]
            for name, of in told.items()
        ]
        text = (
            "A Markov model of order k counts which base follows which k visible ones; told, it is "
            "shown the hidden ones among them, too; both sides 5 sees up to five visible bases on "
            "either side. Behind is by how much each is right less often than this model, with an "
            "interval by bootstrap over windows."
        )
        if self.run.config.get("tokenizer", {}).get("name") == "bpe":
            text += (
                " Hidden are whole words of a byte-pair encoding: a word's probability counts for "
                "all its bases, and fair beside its perplexity are the Markov models that are told."
            )
        figure = _dots({names[name]: of[ACCURACY] for name, of in told.items()})
        return Section(
            "result",
            "Hidden bases",
            [text],
            charts=[Chart("Accuracy", "With 95 % intervals.", figure, wide=True)],
            tables=[Table(_COLUMNS, rows)],
        )


def _called(name: str) -> str:
    """``markov_5``, ``markov_5_told`` or ``both_sides_5`` in words."""
    if name.startswith("both_sides"):
        return f"both sides {name.rpartition('_')[2]}"
    _, order, *told = name.split("_")
    return f"Markov {order}" + (", told" if told else "")


def _pair(row: dict[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    return f"{row['value']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}"


def _dots(rows: dict[str, dict[str, Any]]) -> go.Figure:
    figure = blank_of("accuracy of hidden bases", list(rows))
    for number, (name, row) in enumerate(rows.items()):
        figure.add_scatter(
            x=[row["value"]],
            y=[name],
            mode="markers",
            marker={"color": class_color(0 if number else 2), "size": 9},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [row["high"] - row["value"]],
                "arrayminus": [row["value"] - row["low"]],
            },
        )
    ends = [row[end] for row in rows.values() for end in ("value", "low", "high")]
    figure.update_xaxes(range=value_range(ends, ACCURACY))
    figure.update_layout(showlegend=False)
    return figure
