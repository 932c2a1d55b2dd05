"""The page about a task: what it holds, where that lies, and what its audit says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from attendna.genome.contigs import natural_key
from attendna.report.data_card import DataCard
from attendna.report.examples import MOST_BASES
from attendna.report.page import Chart, data_charts
from attendna.report.sheet import Section, Sheet, Table
from attendna.report.style import SPLIT_LINES, SPLIT_TITLES, blank
from attendna.report.template import counted
from attendna.tasks.audit.audit import Audit
from attendna.tasks.audit.number_rules import Score
from attendna.tasks.audit.rules import RuleResult
from attendna.tasks.spec import SplitName, TaskSpec
from attendna.tasks.track_spec import TrackSpec

MOST_CLASSES = 200
"""Classes or tracks beyond which the table of their counts is left out."""

_COUNTED = {
    "binary": "Rows of each class",
    "multiclass": "Rows of each class",
    "multilabel": "Rows in which each track is positive",
    "regression": "Rows in which each track is known",
}


@dataclass(frozen=True)
class Example:
    """A row that is shown."""

    id: str
    label: str
    sequence: str


@dataclass(frozen=True, eq=False)
class TaskPage:
    """A task of sequences with labels."""

    spec: TaskSpec
    card: DataCard
    audit: Audit
    examples: tuple[Example, ...]

    def sheet(self) -> Sheet:
        """The page."""
        return Sheet(
            eyebrow="attendna data show",
            title=self.spec.title or self.spec.name,
            lead=_lead(self.audit),
            tiles=list(self._tiles()),
            sections=[
                _audited(self.audit),
                Section(
                    "splits",
                    "Splits",
                    charts=list(data_charts(self.spec, self.card)),
                    tables=[self._splits()],
                ),
                *self._classes(),
                *_chromosomes({name: c.chromosomes for name, c in self.card.splits.items()}),
                Section("examples", "Examples", tables=[self._examples()]),
                Section("terms", "Source and terms", facts=list(_facts(self.spec))),
            ],
        )

    def _tiles(self) -> Iterator[tuple[str, str, str]]:
        splits = self.card.splits
        of_each = ", ".join(f"{SPLIT_TITLES[name]} {card.n:,}" for name, card in splits.items())
        yield "Rows", f"{sum(card.n for card in splits.values()):,}", of_each
        shortest = min(card.shortest for card in splits.values())
        longest = max(card.longest for card in splits.values())
        same = shortest == longest
        yield "Length", f"{shortest:,}" if same else f"{shortest:,} to {longest:,}", "bases"
        many = self.spec.label_kind in ("multilabel", "regression")
        yield "Tracks" if many else "Classes", f"{len(self.spec.classes):,}", self.spec.label_kind
        yield "Audit", self.audit.level, "the worst of its splits"

    def _splits(self) -> Table:
        rows = [
            [
                SPLIT_TITLES[name], f"{card.n:,}", f"{card.shortest:,}", f"{card.longest:,}",
                f"{card.mean_gc:.1%}", f"{card.unknown:.2%}",
            ]
            for name, card in self.card.splits.items()
        ]  # fmt: skip
        return Table(("Split", "Rows", "Shortest", "Longest", "Mean GC", "N"), rows)

    def _classes(self) -> Iterator[Section]:
        if len(self.spec.classes) > MOST_CLASSES:
            return
        splits = self.card.splits
        rows = [
            [name, *(f"{card.counts[number]:,}" for card in splits.values())]
            for number, name in enumerate(self.spec.classes)
        ]
        title = _COUNTED[self.spec.label_kind]
        columns = ("Name", *(SPLIT_TITLES[name].capitalize() for name in splits))
        yield Section("labels", title, tables=[Table(columns, rows)])

    def _examples(self) -> Table:
        rows = [
            [
                example.id,
                example.label,
                example.sequence[:MOST_BASES] + "…" * (len(example.sequence) > MOST_BASES),
            ]
            for example in self.examples
        ]
        return Table(("Row", "Label", "Sequence"), rows, words=3)


@dataclass(frozen=True, eq=False)
class TrackTaskPage:
    """A task of tracks along long sequences."""

    spec: TrackSpec
    audit: Audit
    assays: Mapping[str, int]
    """Tracks of each type."""
    chromosomes: Mapping[SplitName, Counter[str]]

    def sheet(self) -> Sheet:
        """The page."""
        spec = self.spec
        of_each = ", ".join(f"{SPLIT_TITLES[name]} {n:,}" for name, n in spec.rows.items())
        assays = Table(("Type", "Tracks"), [[name, f"{n:,}"] for name, n in self.assays.items()])
        return Sheet(
            eyebrow="attendna data show",
            title=spec.title or spec.name,
            lead=_lead(self.audit),
            tiles=[
                ("Records", f"{sum(spec.rows.values()):,}", of_each),
                ("Window", f"{spec.window:,}", "bases"),
                (
                    "Tracks",
                    f"{spec.tracks:,}",
                    f"{counted(spec.bins, 'bin')} of {counted(spec.bin_size, 'base')}",
                ),
                ("Audit", self.audit.level, "the worst of its splits"),
            ],
            sections=[
                _audited(self.audit),
                Section("tracks", "Tracks", tables=[assays]),
                *_chromosomes(self.chromosomes),
                Section("terms", "Source and terms", facts=list(_facts(spec))),
            ],
        )


def _lead(audit: Audit) -> str:
    said = {
        "clean": "The audit found no leak between the splits, and no leak rule that does well.",
        "take care": "There is something to know before a number from this data is believed.",
        "leaks": "This data can be answered from memory: a number from it says little.",
    }
    return said[audit.level]


def _audited(audit: Audit) -> Section:
    findings = [
        f"{SPLIT_TITLES[split.split].capitalize()}: {finding}."
        for split in audit.splits
        for finding in split.findings
    ]
    tables = [
        _rules(f"{title}, {SPLIT_TITLES[split.split]}", results)
        for split in audit.splits
        for title, results in (
            ("Leak rule", split.of_kind("reference", "leak rule")),
            ("Learning baseline", split.of_kind("baseline")),
        )
        if results
    ]
    return Section("audit", "Audit", [_KINDS] if tables else [], findings, tables=tables)


_KINDS = (
    "A leak rule learns no biology: where it does well, a model can do well in the same way. A "
    "learning baseline learns from the letters; it is no fault of the data, and a model must "
    "beat it."
)


def _rules(title: str, results: Sequence[RuleResult | Score]) -> Table:
    """How well some rules do, with intervals."""
    form = ".1%" if results[0].measure == "accuracy" else ".3f"
    rows = [
        [
            one.says,
            f"{one.found.value:{form}}",
            f"{one.found.low:{form}} to {one.found.high:{form}}",
        ]
        for one in results
    ]
    return Table((title, results[0].measure.capitalize(), "95 % interval"), rows)


def _chromosomes(counts: Mapping[SplitName, Counter[str]]) -> Iterator[Section]:
    names = sorted({name for of_split in counts.values() for name in of_split}, key=natural_key)
    if not names:
        text = "The rows have no coordinates."
        yield Section("chromosomes", "Chromosomes", [text])
        return
    figure = blank("", "rows", height=300)
    for split, of_split in counts.items():
        figure.add_bar(
            x=[escape(name) for name in names],
            y=[of_split[name] for name in names],
            name=SPLIT_TITLES[split],
            marker={"color": SPLIT_LINES[split].color},
            hovertemplate=f"%{{x}}: %{{y:,}} {SPLIT_TITLES[split]} rows<extra></extra>",
        )
    _stack(figure)
    yield Section(
        "chromosomes", "Chromosomes", charts=[Chart("Rows by chromosome", "", figure, wide=True)]
    )


def _stack(figure: go.Figure) -> None:
    figure.update_layout(barmode="stack", bargap=0.25)
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=",")


def _facts(spec: TaskSpec | TrackSpec) -> Iterator[tuple[str, str]]:
    told = {
        "Task": f"{spec.name}, version {spec.version}",
        "Genome build": spec.build,
        "Negatives": spec.negatives if isinstance(spec, TaskSpec) else "",
        "Splits": spec.splits,
        "Sources": "\n".join(source.location for source in spec.sources),
        "Licence": spec.licence,
        "Citation": spec.citation,
        "Notes": "\n".join(spec.notes),
    }
    for name, value in told.items():
        if value:
            yield name, value
