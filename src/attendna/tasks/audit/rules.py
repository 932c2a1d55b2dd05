"""Leak rules and learning baselines of classes, and how often they are right.

A leak rule learns no biology: it knows training rows, lengths or composition, and where it is right
a model can be right in the same way. A learning baseline learns from the letters, and says nothing
against the data: where composition is matched its words are the biology. A model must beat it.

Each is fitted on training rows alone. Intervals of shares are Wilson's.

Shapes: ``n`` rows, ``t`` training rows, ``f`` numbers that describe a row.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from numpy import ndarray

from attendna.core.config import Config
from attendna.genome.composition import gc_content
from attendna.genome.loci import count_overlaps
from attendna.tasks.audit.rows import Rows
from attendna.tasks.kmer_regression import KMER, KmerRegression, kmer_shares

MOST_NEIGHBORS = 10_000
"""Training rows among which the nearest is sought; more are sampled, and that is said."""


class Share(Config):
    """A share of rows, with its 95 % interval."""

    count: int
    n: int
    value: float
    low: float
    high: float


def share(count: int, n: int) -> Share:
    """The share and Wilson's interval of it."""
    if not n:
        return Share(count=0, n=0, value=0, low=0, high=1)
    # Imported late: it takes seconds, and whoever splits or cleans has no need of it.
    from scipy import stats

    interval = stats.binomtest(count, n).proportion_ci(method="wilson")
    return Share(count=count, n=n, value=count / n, low=interval.low, high=interval.high)


RuleKind = Literal["reference", "leak rule", "baseline"]


def kind_of(rule: str) -> RuleKind:
    """What a rule is: of classes, the most frequent one is what the others are held against."""
    kinds: dict[str, RuleKind] = {"majority": "reference", "k-mers": "baseline"}
    return kinds.get(rule, "leak rule")


class RuleResult(Config):
    """How often a rule is right on a split."""

    measure: ClassVar[str] = "accuracy"

    rule: str
    says: str
    accuracy: Share

    @property
    def kind(self) -> RuleKind:
        """Whether it is a leak rule, a learning baseline, or what both are held against."""
        return kind_of(self.rule)

    @property
    def found(self) -> Share:
        """What was measured of it."""
        return self.accuracy


Predict = Callable[[Rows, Rows], Int64[ndarray, " n"]]


def measure_rules(train: Rows, rows: Rows, seed: int = 0) -> Iterator[RuleResult]:
    """Every rule that the data admits, on the rows of one split; of one class there is none."""
    if len(train.classes) == 1:
        return
    table: dict[str, tuple[str, Predict]] = {"majority": ("the most frequent class", _majority)}
    table["look-up"] = ("the class of the same training row, if there is one", _look_up)
    if rows.placed:
        table["overlap"] = ("the class of the training rows that overlap it", _overlap)
    if len({*train.lengths.tolist(), *rows.lengths.tolist()}) > 1:
        table["length"] = ("a tree on the length", _tree(lambda r: r.lengths[:, None]))
    if rows.sequences is not None:
        table["GC"] = ("a tree on the share of G and C", _tree(_gc))
        table["neighbor"] = (f"the class of the nearest training row by {KMER}-mers", _nearest)
        table["k-mers"] = (f"logistic regression on {KMER}-mers", _regression)
    random = np.random.default_rng(seed)
    for name, (says, predict) in table.items():
        known, among = train, ""
        if name == "neighbor" and train.labels.size > MOST_NEIGHBORS:
            known = train.take(np.sort(random.permutation(train.labels.size)[:MOST_NEIGHBORS]))
            among = f", of {MOST_NEIGHBORS:,}"
        right = int((predict(known, rows) == rows.labels).sum())
        yield RuleResult(rule=name, says=says + among, accuracy=share(right, rows.labels.size))


def _majority(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
    return np.full(rows.labels.size, np.bincount(train.labels).argmax())


def _look_up(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
    """Exact twins; rows without one get the class that training rows without a twin mostly have."""
    number = train.joined(rows).identity
    return _vote(
        _votes_by_group(number[: train.labels.size], number[train.labels.size :], train),
        _votes_by_group(number[: train.labels.size], number[: train.labels.size], train),
        train.labels,
    )


def _votes_by_group(
    known: Int64[ndarray, " t"], asked: Int64[ndarray, " n"], train: Rows
) -> Int64[ndarray, "n classes"]:
    """Training rows of each class with the same number as each row asked about."""
    classes = len(train.classes)
    size = int(max(known.max(initial=0), asked.max(initial=0))) + 1
    counts = np.bincount(known * classes + train.labels, minlength=size * classes)
    return counts.reshape(size, classes)[asked]


def _overlap(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
    def votes(asked: pl.DataFrame) -> Int64[ndarray, "n classes"]:
        by_class = [
            count_overlaps(asked, train.frame.filter(train.frame["label"] == number))
            for number in range(len(train.classes))
        ]
        return np.stack(by_class, axis=1)

    return _vote(votes(rows.frame), votes(train.frame), train.labels)


def _vote(
    votes: Int64[ndarray, "n classes"],
    own_votes: Int64[ndarray, "t classes"],
    labels: Int64[ndarray, " t"],
) -> Int64[ndarray, " n"]:
    """The class with most votes; without any, that of the training rows nobody else votes on."""
    alone = own_votes.sum(axis=1) <= 1
    otherwise = np.bincount(labels[alone] if alone.any() else labels).argmax()
    return np.where(votes.any(axis=1), votes.argmax(axis=1), otherwise)


def _tree(describe: Callable[[Rows], Any]) -> Predict:
    """A small decision tree on a few numbers of each row."""

    def predict(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=20, random_state=0)
        tree.fit(describe(train), train.labels)
        return np.asarray(tree.predict(describe(rows)), dtype=np.int64)

    return predict


def gc_of(rows: Rows) -> Float64[ndarray, " n"]:
    """Share of G and C among the known bases of each row; half where none is known."""
    if rows.sequences is None:
        raise ValueError("rows without sequences have no GC content")
    return np.nan_to_num(gc_content(rows.sequences), nan=0.5)


def _gc(rows: Rows) -> Float64[ndarray, "n 1"]:
    return gc_of(rows)[:, None]


def _regression(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
    if train.sequences is None or rows.sequences is None:
        raise ValueError("rows without sequences have no k-mers")
    model = KmerRegression(train.sequences, train.labels, len(train.classes))
    said = model.probabilities(rows.sequences)
    return said.argmax(axis=1) if said.shape[1] > 1 else (said[:, 0] >= 0.5).astype(np.int64)


def _nearest(train: Rows, rows: Rows) -> Int64[ndarray, " n"]:
    from sklearn.neighbors import KNeighborsClassifier

    if train.sequences is None or rows.sequences is None:
        raise ValueError("rows without sequences have no k-mers")
    model = KNeighborsClassifier(n_neighbors=1, metric="cosine", algorithm="brute")
    model.fit(kmer_shares(train.sequences, KMER), train.labels)
    return np.asarray(model.predict(kmer_shares(rows.sequences, KMER)), dtype=np.int64)
