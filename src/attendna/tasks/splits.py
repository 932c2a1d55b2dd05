"""Which rows belong together, and which split a group of rows goes to.

Rows that are the same molecule must share a split, or a model is tested on what it has seen. A
grouping gives every row a group number; :func:`split_groups` then deals whole groups.

Shapes: ``n`` rows.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int64, Integer, Shaped
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import SPLITS, SplitName

FRACTIONS: Mapping[SplitName, float] = {"train": 0.8, "valid": 0.1, "test": 0.1}


def group_by_sequence(
    sequences: SequenceBatch, alternatives: SequenceBatch | None = None
) -> Int64[ndarray, " n"]:
    """Group identical and reverse-complement sequences.

    Parameters
    ----------
    alternatives
        Second sequences of paired rows: both must then be the same, on one strand.

    Returns
    -------
    Group of each row, numbered from 0 in order of first appearance.
    """
    forward, reverse = map(_code_series, (sequences, sequences.reverse_complement()))
    if alternatives is not None:
        other, opposite = map(_code_series, (alternatives, alternatives.reverse_complement()))
        forward, reverse = forward + "|" + other, reverse + "|" + opposite
    strandless = (
        pl.when(pl.col("forward") <= pl.col("reverse")).then("forward").otherwise("reverse")
    )
    first = (
        pl.DataFrame({"forward": forward, "reverse": reverse})
        .select(strandless.alias("sequence"), row=pl.int_range(pl.len()))
        .select(pl.col("row").min().over("sequence"))
        .get_column("row")
        .to_numpy()
    )
    return np.unique(first, return_inverse=True)[1].reshape(-1).astype(np.int64, copy=False)


def _code_series(sequences: SequenceBatch) -> pl.Series:
    """Codes as text without decoding them: 0 to 4 are characters too, and compare as well."""
    buffers = [None, pa.py_buffer(sequences.offsets), pa.py_buffer(sequences.codes)]
    array = pa.Array.from_buffers(pa.large_string(), len(sequences), buffers)
    return cast("pl.Series", pl.from_arrow(array))


def split_groups(
    groups: Integer[ndarray, " n"],
    labels: Integer[ndarray, " n"],
    fractions: Mapping[SplitName, float] | Mapping[str, float],
    seed: int,
) -> Shaped[ndarray, " n"]:
    """Deal whole groups to splits, with every class in proportion as well as group sizes allow.

    Groups are shuffled within the class of their first row and laid end to end; a group goes to the
    split in whose share of that line its middle lies.

    Parameters
    ----------
    groups, labels
        Group and class of each row.
    fractions
        Share of each split, relative to their sum.

    Returns
    -------
    The name of each row's split, as an array of strings.

    Raises
    ------
    ConfigError
        A fraction is negative, or all are 0.
    """
    names, bounds = _bounds(fractions)
    _, first, group, size = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    shuffled = np.random.default_rng(seed).permutation(first.size)
    stratum = labels[first]
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    line = np.cumsum(size[order])
    ends = np.flatnonzero(np.diff(stratum[order], append=stratum.max(initial=0) + 1))
    totals = np.diff(line[ends], prepend=0)
    before = np.repeat(line[ends] - totals, np.diff(ends, prepend=-1))
    middle = (line - size[order] / 2 - before) / np.repeat(totals, np.diff(ends, prepend=-1))
    dealt = np.empty(first.size, dtype=np.int64)
    dealt[order] = np.searchsorted(bounds, middle, side="right")
    return names[dealt[group.reshape(-1)]]


def three_shares(valid: float, test: float) -> dict[SplitName, float]:
    """The share of each split, where these are validation's and test's.

    Raises
    ------
    ConfigError
        They leave nothing to train on.
    """
    train = 1 - valid - test
    if train <= 0:
        raise ConfigError(
            f"--valid-fraction {valid} and --test-fraction {test} leave nothing to train on",
            "make them smaller",
        )
    return {"train": train, "valid": valid, "test": test}


def dealt(rows: pl.DataFrame, split: Shaped[ndarray, " N"]) -> dict[SplitName, pl.DataFrame]:
    """The rows of each split, by the name that each row is given; a split without rows is none."""
    parts: dict[SplitName, pl.DataFrame] = {
        name: rows.filter(np.equal(split, name)) for name in SPLITS
    }
    return {name: part for name, part in parts.items() if part.height}


def _bounds(fractions: Mapping[SplitName, float] | Mapping[str, float]) -> tuple[Any, Any]:
    """Names of the splits and where the share of each but the last ends."""
    shares = np.array(list(fractions.values()), dtype=np.float64)
    if not shares.sum() > 0 or not (shares >= 0).all():
        told = ", ".join(f"{name} {share}" for name, share in fractions.items())
        raise ConfigError(f"the split fractions {told} are no shares", "give positive numbers")
    return np.array(list(fractions)), np.cumsum(shares)[:-1] / shares.sum()
