"""Which motifs a model reads: whether what lies on their matches is more than elsewhere.

Of every motif the bases of its matches are held against the other bases of the same sequences, by
the ratio of the means and by the AUROC; both are means over sequences with bootstrap intervals over
them. A model that merely likes G and C would read every GC-rich motif: so the same is measured for
the motif's own columns in other orders, and what is tested is the difference of the two AUROCs, by
Student's t with the bootstrap's standard error. The p-values of all motifs are corrected together
(Benjamini and Hochberg 1995). A motif can stand out for a word within it, such as CG.

Shapes: ``M`` motifs, ``N`` sequences, ``L`` bases of the longest, ``n`` bases that motifs match.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy import stats

from attendna.evaluation.uncertainty import RESAMPLES, ends, resampled_ratios
from attendna.genome.motif import Motif
from attendna.genome.motif_matches import MotifMatches, find_matches
from attendna.genome.sequences import SequenceBatch
from attendna.interpret.base_scores import BaseScores

SHUFFLES = 10
"""Orders of a motif's columns that it is held against."""

LEAST = 10
"""Sequences that a motif, and its shuffled columns, must match for a test."""

LEVEL = 0.05
"""Share of false findings that is accepted."""


def shuffled_matches(
    motifs: Sequence[Motif],
    sequences: SequenceBatch,
    p_value: float,
    generator: np.random.Generator,
) -> MotifMatches:
    """Matches of each motif's columns in some other orders, numbered as the motifs."""
    orders = [motif.shuffled(generator) for motif in motifs for _ in range(SHUFFLES)]
    found = find_matches(orders, sequences, p_value)
    return replace(found, motifs=motifs, motif=found.motif // SHUFFLES)


def read_in_motifs(
    scores: BaseScores,
    matches: MotifMatches,
    shuffled: MotifMatches,
    generator: np.random.Generator,
    count: int = RESAMPLES,
) -> pl.DataFrame:
    """One row a motif and score, best motif of each score first.

    Columns: ``motif, score, matches, sequences``; ``ratio`` and ``auroc`` of the matches with
    ``_low`` and ``_high``; ``shuffled_matches, shuffled_sequences, shuffled_ratio,
    shuffled_auroc``; ``difference`` of the AUROCs with its interval; ``p_value`` and ``q_value``,
    null where fewer than ten sequences have a match of the motif, or of its shuffled columns.
    """
    real, control = matches.bases(), shuffled.bases()
    # What the motif matches itself is no control of it, whatever else matches there.
    control = _without(control, real)
    names = [motif.name for motif in matches.motifs]
    counts = {"matches": matches.counts(), "shuffled_matches": shuffled.counts()}
    tables: list[pl.DataFrame] = []
    for score, values in scores.items():
        ranked = _Ranked.of(values)
        measured = _measured(
            ranked.contrast(real, len(names)),
            ranked.contrast(control, len(names)),
            generator,
            count,
        )
        table = pl.DataFrame({"motif": names, "score": [score] * len(names)} | counts | measured)
        tables.append(_ordered(table.with_columns(pl.col(pl.Float64).fill_nan(None))))
    return pl.concat(tables).select(COLUMNS)


COLUMNS = (
    "motif", "score", "matches", "sequences", "ratio", "ratio_low", "ratio_high", "auroc",
    "auroc_low", "auroc_high", "shuffled_matches", "shuffled_sequences", "shuffled_ratio",
    "shuffled_auroc", "difference", "difference_low", "difference_high", "p_value", "q_value",
)  # fmt: skip


def _ordered(table: pl.DataFrame) -> pl.DataFrame:
    """Those that stand out first, then by the difference."""
    above = pl.when(pl.col("difference") > 0).then("q_value")
    return table.sort(
        above, "difference", descending=[False, True], nulls_last=True, maintain_order=True
    )


class _Contrast(NamedTuple):
    """Of every sequence (rows) and motif, bases of the motif against all others; 0 where it has no
    match."""

    there: Float64[ndarray, "N M"]
    """1 where it has."""
    inside: Float64[ndarray, "N M"]
    """Sum of the values on the motif's bases."""
    expected: Float64[ndarray, "N M"]
    """What the same number of bases would have elsewhere in the sequence."""
    auroc: Float64[ndarray, "N M"]


class _Ranked(NamedTuple):
    """Values of bases and their ranks within their sequences."""

    values: Float64[ndarray, "N L"]
    ranks: Float64[ndarray, "N L"]
    known: Int64[ndarray, " N"]

    @classmethod
    def of(cls, values: Float32[ndarray, "N L"]) -> "_Ranked":
        known = ~np.isnan(values)
        # What is not known ranks last and so changes no rank of the others.
        ranks = stats.rankdata(np.where(known, values, np.inf), axis=1)
        return cls(values.astype(np.float64), ranks, known.sum(axis=1))

    def contrast(self, bases: Int64[ndarray, "n 3"], motifs: int) -> _Contrast:
        rows = len(self.values)
        motif, row, place = bases[~np.isnan(self.values[bases[:, 1], bases[:, 2]])].T

        def summed(weights: Any) -> Float64[ndarray, "N M"]:
            cells = np.bincount(row * motifs + motif, weights, minlength=rows * motifs)
            return cells.astype(np.float64).reshape(rows, motifs)

        inside, ranks = summed(self.values[row, place]), summed(self.ranks[row, place])
        p = summed(None)
        q = self.known[:, None] - p
        there = (p > 0) & (q > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            elsewhere = (np.nansum(self.values, axis=1)[:, None] - inside) / q
            auroc = (ranks - p * (p + 1) / 2) / (p * q)
        parts = there, inside, p * elsewhere, auroc
        return _Contrast(*(np.where(there, part, 0.0) for part in parts))


def _measured(
    real: _Contrast, control: _Contrast, generator: np.random.Generator, count: int
) -> dict[str, Any]:
    """Columns of the table of one score."""
    motifs = real.there.shape[1]
    both = real, control
    over = np.hstack([part for one in both for part in (one.inside, one.auroc)])
    under = np.hstack([part for one in both for part in (one.expected, one.there)])
    # All under the same resamples: what is told of a difference is paired.
    draws = resampled_ratios(over, under, generator, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = over.sum(axis=0) / under.sum(axis=0)
    values[~np.isfinite(values)] = np.nan
    ratio, auroc, shuffled_ratio, shuffled_auroc = np.split(values, 4)
    low, high = ends(draws[:, : 2 * motifs])
    difference = draws[:, motifs : 2 * motifs] - draws[:, 3 * motifs :]
    sequences, shuffled = (one.there.sum(axis=0) for one in both)
    p_value = _p_values(auroc - shuffled_auroc, difference, np.minimum(sequences, shuffled))
    difference_low, difference_high = ends(difference)
    return {
        "sequences": sequences.astype(np.int64),
        "ratio": ratio, "ratio_low": low[:motifs], "ratio_high": high[:motifs],
        "auroc": auroc, "auroc_low": low[motifs:], "auroc_high": high[motifs:],
        "shuffled_sequences": shuffled.astype(np.int64),
        "shuffled_ratio": shuffled_ratio, "shuffled_auroc": shuffled_auroc,
        "difference": auroc - shuffled_auroc,
        "difference_low": difference_low, "difference_high": difference_high,
        "p_value": p_value, "q_value": _corrected(p_value),
    }  # fmt: skip


def _p_values(
    difference: Float64[ndarray, " M"],
    resampled: Float64[ndarray, "R M"],
    sequences: Float64[ndarray, " M"],
) -> Float64[ndarray, " M"]:
    """Two-sided, of there being no difference; NaN where too few sequences have matches."""
    tested = sequences >= LEAST
    freedom = sequences[tested] - 1
    found = np.full(len(difference), np.nan)
    # A resample varies as if there were one sequence less.
    error = np.nanstd(resampled[:, tested], axis=0) * np.sqrt(1 + 1 / freedom)
    with np.errstate(divide="ignore", invalid="ignore"):
        found[tested] = 2 * stats.t.sf(np.abs(difference[tested]) / error, freedom)
    return found


def _corrected(p_values: Float64[ndarray, " M"]) -> Float64[ndarray, " M"]:
    """After Benjamini and Hochberg, over those that were tested."""
    tested = ~np.isnan(p_values)
    found = np.full(len(p_values), np.nan)
    if tested.any():
        found[tested] = stats.false_discovery_control(p_values[tested])
    return found


def _without(bases: Int64[ndarray, "n 3"], others: Int64[ndarray, "m 3"]) -> Int64[ndarray, "k 3"]:
    """The rows that the others lack."""
    if not len(bases) or not len(others):
        return bases
    sizes = np.maximum(bases.max(axis=0), others.max(axis=0)) + 1
    keys = np.ravel_multi_index(tuple(bases.T), tuple(sizes))
    there = np.isin(keys, np.ravel_multi_index(tuple(others.T), tuple(sizes)))
    return bases[~there]
