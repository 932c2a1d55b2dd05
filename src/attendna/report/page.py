"""What the page about a run says: its sentences' numbers, its tables and its charts, in order.

The template only lays this out. Whatever is missing is None or empty here, and the template
says so.

Shapes: ``K`` classes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import polars as pl
from jaxtyping import Int
from numpy import ndarray

import attendna
from attendna.core.config import Tree, to_yaml
from attendna.evaluation.metrics import METRICS, Metric, Sample, all_metrics
from attendna.report import figures
from attendna.report.data_card import DataCard
from attendna.report.download import figure_csv, frame_csv
from attendna.report.examples import (
    MOST_BASES,
    Example,
    examples,
    least_certain,
    most_certain,
    worst_mistakes,
)
from attendna.report.importance import Importance
from attendna.report.run import Evaluated, Run
from attendna.report.style import SPLIT_TITLES
from attendna.report.template import counted
from attendna.tasks.audit.audit import Audit, SplitAudit
from attendna.tasks.spec import SPLITS, SplitName, TaskSpec
from attendna.tasks.store import Task

HEADLINE = ("mcc", "auroc")
"""The metrics of the first sentence."""

STRANDS = {
    "single": "reads the sequence as given",
    "augment": "trained on both strands, reads the sequence as given",
    "conjoined": "trained on both strands, and predicts the average over both",
}


class Chart(NamedTuple):
    """A figure with the words around it."""

    title: str
    note: str
    figure: go.Figure
    wide: bool = False
    data: pl.DataFrame | None = None
    """The numbers it shows, where they are not those of its points."""

    @property
    def csv(self) -> str:
        """The same as CSV."""
        return figure_csv(self.figure) if self.data is None else frame_csv(self.data)


class Measured(NamedTuple):
    """One metric of one split."""

    value: float | None
    low: float | None
    high: float | None
    reason: str
    """Why there is no value; empty where there is one."""


@dataclass(frozen=True, eq=False)
class SplitMeasures:
    """All metrics of one split of one task."""

    task: str
    split: SplitName
    n: int
    prevalence: float
    values: dict[str, Measured]

    @property
    def title(self) -> str:
        """The split, as the page names it."""
        return SPLIT_TITLES[self.split]


class Cell(NamedTuple):
    """One field of a confusion matrix: the sequences in it, and their share of the true class."""

    sequences: int
    share: float


def cells(confusion: Int[ndarray, "K K"]) -> list[list[Cell]]:
    """A confusion matrix to be shown."""
    totals = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return [
        [Cell(n, share) for n, share in zip(row, shares, strict=True)]
        for row, shares in zip(confusion.tolist(), (confusion / totals).tolist(), strict=True)
    ]


def data_charts(spec: TaskSpec, card: DataCard) -> Iterator[Chart]:
    """Lengths and GC content of a task's sequences."""
    if card.window is None:
        yield Chart("Length", "", figures.lengths(card.lengths))
    by_class = {name: card.gc_of_class(label) for label, name in enumerate(spec.classes)}
    known = {name: gc for name, gc in by_class.items() if gc.size}
    if known and len(known) <= figures.MOST_CLASSES:
        note = "Where the classes differ, GC content alone separates them in part."
        step = 1 / card.window if card.window else 0.01
        yield Chart("GC content", note, figures.gc_content(known, step))


