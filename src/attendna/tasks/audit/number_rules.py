"""Leak rules and learning baselines of measured values, and how well they rank rows.

Each is fitted on training rows alone. Rules that need classes have no place here, and a rule that
would say the same of every row is left out.

Shapes: ``n`` rows, ``r`` training rows, ``t`` tracks, ``f`` numbers that describe a row.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy import sparse

from attendna.core.config import Config
from attendna.tasks.audit.correlation import Correlation, spearman
from attendna.tasks.audit.positions import smooth_by_position
from attendna.tasks.audit.rows import Rows
from attendna.tasks.audit.rules import RuleKind, gc_of, kind_of
from attendna.tasks.kmer_regression import KMER, kmer_shares

MOST_ROWS = 20_000
MOST_BASES = 20_000_000
"""Rows of either side, and their bases, that a rule is fitted and tried on; more are sampled."""

PLACE = ("element", "position")
"""Columns of saturation mutagenesis, by which the rule of positions goes."""

_RIDGE = 10.0


class Score(Config):
    """How well a rule ranks the rows of a split."""

    measure: ClassVar[str] = "Spearman"

    rule: str
    says: str
    spearman: Correlation

    @property
    def kind(self) -> RuleKind:
        """Whether it is a leak rule or a learning baseline."""
        return kind_of(self.rule)

    @property
    def found(self) -> Correlation:
        """What was measured of it."""
        return self.spearman


Predict = Callable[[Rows, Rows], Float64[ndarray, "n t"]]


def rules_of(train: Rows, rows: Rows) -> dict[str, tuple[str, Predict]]:
    """Every rule that the data admits, with what it says."""
    table: dict[str, tuple[str, Predict]] = {
        "look-up": ("the mean of the same training rows; of all, if there is none", _look_up)
    }
    if set(PLACE) <= set(rows.frame.columns) and len(rows.tracks) == 1:
        table["position"] = ("the mean of the training rows around its position", _position)
    if len({*train.lengths.tolist(), *rows.lengths.tolist()}) > 1:
        table["length"] = ("a tree on the length", _tree(lambda r: r.lengths[:, None]))
    if rows.sequences is not None:
        table["GC"] = ("a tree on the share of G and C", _tree(lambda r: gc_of(r)[:, None]))
        table["k-mers"] = (f"ridge regression on {KMER}-mers", _ridge)
    return table


def score_rules(train: Rows, rows: Rows, seed: int = 0) -> Iterator[Score]:
    """Every rule that says something, on the rows of one split."""
    random = np.random.default_rng(seed)
    train, rows = _some(train, random), _some(rows, random)
    groups = _together(rows)
    for name, (says, predict) in rules_of(train, rows).items():
        found = spearman(predict(train, rows), rows.values.astype(np.float64), groups, random)
        if found is not None:
            yield Score(rule=name, says=says, spearman=found)


def _some(rows: Rows, random: np.random.Generator) -> Rows:
    mean = max(1.0, float(rows.lengths.mean()) if rows.lengths.size else 1.0)
    most = max(2, min(MOST_ROWS, int(MOST_BASES / mean)))
    if rows.labels.size <= most:
        return rows
    return rows.take(np.sort(random.permutation(rows.labels.size)[:most]).astype(np.int64))


def _together(rows: Rows) -> Int64[ndarray, " n"]:
    """Rows that are one piece of evidence: those of one position, or twins."""
    if not set(PLACE) <= set(rows.frame.columns):
        return rows.identity
    return rows.frame.select(pl.struct(PLACE).rank("dense").cast(pl.Int64)).to_series().to_numpy()


def _means(train: Rows) -> Float64[ndarray, " t"]:
    """The mean of each track; 0 where training has no value of it."""
    known = ~np.isnan(train.values)
    return np.where(known, train.values, 0).sum(axis=0, dtype=np.float64) / np.maximum(
        known.sum(axis=0), 1
    )


def _filled(train: Rows) -> Float64[ndarray, "r t"]:
    """Training values, those not measured as the mean of their track."""
    return np.where(np.isnan(train.values), _means(train), train.values).astype(np.float64)


def _look_up(train: Rows, rows: Rows) -> Float64[ndarray, "n t"]:
    number = train.joined(rows).identity
    mine, asked = number[: train.labels.size], number[train.labels.size :]
    size, known = int(number.max(initial=0)) + 1, ~np.isnan(train.values)
    sums, counts = np.zeros((2, size, len(train.tracks)))
    np.add.at(sums, mine, np.where(known, train.values, 0))
    np.add.at(counts, mine, known)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), _means(train))
    return means[asked]


def _position(train: Rows, rows: Rows) -> Float64[ndarray, "n t"]:
    both = train.joined(rows)
    known = np.arange(both.labels.size) < train.labels.size
    said = smooth_by_position(
        both.frame["element"].to_numpy(),
        both.frame["position"].cast(pl.Int64).to_numpy(),
        _filled(both)[:, 0],
        known,
    )
    return said[~known][:, None]


def _tree(describe: Callable[[Rows], Any]) -> Predict:
    """A small regression tree on a few numbers of each row."""

    def predict(train: Rows, rows: Rows) -> Float64[ndarray, "n t"]:
        from sklearn.tree import DecisionTreeRegressor

        tree = DecisionTreeRegressor(max_leaf_nodes=16, min_samples_leaf=20, random_state=0)
        tree.fit(describe(train), _filled(train))
        return np.asarray(tree.predict(describe(rows)), np.float64).reshape(-1, len(rows.tracks))

    return predict


def _ridge(train: Rows, rows: Rows) -> Float64[ndarray, "n t"]:
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    # Every word counts alike, however frequent it is.
    scaler = StandardScaler(with_mean=False)
    known = scaler.fit_transform(_words(train))
    asked = scaler.transform(_words(rows))
    model = Ridge(alpha=_RIDGE * 4**KMER, solver="lsqr")
    model.fit(known, _filled(train))
    said = model.predict(asked)
    return np.asarray(said, np.float64).reshape(-1, len(rows.tracks))


def _words(rows: Rows) -> sparse.csr_array:
    """Shares of words; of pairs, by how much the alternative differs, too."""
    if rows.sequences is None:
        raise ValueError("rows without sequences have no k-mers")
    shares = kmer_shares(rows.sequences, KMER)
    if rows.alternatives is None:
        return shares
    return sparse.csr_array(sparse.hstack([shares, kmer_shares(rows.alternatives, KMER) - shares]))
