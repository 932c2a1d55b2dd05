"""The audit of a data set: what its splits share, and how far leak rules and baselines get.

The verdict of a split is ``leaks`` where memory alone is worth more than five points of accuracy or
a fiftieth of its rows is in training, ``take care`` where another leak rule does well or there is
something else to know, else ``clean``. Learning baselines have no say in it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from attendna.core.config import Config
from attendna.core.errors import FolderError
from attendna.core.files import publish_output
from attendna.core.outputs import OutputFile
from attendna.genome.alphabet import N
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.drift import KMER, Drift, measure_drift
from attendna.tasks.audit.number_rules import Score, score_rules
from attendna.tasks.audit.rows import MARKED, RECORD, Rows, read_rows
from attendna.tasks.audit.rules import RuleKind, RuleResult, gc_of, measure_rules
from attendna.tasks.audit.shared import SharedRows, shared_with, too_many_bases
from attendna.tasks.spec import SplitName

AUDIT_FILE = "audit.json"
FORMAT = 2

MEMORY = ("look-up", "overlap", "position")
"""Rules that know training rows and nothing else."""

GAIN = 0.05
"""Accuracy above that of the most frequent class that makes a rule worth a word."""

RANKED = 0.1
"""Correlation of a rule with measured numbers from which on it is worth a word."""

NO_CLASSES = "the labels are numbers: rules and contradictions of classes"

MANY = 0.02
"""Share of a split's rows in training that makes it a leak by itself."""

FEW = 20
"""Rows of a class below which its words say nothing."""

DRIFTED = 0.03
"""Distance of words, beyond what chance makes, from which on a word is said of it."""

MUCH = 0.01
"""Share of N in a class that is worth a word."""

Level = Literal["clean", "take care", "leaks"]
LEVELS: tuple[Level, ...] = ("clean", "take care", "leaks")
"""From best to worst."""


class ClassRows(Config):
    """Rows of one class in one split."""

    label: str
    n: int
    distinct: int
    """Different intervals, or sequences regardless of the strand."""
    mean_length: float
    mean_gc: float | None = None
    unknown: float | None = None
    """Share of N among its bases."""


