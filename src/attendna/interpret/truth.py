"""Where the bases that matter are known, as in simulated tasks: how well they are found.

Shapes: ``N`` sequences, ``L`` bases of the longest.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray
from scipy import stats
from sklearn.metrics import average_precision_score

from attendna.core.errors import DataError
from attendna.core.parquet import read_parquet


def read_truth(path: str | Path, ids: Sequence[str], length: int) -> Bool[ndarray, "N L"]:
    """The bases of planted motifs, from ``truth.parquet`` of a simulated task.

    Sequences that the file does not name have none.

    Raises
    ------
    DataError
        It is not such a file.
    """
    remedy = "name truth.parquet of a simulated task"
    intervals = read_parquet(Path(path), remedy)
    missing = [name for name in ("id", "start", "end") if name not in intervals.columns]
    if missing:
        raise DataError(path, f"the column {missing[0]} is missing", remedy)
    if "kind" in intervals.columns:
        # Shuffled motifs were planted too, to mislead.
        intervals = intervals.filter(kind="motif")
    return mark_bases(intervals, ids, length)


def mark_bases(intervals: pl.DataFrame, ids: Sequence[str], length: int) -> Bool[ndarray, "N L"]:
    """Which bases of each sequence lie in an interval.

    Parameters
    ----------
    intervals
        Columns ``id``, ``start`` and ``end``, 0-based and half-open.
    length
        Bases of the longest sequence.
    """
    marked = np.zeros((len(ids), length), dtype=np.bool_)
    rows = pl.DataFrame({"id": ids, "row": range(len(ids))})
    known = intervals.join(rows, on="id").select("row", "start", "end")
    for row, start, end in known.iter_rows():
        marked[row, start:end] = True
    return marked


def base_auroc(
    importance: Float32[ndarray, "N L"], truth: Bool[ndarray, "N L"]
) -> Float64[ndarray, " N"]:
    """How well importance tells the bases that matter from the others, in each sequence.

    The AUROC over the bases of a sequence, those without importance (NaN) left out; NaN where all
    or none of them matter.
    """
    known = ~np.isnan(importance)
    positive, negative = truth & known, ~truth & known
    # What is not known ranks last and so changes no rank of the others.
    ranks = stats.rankdata(np.where(known, importance, np.inf), axis=1)
    p, q = positive.sum(axis=1), negative.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((ranks * positive).sum(axis=1) - p * (p + 1) / 2) / (p * q)


def base_auprc(
    importance: Float32[ndarray, "N L"], truth: Bool[ndarray, "N L"]
) -> Float64[ndarray, " N"]:
    """The average precision of the same; by chance it is about the share of bases that matter.

    NaN where all or none of them matter.
    """
    found = np.full(len(importance), np.nan)
    for row, (values, matters) in enumerate(zip(importance, truth, strict=True)):
        known = ~np.isnan(values)
        if matters[known].any() and not matters[known].all():
            found[row] = average_precision_score(matters[known], values[known])
    return found