@dataclass(frozen=True, eq=False)
class Page:
    """The page about a run, and about the task where that is given."""

    run: Run
    task: Task | None = None
    card: DataCard | None = None
    importance: Importance | None = None
    audit: Audit | None = None

    version = attendna.__version__
    most_bases = MOST_BASES

    # The headline

    @property
    def spec(self) -> TaskSpec | None:
        """The card of the task."""
        return self.task.spec if self.task else None

    @property
    def checkpoint(self) -> Tree | None:
        """What the model says of itself."""
        return self.run.header.checkpoint if self.run.header else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, …"""
        if self.run.header:
            return self.run.header.classes
        return self.spec.classes if self.spec else ()

    @property
    def trained_on(self) -> str | None:
        """Name of the task the model was trained on."""
        if self.checkpoint:
            return str(self.checkpoint["input"]["task"])
        return (self.run.environment or {}).get("task")

    @property
    def title(self) -> str:
        """What the page is about."""
        described = self.spec.title if self.spec and not self.other_task else ""
        return described or self.trained_on or self.run.path.name

    @property
    def other_task(self) -> bool:
        """Whether the task given holds other rows than the model was trained on."""
        return (
            self.task is not None
            and self.checkpoint is not None
            and self.task.split_hash() != self.checkpoint["input"]["split_hash"]
        )

    @property
    def untested(self) -> bool:
        """Whether the test split has not been looked at."""
        return self.main is None or self.main.split != "test"

    @property
    def main(self) -> SplitMeasures | None:
        """The measures a reader should believe most: of test rows if there are any."""
        own = [block for block in self.measures if block.task == self.trained_on] or self.measures
        return own[-1] if own else None

    def headline(self) -> Iterator[tuple[Metric, Measured]]:
        """The metrics of the first sentence that are known."""
        for name in HEADLINE:
            if self.main and name in self.main.values:
                yield METRICS[name], self.main.values[name]

    # Data

    @property
    def audited(self) -> SplitAudit | None:
        """What the audit found of the split that the headline is about."""
        if self.audit is None or self.main is None:
            return None
        return next((s for s in self.audit.splits if s.split == self.main.split), None)

    def shared(self) -> Iterator[tuple[str, str, int, int]]:
        """Two splits, how many sequences of the second are in the first too, and of how many."""
        if self.card:
            for (first, second), count in self.card.shared.items():
                if count:
                    n = self.card.splits[second].n
                    yield SPLIT_TITLES[first], SPLIT_TITLES[second], count, n

    def task_facts(self) -> Iterator[tuple[str, str]]:
        """Name and value of what the task says of itself."""
        spec = self.spec
        if spec is None:
            return
        told = {
            "Task": f"{spec.name}, version {spec.version}",
            "Classes": ", ".join(f"{label} = {name}" for label, name in enumerate(spec.classes)),
            "Genome build": spec.build,
            "Negatives": spec.negatives,
            "Splits": spec.splits,
            "Sources": "\n".join(source.location for source in spec.sources),
            "Licence": spec.licence,
            "Citation": spec.citation,
            "Notes": "\n".join(spec.notes),
        }
        for name, value in told.items():
            if value:
                yield name, value

    def data_charts(self) -> Iterator[Chart]:
        """What the sequences are like."""
        if self.card is not None and self.spec is not None:
            yield from data_charts(self.spec, self.card)

    @property
    def splits_frame(self) -> pl.DataFrame:
        """The table of splits, with all classes."""
        card, spec = self.card, self.spec
        if card is None or spec is None:
            return pl.DataFrame()
        return pl.DataFrame(
            [
                {"split": name, "sequences": of.n}
                | {f"sequences of {c}": n for c, n in zip(spec.classes, of.counts, strict=True)}
                | {"shortest": of.shortest, "longest": of.longest}
                | {"mean GC": of.mean_gc, "share of unknown bases": of.unknown}
                for name, of in card.splits.items()
            ]
        )

    # Training

    @cached_property
    def kept(self) -> dict[str, Any] | None:
        """The row of the log whose weights were kept: the first of the best."""
        log, column = self.run.log, f"valid_{self.monitor}"
        if log is None or column not in log.columns:
            return None
        known = log.filter(pl.col(column).is_not_null() & pl.col(column).is_not_nan())
        if known.is_empty():
            return None
        lower = self.monitor == "loss" or not METRICS[self.monitor].higher_is_better
        best = known[column].arg_min() if lower else known[column].arg_max()
        return known.row(best, named=True) if best is not None else None

    @property
    def monitor(self) -> str:
        """What decided which weights were kept."""
        return str(self.run.config.get("trainer", {}).get("monitor", "loss"))

    @property
    def monitor_title(self) -> str:
        """The same, as a reader knows it."""
        return METRICS[self.monitor].title if self.monitor in METRICS else self.monitor

    @property
    def seconds(self) -> float | None:
        """How long training took, validations included; the search is not counted."""
        log = self.run.log
        return None if log is None or "seconds" not in log.columns else float(log["seconds"].sum())

    @property
    def training_sentence(self) -> str:
        """How long, how fast, and what was kept."""
        log = self.run.log
        if log is None:
            return ""
        last = log.row(-1, named=True)
        epochs, steps = counted(round(last["epoch"], 1), "epoch"), counted(last["step"], "step")
        parts = [f"{epochs}, {steps}"]
        if "sequences_per_second" in log.columns:
            parts.append(f"{log['sequences_per_second'].median():,.0f} sequences a second")
        if self.kept:
            parts.append(f"the weights of epoch {round(self.kept['epoch'], 1):g} were kept")
        return ", ".join(parts) + "."

    def training_charts(self) -> Iterator[Chart]:
        """How training went."""
        log = self.run.log
        if log is None:
            return
        kept = self.kept["epoch"] if self.kept else None
        note = (
            "Mean over the training rows since the last validation, and over all validation rows."
        )
        yield Chart("Loss", note, figures.training_curves(log, kept))
        if self.monitor != "loss" and self.kept:
            yield Chart(
                f"Validation {self.monitor_title}",
                "The weights with the best value were kept.",
                figures.validation_curve(log, f"valid_{self.monitor}", self.monitor_title, kept),
            )
        if "learning_rate" in log.columns:
            yield Chart("Learning rate", "", figures.learning_rate(log))

    # Measures and curves

    @cached_property
    def measures(self) -> list[SplitMeasures]:
        """Every evaluated split of every task, in the order of splits."""
        rows = self.run.metrics
        if rows is None:
            return []
        blocks: list[SplitMeasures] = []
        for (task, split), group in rows.group_by("task", "split", maintain_order=True):
            values = {
                row["metric"]: Measured(row["value"], row["low"], row["high"], row["reason"])
                for row in group.iter_rows(named=True)
            }
            first = group.row(0, named=True)
            blocks.append(SplitMeasures(str(task), split, first["n"], first["prevalence"], values))
        return sorted(blocks, key=lambda block: (block.task, SPLITS.index(block.split)))

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that were measured, in the order of tables."""
        measured = {name for block in self.measures for name in block.values}
        return [metric for metric in all_metrics() if metric.name in measured]

    def glossary(self) -> Iterator[tuple[str, str]]:
        """What each measured metric is."""
        for metric in self.metrics:
            explained = (metric.of_confusion or metric.function).__doc__ or ""
            yield metric.title, explained.strip().partition("\n")[0]

    def interval_chart(self) -> Chart | None:
        """All metrics that share the scale from -1 to 1, with their intervals."""
        rows = [
            {"title": metric.title, "split": block.split, **block.values[metric.name]._asdict()}
            for metric in self.metrics
            for block in self.measures
            if self.main and block.task == self.main.task and metric.name in block.values
        ]
        frame = pl.DataFrame(rows).drop_nulls() if rows else pl.DataFrame()
        if frame.is_empty():
            return None
        frame = frame.filter(pl.col("high").max().over("title") <= 1)
        return Chart("", "", figures.metric_intervals(frame), wide=True, data=frame)

    @cached_property
    def evaluated(self) -> dict[SplitName, Evaluated]:
        """Predictions to look at: of validation and test rows, else of training rows."""
        held = self.run.evaluated(self.main.task) if self.main else {}
        unseen: dict[SplitName, Evaluated] = {s: held[s] for s in ("valid", "test") if s in held}
        return unseen or held

    @property
    def samples(self) -> dict[SplitName, Sample]:
        """The same without ids."""
        return {split: evaluated.sample for split, evaluated in self.evaluated.items()}

    def curve_charts(self) -> Iterator[Chart]:
        """What the score does at every threshold, and whether probabilities are frequencies."""
        samples = self.samples
        if not samples:
            return
        # A curve a class and a split would be a thicket: several classes show one split.
        drawn: dict[SplitName, Sample] = samples
        if not self.binary:
            drawn = {self.shown_split: samples[self.shown_split]}
        whose = "Each class against the rest. " if not self.binary else ""
        marked = "The open marks are the threshold in use. " if self.binary else ""
        if any(np.unique(sample.labels).size > 1 for sample in drawn.values()):
            yield Chart("ROC", whose + marked, figures.roc(drawn, self.classes))
            level = "The level line is the prevalence." if self.binary else ""
            figure = figures.precision_recall(drawn, self.classes)
            yield Chart("Precision and recall", whose + marked + level, figure)
        note = "How often what got a probability came true; on the diagonal the two agree."
        yield Chart("Calibration", note, figures.calibration(samples))
        sample = samples[self.shown_split]
        if sample.classes <= figures.MOST_CLASSES:
            title = f"Predictions on the {SPLIT_TITLES[self.shown_split]} split"
            note = "The better a model separates, the further apart the classes lie."
            figure = figures.probability_histogram(sample, self.classes)
            yield Chart(title, note if self.binary else "", figure)

    @property
    def binary(self) -> bool:
        """Whether the model predicts one number."""
        return len(self.classes) == 2 and all(sample.binary for sample in self.samples.values())

    @property
    def shown_split(self) -> SplitName:
        """The split whose sequences are shown: test rows if they were predicted."""
        return list(self.evaluated)[-1]

    @property
    def shown_title(self) -> str:
        """The same, as the page names it."""
        return SPLIT_TITLES[self.shown_split]

    def confusion(self) -> list[list[Cell]]:
        """Sequences of each true class (row) that were given each class (column)."""
        return cells(self.samples[self.shown_split].confusion)

    # Examples

    def examples(self) -> Iterator[tuple[str, str, list[Example]]]:
        """Title, explanation and examples of each kind."""
        evaluated = self.evaluated[self.shown_split]
        sample = evaluated.sample
        border = "threshold" if sample.binary else "next best class"
        kinds = (
            ("Most certain", "right, and furthest from being called otherwise", most_certain),
            ("Least certain", f"nearest to the {border}, right or wrong", least_certain),
            ("Worst mistakes", "wrong, and furthest from being called otherwise", worst_mistakes),
        )
        for title, note, choose in kinds:
            yield title, note, examples(evaluated.ids, sample, choose(sample))

    @cached_property
    def sequences(self) -> dict[str, str]:
        """Sequences of the shown split by id; none without the task the model was trained on."""
        if self.task is None or not self.evaluated or self.shown_split not in self.task.splits:
            return {}
        frame = self.task.read(self.shown_split).frame
        return dict(frame.select("id", "sequence").iter_rows())

    # Importance

    def importance_chart(self) -> Chart | None:
        """Where in the sequences the important bases lie."""
        if self.importance is None:
            return None
        shown, total = len(self.importance.ids), self.importance.total
        which = f"the first {shown} of {total}" if shown < total else f"{shown}"
        note = (
            f"Rows are {which} sequences. Blue bases hold the log-odds of the class up, orange "
            "ones hold them down: the mean fall over the three substitutions of each base."
        )
        ids, values = self.importance.ids, self.importance.values
        figure = figures.importance_map(ids, values)
        data = pl.DataFrame({"id": ids} | {str(at): column for at, column in enumerate(values.T)})
        return Chart("Importance by position", note, figure, wide=True, data=data)

    # The model

    @property
    def search_title(self) -> str:
        """What the variants were compared by."""
        monitor = str(self.run.search["monitor"]) if self.run.search else ""
        return METRICS[monitor].title if monitor in METRICS else monitor

    @property
    def settings(self) -> str:
        """The settings of the run, as YAML."""
        return to_yaml(self.run.config)

    @property
    def variants(self) -> list[tuple[str, Tree]]:
        """What the search tried, the best first."""
        if self.run.search is None:
            return []
        lower = self.run.search["monitor"] == "loss"
        tried: dict[str, Tree] = self.run.search["variants"]

        def rank(item: tuple[str, Tree]) -> float:
            score = float(item[1]["score"])
            return np.inf if np.isnan(score) else score if lower else -score

        return sorted(tried.items(), key=rank)

    @property
    def variants_frame(self) -> pl.DataFrame:
        """The table of what the search tried."""
        return pl.DataFrame(
            [
                {
                    "variant": name,
                    f"validation {self.search_title}": float(tried["score"]),
                    "steps": tried["steps"],
                    "settings": ", ".join(f"{key}={value}" for key, value in tried["set"].items()),
                }
                for name, tried in self.variants
            ]
        )

    def model_facts(self) -> Iterator[tuple[str, str]]:
        """Name and value of what a reader must know of the model."""
        header = self.run.header
        if header is None:
            return
        checkpoint, contract = header.checkpoint, header.checkpoint["input"]
        yield "Architecture", _told(checkpoint["model"])
        yield "Size", f"{header.parameters:,} parameters, {header.numbers:,} numbers stored"
        yield "Tokens", _told(checkpoint["tokenizer"])
        strands = str(checkpoint["strands"])
        yield "Strands", f"{strands}: {STRANDS.get(strands, '')}"
        yield "Classes", ", ".join(header.classes)
        if header.binary:
            yield (
                "Threshold",
                f"{checkpoint['threshold']:.4f} for {header.classes[1]}, chosen on validation",
            )
        lengths = f"{contract['shortest']:,} to {contract['longest']:,} bases"
        yield "Input", f"{contract['window']:,} bases" if contract["window"] else lengths
        if contract.get("build"):
            yield "Genome build", str(contract["build"])
        yield "Seed", str(self.run.config.get("seed", "?"))
        yield "Run", str(checkpoint["run_id"])
        yield "Rows it has seen", f"SHA-256 {contract['split_hash']}"


def _told(tree: Mapping[str, Any]) -> str:
    """A chosen configuration in one line: its name, then its own settings."""
    parts: list[str] = []
    for key, value in tree.items():
        if key == "name" or value is None:
            continue
        if isinstance(value, Mapping):
            parts.append(f"{key.replace('_', ' ')} ({_told(value)})")
        elif isinstance(value, list | tuple):
            inner = (_told(v) if isinstance(v, Mapping) else str(v) for v in value)
            parts.append(f"{key.replace('_', ' ')} [{', '.join(inner)}]")
        else:
            # A packed vocabulary is no reading matter.
            text = str(value)
            shown = text if len(text) <= 80 else f"of {len(text):,} characters"
            parts.append(f"{key.replace('_', ' ')} {shown}")
    name = str(tree.get("name", ""))
    return f"{name}: {', '.join(parts)}" if name and parts else name or ", ".join(parts)
