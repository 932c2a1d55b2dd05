"""What models of tracks cost, as a page: memory and time by length, and what fits a GPU."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import SPLIT_LINES, blank
from attendna.report.template import counted
from attendna.training.plan import GB, Fit, crossover, fit_memory, per_layer, plan

COLORS = {"dense": "#d55e00", "sparse": "#2c7fbf"}
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = {"dense": "square", "sparse": "circle"}
MODES = {"forward": "Inference", "train": "A training step"}
SHORT_MODES = {"forward": "inference", "train": "training"}


@dataclass(frozen=True, eq=False)
class ProfilePage:
    """The rows of a profile, with what it was measured on."""

    facts: Mapping[str, Any]
    rows: pl.DataFrame

    @property
    def fits(self) -> list[Fit]:
        """Curves through the memory of every mode, kind of attention and number of layers."""
        return list(fit_memory(self.rows))

    @property
    def modes(self) -> list[str]:
        """Modes that were asked for, in order."""
        return self.rows["mode"].unique(maintain_order=True).to_list()

    @property
    def deepest(self) -> pl.DataFrame:
        """The rows of the most layers."""
        return self.rows.filter(pl.col("layers") == pl.col("layers").max())

    def crossings(self) -> list[tuple[str, str, str]]:
        """What was compared, by which measure, and where sparse becomes cheaper."""
        found: list[tuple[str, str, str]] = []
        layered = per_layer(self.rows)
        for mode in self.modes:
            frames = {
                "memory": (self.deepest.filter(status="measured"), "peak_bytes"),
                "time": (self.deepest.filter(status="measured"), "seconds"),
                "time per layer": (layered, "seconds"),
            }
            if mode == "train":
                # In inference a layer keeps nothing: what one more adds are its weights.
                frames["memory per layer"] = layered, "peak_bytes"
            for what, (frame, column) in sorted(frames.items()):
                crossing = crossover(frame.filter(mode=mode), column)
                if crossing is not None:
                    found.append((SHORT_MODES[mode], what, crossing.says))
        return found

    def to_tree(self) -> dict[str, Any]:
        """Everything, for machines."""
        fits = self.fits
        return {
            **self.facts,
            "points": self.rows.to_dicts(),
            "curves": [vars(fit) for fit in fits],
            "plan": plan(fits, self.facts["memory"], self.facts["bin"]),
            "crossovers": [
                {"mode": mode, "of": what, "says": says} for mode, what, says in self.crossings()
            ],
        }

    def sheet(self) -> Sheet:
        """The page."""
        return Sheet(
            eyebrow="attendna profile",
            title=f"What {self.facts['model']} costs",
            lead=self._lead(),
            tiles=list(self._tiles()),
            sections=[
                *(self._measured(mode) for mode in self.modes),
                self._layers(),
                self._planned(),
                Section("points", "All points", tables=[self._points()]),
                Section("measured-on", "Measured on", facts=list(self._machine())),
            ],
        )

    def _lead(self) -> str:
        crossings = [
            f"{mode} {what}: {says}" for mode, what, says in self.crossings() if "per" not in what
        ]
        measured = int((self.rows["status"] == "measured").sum())
        points = counted(self.rows.height, "point")
        told = f"{measured} of {points} were measured, each in its own process."
        return " ".join([told, *(f"{c[:1].upper()}{c[1:]}." for c in crossings)])

    def _tiles(self) -> Iterator[tuple[str, str, str]]:
        memory = int(self.facts["memory"])
        best = {fit.mode: {} for fit in self.fits}
        for fit in self.fits:
            best[fit.mode][fit.attention] = fit.longest_within(memory, int(self.facts["bin"]))
        for mode, by_kind in best.items():
            for kind, longest in by_kind.items():
                yield (
                    f"Longest {SHORT_MODES[mode]}, {kind}",
                    spell_bases(longest),
                    f"planned for {spell_bytes(memory)}",
                )

    def _measured(self, mode: str) -> Section:
        rows = self.rows.filter(mode=mode)
        curves = [fit for fit in self.fits if fit.mode == mode]
        note = "A dotted line is the fitted curve, beyond what was measured."
        memory = lines(rows, "peak_bytes", "peak memory (GB)", 1 / GB)
        highest = float(rows["peak_bytes"].max() or 0)  # pyright: ignore[reportArgumentType]
        _extend(memory, curves, int(self.facts["memory"]), highest)
        failed = rows.filter(pl.col("status") != "measured")
        told = [
            f"{row['attention']}, {counted(row['layers'], 'layer')}, {row['length']:,} bp: "
            f"{row['status']} "
            f"({row['reason']})."
            for row in failed.iter_rows(named=True)
        ]
        return Section(
            mode,
            MODES[mode],
            warnings=told,
            charts=[
                Chart("Peak memory by length", note, memory),
                Chart(
                    "Time of a step by length",
                    "Median of the steps after the first.",
                    lines(rows, "seconds", "seconds", 1.0),
                ),
            ],
        )

    def _layers(self) -> Section:
        layered = per_layer(self.rows)
        charts = [
            Chart(
                f"{what} per layer, {SHORT_MODES[mode]}",
                "What one more layer adds, by a line through all numbers of layers.",
                lines(layered.filter(mode=mode), column, axis, scale),
            )
            for mode in self.modes
            for what, column, axis, scale in (
                ("Memory", "peak_bytes", "memory per layer (MB)", 1e-6),
                ("Time", "seconds", "seconds per layer", 1.0),
            )
            if not layered.filter(mode=mode).is_empty()
        ]
        texts = [] if charts else ["With two numbers of layers or more, the cost of one is shown."]
        crossings = Table(
            ("Mode", "Of", "Where sparse becomes cheaper"), self.crossings(), words=3,
            caption="Between two measured lengths by a straight line. Within 1 % counts as equal.",
        )  # fmt: skip
        return Section(
            "layers",
            "Per layer, and where sparse pays",
            texts,
            charts=charts,
            tables=[crossings] if crossings.rows else [],
        )

    def _planned(self) -> Section:
        fits = self.fits
        if not fits:
            text = "Three measured lengths are needed for a curve, so there is no plan."
            return Section("plan", "What fits", [text])
        planned = plan(fits, int(self.facts["memory"]), int(self.facts["bin"]))
        sizes = sorted({row["memory"] for row in planned})
        rows: list[list[str]] = []
        for number, fit in enumerate(fits):
            own = planned[number * len(sizes) : (number + 1) * len(sizes)]
            cells = [
                f"{'≈ ' if row['extrapolated'] else ''}{spell_bases(row['longest'])}" for row in own
            ]
            rows.append([SHORT_MODES[fit.mode], fit.attention, str(fit.layers), *cells])
        text = (
            "These lengths are no measurements: bytes = a + b L + c L², with none of a, b, c "
            "negative, was fitted to the measured peaks and solved for the memory. ≈ marks what "
            "lies beyond the longest window measured."
        )
        where = (
            "The memory was measured on the processor. A GPU's kernels keep other things for a "
            "moment, and its driver takes some hundred MB: measure there before you buy."
            if self.facts["device"] == "cpu"
            else ""
        )
        largest = Table(
            ("Mode", "Attention", "Layers", *map(spell_bytes, sizes)), rows, words=2,
            caption="Longest window, in bases, one sequence at a time."
            if self.facts["batch"] == 1
            else f"Longest window, in bases, {self.facts['batch']} sequences at a time.",
        )  # fmt: skip
        return Section(
            "plan", "What fits", [t for t in (text, where) if t], tables=[largest, self._curves()]
        )

    def _curves(self) -> Table:
        bin_size = int(self.facts["bin"])
        rows = [
            [
                SHORT_MODES[fit.mode],
                fit.attention,
                str(fit.layers),
                spell_bytes(fit.fixed),
                spell_bytes(fit.linear * bin_size),
                f"{fit.quadratic * bin_size**2:,.1f} B",
                str(fit.points),
                f"{100 * fit.error:.1f} %",
                "–" if fit.ahead is None else f"{100 * fit.ahead:+.1f} %".replace("-", "−"),
            ]
            for fit in self.fits
        ]
        columns = (
            "Mode", "Attention", "Layers", "Fixed", "Per token", "Per pair of tokens", "Lengths",
            "Largest error", "Error ahead",
        )  # fmt: skip
        caption = (
            f"A token is a bin of {bin_size} bases. The largest error is that at a measured "
            "length, and says little with three. The error ahead is what the curve through the "
            "shorter lengths says of the longest."
        )
        return Table(columns, rows, words=2, caption=caption)

    def _points(self) -> Table:
        columns = ("Mode", "Attention", "Status", "Layers", "Length", "Tokens", "Peak", "Weights",
                   "Seconds")  # fmt: skip
        rows = [
            [
                SHORT_MODES[row["mode"]], row["attention"], row["status"], str(row["layers"]),
                f"{row['length']:,}", f"{row['tokens']:,}", spell_bytes(row["peak_bytes"]),
                spell_bytes(row["weights_bytes"]),
                "–" if row["seconds"] is None else f"{row['seconds']:,.3g}",
            ]
            for row in self.rows.iter_rows(named=True)
        ]  # fmt: skip
        caption = (
            "Peak: the most memory beyond what the process held before there was a model; weights, "
            "gradients and the optimizer's numbers are part of it."
        )
        return Table(columns, rows, words=3, caption=caption)

    def _machine(self) -> Iterator[tuple[str, str]]:
        facts = self.facts
        yield "Processor", f"{facts['device_name']}, {counted(facts['threads'], 'thread')}"
        yield "Precision", str(facts["precision"])
        yield "Memory", f"{spell_bytes(facts['memory'])} to be planned for"
        yield "Steps", f"{facts['steps']} timed, after one that was not; batch of {facts['batch']}"
        yield (
            "Heads",
            ", ".join(f"{head} {counted(n, 'track')}" for head, n in facts["tracks"].items()),
        )
        yield "Training", "Poisson loss, Adam, of the first head"
        yield "torch", str(facts["torch"])


def lines(rows: pl.DataFrame, column: str, title: str, scale: float) -> go.Figure:
    """A line for each kind of attention and number of layers, over the length."""
    figure = blank("length (kb)", title, height=330)
    layered = "layers" in rows.columns
    groups = ["attention", "layers"] if layered else ["attention"]
    depths = rows["layers"].unique().sort(descending=True).to_list() if layered else []
    known = rows.filter(pl.col(column).is_not_null()).sort("length")
    for key, group in known.group_by(groups, maintain_order=True):
        kind = str(key[0])
        name = f"{kind}, {counted(key[1], 'layer')}" if len(depths) > 1 else kind
        dash = DASHES[depths.index(key[1]) % len(DASHES)] if layered else "solid"
        figure.add_scatter(
            x=group["length"].to_numpy() / 1e3,
            y=group[column].to_numpy() * scale,
            name=name,
            mode="lines+markers",
            line={"color": COLORS[kind], "width": 2, "dash": dash},
            marker={"symbol": SYMBOLS[kind], "size": 6},
            hovertemplate=f"{name}, %{{x:,.1f}} kb: %{{y:.4g}}<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(rangemode="tozero")
    return figure


def _extend(figure: go.Figure, fits: Sequence[Fit], memory: int, highest: float) -> None:
    """The curves beyond what was measured, up to a length twice the longest or the memory."""
    deepest = max((fit.layers for fit in fits), default=0)
    for fit in fits:
        if fit.layers != deepest:
            continue
        length = np.linspace(fit.longest, 2 * fit.longest, 30)
        needed = fit.fixed + fit.linear * length + fit.quadratic * length**2
        within = needed <= max(memory, needed[0])
        figure.add_scatter(
            x=length[within] / 1e3,
            y=needed[within] / GB,
            mode="lines",
            line={"color": COLORS[fit.attention], "width": 1.5, "dash": "dot"},
            showlegend=False,
            hovertemplate="fitted, %{x:,.1f} kb: %{y:.4g} GB<extra></extra>",
        )
        highest = max(highest, float(needed[within][-1]))
    if highest > 0.4 * memory:
        figure.add_hline(y=memory / GB, line={"color": SPLIT_LINES["train"].color, "width": 1})
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", xshift=4, y=memory / GB, yanchor="bottom",
            text=spell_bytes(memory), showarrow=False,
        )  # fmt: skip


def spell_bytes(count: int | float | None) -> str:
    """Bytes with three digits, in powers of ten."""
    if count is None:
        return "–"
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return (
                f"{count / size:.3g} {unit}"
                if count < 1e3 * size
                else f"{count / size:,.0f} {unit}"
            )
    return f"{count:.0f} B"


def spell_bases(length: int | None) -> str:
    """A length in bases; some have no end."""
    if length is None:
        return "no end"
    return "none" if length == 0 else f"{length:,}"
