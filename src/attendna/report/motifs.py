"""The page about which motifs a model reads."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from attendna.evaluation.uncertainty import Estimate
from attendna.report.attention import NOT_ATTRIBUTION
from attendna.report.page import Chart
from attendna.report.sheet import Pairs, Picture, Section, Sheet, Table
from attendna.report.style import GAIN, LOSS, blank, class_color, rgba
from attendna.report.template import measure

SHOWN = 25
"""Motifs of the table."""

_AGAINST = "AUROC above shuffled columns"
_KINDS = ("neither", "attention only", "importance only", "both")
_SAID = {"auroc": "planted bases (AUROC; by chance 0.5)", "auprc": "planted bases (AUPRC{chance})"}


@dataclass(frozen=True, eq=False)
class MotifsPage:
    """What was measured, as a page and as a warning.

    Parameters
    ----------
    table
        As :func:`attendna.interpret.motif_reading.read_in_motifs` gives it.
    level
        The corrected p-value below which a motif is said to stand out.
    agreement
        By the name of the way of reading, its rank correlation with importance.
    truth
        By the name of the score, how well it finds planted bases; none where they are not known.
    chance
        The share of planted bases, which a score without any merit has as its AUPRC.
    logos
        The picture of the first motifs, empty of none.
    facts
        How it was measured.
    """

    run: str
    sequences: int
    table: pl.DataFrame
    level: float
    agreement: Mapping[str, Estimate]
    truth: Mapping[str, Mapping[str, Estimate]] | None
    chance: float
    logos: str
    facts: Pairs

    @property
    def warning(self) -> str:
        """That attention is no attribution, with the numbers that show it."""
        if self.truth:
            auroc, auprc = (
                ", ".join(f"{name} {spell(each[key])}" for name, each in self.truth.items())
                for key in ("auroc", "auprc")
            )
            return (
                f"{NOT_ATTRIBUTION} The bases planted in these sequences are found with an AUROC "
                f"of: {auroc}; and an AUPRC of: {auprc}; by chance {measure(self.chance)}."
            )
        told = ", ".join(f"{way} {spell(value)}" for way, value in self.agreement.items())
        return (
            f"{NOT_ATTRIBUTION} What the truth is of these sequences is not known (--truth takes "
            "that of simulated ones). Rank correlation with what mutating each base changes: "
            f"{told}."
        )

    def standing_out(self, score: str) -> pl.DataFrame:
        """Rows of the motifs on which a score is higher than on their shuffled columns."""
        of_score = self.table.filter(score=score)
        return of_score.filter(pl.col("q_value") < self.level, pl.col("difference") > 0)

    def sheet(self) -> Sheet:
        """The page."""
        matched = self.table.filter(score="attention").filter(pl.col("matches") > 0).height
        total = self.table["motif"].n_unique()
        tiles = [
            ("Sequences", f"{self.sequences:,}", "each on the strand it is given on"),
            ("Motifs with matches", f"{matched:,}", f"of {total:,}, on either strand"),
            *(
                (f"Stand out by {score}", f"{self.standing_out(score).height:,}", self._level)
                for score in ("attention", "importance")
            ),
        ]
        return Sheet(
            eyebrow="attendna interpret motifs",
            title=f"Motifs that {self.run} reads",
            lead="Which motifs attract attention, and on which of them predictions depend.",
            tiles=tiles,
            sections=[
                Section("warning", "How far attention can be believed", **self._believed()),
                Section(
                    "motifs",
                    "Motifs",
                    texts=[_READING.format(level=self.level)],
                    charts=[
                        Chart("Attention against importance", _NOTE, self.scatter(), wide=True)
                    ],
                    tables=[self.listed()],
                ),
                *self._pictures(),
                Section("method", "How it was measured", facts=self.facts),
            ],
        )

    @property
    def _level(self) -> str:
        return f"above shuffled columns, q < {self.level:g}"

    def _believed(self) -> dict[str, Any]:
        correlations = [spell(value) for value in self.agreement.values()]
        rows = [["mutating bases (rank correlation; by chance 0)", *correlations, "–"]]
        for key, said in _SAID.items() if self.truth else ():
            values = [spell(of[key]) for of in (self.truth or {}).values()]
            rows.append([said.format(chance=f"; by chance {measure(self.chance)}"), *values])
        columns = ("compared with", "attention", "rollout", "importance")
        caption = "Means over sequences, with 95 % intervals over them. Importance is how much the "
        caption += "log-odds change when a base does, up or down."
        return {"warnings": [self.warning], "tables": [Table(columns, rows, caption=caption)]}

    def listed(self) -> Table:
        """The motifs of most attention, beside their importance."""
        columns = ["motif", "matches"]
        for score in ("attention", "importance"):
            columns += [f"{score}, ×", "AUROC", "shuffled", "q"]
        rows = [
            [_whole(row["motif"]), f"{row['matches']:,}", *_cells(row, ""), *_cells(row, "_other")]
            for row in self._pairs().head(SHOWN).iter_rows(named=True)
        ]
        return Table(columns, rows, caption=_LISTED.format(count=len(rows)))

    def scatter(self) -> go.Figure:
        """Every tested motif: what attention and what importance there is beyond composition."""
        figure = blank(f"importance: {_AGAINST}", f"attention: {_AGAINST}", height=430)
        pairs = self._pairs().drop_nulls(["q_value", "q_value_other"])
        known = [self.standing_out(score)["motif"] for score in ("attention", "importance")]
        kind = sum(
            pairs["motif"].is_in(names.implode()).cast(pl.Int64) * weight
            for weight, names in zip((1, 2), known, strict=True)
        )
        for number, (name, color) in enumerate(
            zip(_KINDS, (class_color(0), GAIN, LOSS, class_color(3)), strict=True)
        ):
            part = pairs.filter(kind == number)
            figure.add_scatter(
                x=part["difference_other"],
                y=part["difference"],
                mode="markers",
                name=f"{name} ({part.height})",
                text=[html.escape(motif) for motif in part["motif"]],
                marker={"color": rgba(color, 0.45 if number == 0 else 0.9), "size": 7},
                hovertemplate="%{text}<br>attention %{y:+.3f}, importance %{x:+.3f}<extra></extra>",
            )
        for add in (figure.add_hline, figure.add_vline):
            add(0, line={"color": class_color(0), "width": 1, "dash": "dot"})
        return figure

    def _pairs(self) -> pl.DataFrame:
        """Motifs in the order of attention, with importance beside it."""
        other = self.table.filter(score="importance").drop("matches", "score")
        return self.table.filter(score="attention").join(
            other, on="motif", how="left", suffix="_other", maintain_order="left"
        )

    def _pictures(self) -> Sequence[Section]:
        if not self.logos:
            return ()
        picture = Picture(self.logos, "Letters as tall as the information they carry")
        return [Section("logos", "The motifs of most attention", pictures=[picture])]


_READING = (
    "Every motif's matches are held against the other bases of the same sequences. A model that "
    "merely likes G and C would read every GC-rich motif, so the same is measured for the motif's "
    "columns in other orders: a motif stands out where the AUROC of its matches is higher than "
    "that, at a corrected p-value (q) below {level:g}."
)
_LISTED = (
    "The {count} motifs that attention stands out on most; × is the mean on matches by the mean "
    "elsewhere. Without a q are those that match, or whose shuffled columns match, in too few "
    "sequences for a test. motifs.parquet has all motifs, with rollout and intervals."
)
_NOTE = (
    "Motifs that were tested. What lies at the upper left is looked at and of no consequence; at "
    "the lower right, predictions depend on what is hardly looked at."
)


def spell(value: Estimate) -> str:
    """A number with its interval."""
    if value.low != value.low:
        return measure(value.value)
    return f"{measure(value.value)} ({measure(value.low)} to {measure(value.high)})"


def _whole(name: str) -> str:
    """A name of several words that stays on one line."""
    return name.replace(" ", "\u00a0")


def _cells(row: Mapping[str, Any], suffix: str) -> list[str]:
    ratio, auroc, shuffled, q = (
        row[f"{name}{suffix}"] for name in ("ratio", "auroc", "shuffled_auroc", "q_value")
    )
    told = "–" if q is None else "<\u00a0.001" if q < 0.001 else f"{q:.3f}"
    return ["–" if ratio is None else f"{ratio:.1f}", measure(auroc), measure(shuffled), told]