class SplitAudit(Config):
    """What was found of one split."""

    split: SplitName
    n: int
    classes: tuple[ClassRows, ...]
    contradictory: int
    """Rows whose twin in the split has another class."""
    shared: tuple[SharedRows, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    scores: tuple[Score, ...] = ()
    """The rules of a split whose labels are numbers."""
    left_out: tuple[str, ...] = ()
    """What was not looked for, and why."""
    drift: tuple[Drift, ...] = ()
    """Of each class, how far its words are from those of the same class in training."""
    level: Level = "clean"
    findings: tuple[str, ...] = ()
    """What is wrong, in plain words."""

    def of_kind(self, *kinds: RuleKind) -> tuple[RuleResult | Score, ...]:
        """The rules of some kinds; only leak rules have a say in the verdict."""
        return tuple(one for one in (*self.rules, *self.scores) if one.kind in kinds)


class Audit(Config):
    """What was found of a data set."""

    format: int = FORMAT
    name: str
    rows: int
    splits: tuple[SplitAudit, ...]

    @property
    def level(self) -> Level:
        """The worst of its splits."""
        return LEVELS[max(LEVELS.index(split.level) for split in self.splits)]

    def write(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the audit as JSON.

        Raises
        ------
        FolderError
            The file exists and ``force`` is off, or it is no audit.
        """
        with publish_output(path, AUDIT, force=force) as partial:
            partial.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return Path(path)


def _is_audit(path: Path) -> bool:
    try:
        tree = json.loads(path.read_bytes())
        return set(Audit.model_fields) <= set(tree)
    except (ValueError, TypeError, RecursionError):
        return False


AUDIT = OutputFile("audit", _is_audit)
"""Of any version, by its keys."""


def read_audit(folder: str | Path) -> Audit | None:
    """The audit that lies in a folder, none where there is none or one of another version."""
    path = Path(folder) / AUDIT_FILE
    try:
        audit = Audit.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return audit if audit.format == FORMAT else None


def audit(folder: str | Path, *, seed: int = 0) -> Audit:
    """Audit a task folder, or a folder ``{split}/{class}.csv.gz`` of interval tables.

    Raises
    ------
    UserError
        It is neither, it has no training split, or a file of it is bad.
    """
    rows = read_rows(folder)
    if "train" not in rows.splits:
        raise FolderError(f"{folder} has no train split", "an audit compares splits with training")
    train = rows.take(np.flatnonzero(rows.inside("train")))
    splits = [_audit_split(rows, train, split, seed) for split in rows.splits]
    return Audit(name=rows.name, rows=rows.frame.height, splits=tuple(splits))


def _audit_split(rows: Rows, train: Rows, split: SplitName, seed: int) -> SplitAudit:
    part = rows.take(np.flatnonzero(rows.inside(split)))
    found = SplitAudit(
        split=split,
        n=part.labels.size,
        classes=tuple(_class_rows(part)),
        contradictory=_contradictory(part),
    )
    if split != "train":
        found = found.replace(
            shared=tuple(shared_with(train, part)),
            rules=() if rows.tracks else tuple(measure_rules(train, part, seed)),
            scores=tuple(score_rules(train, part, seed)) if rows.tracks else (),
            left_out=tuple(_left_out(train)),
            drift=tuple(_drift(train, part, seed)),
        )
    findings = tuple(_findings(found))
    leaks = any(level == "leaks" for level, _ in findings)
    return found.replace(
        level="leaks" if leaks else "take care" if findings else "clean",
        findings=tuple(said for _, said in findings),
    )


def _left_out(rows: Rows) -> Iterator[str]:
    if rows.classes in ((RECORD,), (MARKED,)):
        yield "rules and contradictions: the rows have tracks, not classes"
    if rows.tracks:
        yield NO_CLASSES
    if too_many_bases(rows):
        yield "nearly equal sequences: there are too many bases to compare"
    if rows.paired:
        yield "drift, GC and near equality of the alternatives: the references were compared"


def _class_rows(rows: Rows) -> Iterator[ClassRows]:
    for number, name in enumerate(rows.classes):
        mine = np.flatnonzero(rows.labels == number)
        if not mine.size:
            yield ClassRows(label=name, n=0, distinct=0, mean_length=0)
            continue
        part = rows.take(mine)
        yield ClassRows(
            label=name,
            n=mine.size,
            distinct=np.unique(part.identity).size,
            mean_length=float(part.lengths.mean()),
            mean_gc=None if part.sequences is None else float(gc_of(part).mean()),
            unknown=None if part.sequences is None else _unknown(part.sequences),
        )


def _unknown(sequences: SequenceBatch) -> float:
    return float((sequences.codes >= N).sum()) / max(1, sequences.codes.size)


def _drift(train: Rows, rows: Rows, seed: int) -> Iterator[Drift]:
    """Of the classes with rows on both sides."""
    random = np.random.default_rng(seed)
    for number, name in enumerate(rows.classes):
        one, other = (part.take(np.flatnonzero(part.labels == number)) for part in (rows, train))
        enough = min(one.labels.size, other.labels.size) >= FEW
        if enough and one.sequences is not None and other.sequences is not None:
            yield measure_drift(name, one.sequences, other.sequences, random)


def _contradictory(rows: Rows) -> int:
    """Rows of which a twin has another label."""
    identity = rows.identity
    lowest = np.full(int(identity.max(initial=0)) + 1, rows.labels.max(initial=0))
    highest = np.zeros_like(lowest)
    np.minimum.at(lowest, identity, rows.labels)
    np.maximum.at(highest, identity, rows.labels)
    return int((lowest < highest)[identity].sum())


def _findings(found: SplitAudit) -> Iterator[tuple[Level, str]]:
    """What is worth a word, the gravest first."""
    yield from _of_rules(found)
    yield from _of_shared(found)
    yield from _of_classes(found)
    yield from _of_words(found)
    if found.contradictory:
        yield "take care", f"{found.contradictory:,} rows have a twin of another class"


def _of_rules(found: SplitAudit) -> Iterator[tuple[Level, str]]:
    majority = next((r.accuracy.value for r in found.rules if r.kind == "reference"), 0.0)
    for score in found.scores:
        if score.kind == "leak rule" and score.spearman.low > RANKED:
            said = (
                f"{score.says} ranks the rows with a Spearman correlation of "
                f"{score.spearman.value:.3f} "
                f"({score.spearman.low:.3f} to {score.spearman.high:.3f})"
            )
            yield "leaks" if score.rule in MEMORY else "take care", said
    words = max((one.accuracy.value for one in found.rules if one.kind == "baseline"), default=0.0)
    for rule in found.rules:
        # A neighbor shares words: only beyond what is learned from the same words is it memory.
        if rule.rule == "neighbor" and rule.accuracy.value <= words:
            continue
        gain = rule.accuracy.low - majority
        if rule.kind == "leak rule" and gain > GAIN:
            said = (
                f"{rule.says} is right in {rule.accuracy.value:.1%} of rows "
                f"({rule.accuracy.low:.1%} to {rule.accuracy.high:.1%}), "
                f"where the most frequent class of training has {majority:.1%}"
            )
            yield "leaks" if rule.rule in MEMORY else "take care", said


def _of_shared(found: SplitAudit) -> Iterator[tuple[Level, str]]:
    for group in found.shared:
        if group.label == "all":
            continue
        for what, part in (
            ("are also training rows", group.same),
            ("overlap training rows of their class", group.overlapping),
            ("are nearly training rows", group.near),
        ):
            if part is not None and part.count:
                yield (
                    "leaks" if part.value >= MANY else "take care",
                    f"{part.count:,} of {part.n:,} {group.label} rows ({part.value:.1%}) {what}",
                )


def _of_classes(found: SplitAudit) -> Iterator[tuple[Level, str]]:
    for group in found.classes:
        if group.distinct < group.n:
            yield (
                "take care",
                f"the {group.n:,} {group.label} rows are {group.distinct:,} distinct ones",
            )
    lengths = [group.mean_length for group in found.classes if group.n]
    if lengths and max(lengths) > 1.1 * min(lengths):
        yield (
            "take care",
            "the classes differ in mean length: "
            + ", ".join(
                f"{group.label} {group.mean_length:.0f}" for group in found.classes if group.n
            ),
        )


def _of_words(found: SplitAudit) -> Iterator[tuple[Level, str]]:
    for group in found.classes:
        if (group.unknown or 0) > MUCH:
            yield "take care", f"{group.unknown:.1%} of the bases of {group.label} rows are N"
    for drift in found.drift:
        if drift.distance - drift.by_chance > DRIFTED:
            said = (
                f"the {KMER}-mers of {drift.label} rows are {drift.distance:.3f} from those of "
                f"training (Jensen-Shannon; {drift.by_chance:.3f} by chance)"
            )
            yield "take care", said
