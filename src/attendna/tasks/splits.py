"""Which rows belong together, and which split a group of rows goes to.

Rows that are the same molecule must share a split, or a model is tested on what it has seen. A
grouping gives every row a group number; :func:`split_groups` then deals whole groups.

Shapes: ``n`` rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int64, Integer, Shaped
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.genome.contigs import natural_key, plain_name
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import SPLITS, SplitName

_LISTED = 30
"""Names that an error lists at most."""


@dataclass(frozen=True)
class ChromosomeSplit:
    """Whole chromosomes to validate and to test on, in any naming style; the rest is to train on.

    Raises
    ------
    ConfigError
        A chromosome is in both.
    """

    valid: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        of_test = set(map(plain_name, self.test))
        if both := [name for name in self.valid if plain_name(name) in of_test]:
            raise ConfigError(f"chromosome {both[0]} is in valid and test", "leave it out of one")

    @cached_property
    def _split_of(self) -> dict[str, SplitName]:
        listed: dict[SplitName, tuple[str, ...]] = {"valid": self.valid, "test": self.test}
        return {plain_name(name): split for split, names in listed.items() for name in names}

    def of(self, chrom: str) -> SplitName:
        """The split of a chromosome."""
        return self._split_of.get(plain_name(chrom), "train")

    def absent(self, there: Iterable[str]) -> dict[SplitName, tuple[str, ...]]:
        """The names of each split that no chromosome is meant by."""
        known = set(map(plain_name, there))
        listed: dict[SplitName, tuple[str, ...]] = {"valid": self.valid, "test": self.test}
        return {
            split: tuple(name for name in names if plain_name(name) not in known)
            for split, names in listed.items()
        }

    def require(self, there: Iterable[str]) -> None:
        """Refuse names of chromosomes that are not there.

        Raises
        ------
        ConfigError
            One is not; those that are there are listed.
        """
        there = list(there)
        if gone := [name for names in self.absent(there).values() for name in names]:
            raise _no_row(gone, there)

    def require_splits(self, there: Iterable[str]) -> tuple[str, ...]:
        """Refuse a split that would have no row; gives the chromosomes that have none.

        Raises
        ------
        ConfigError
            Of the chromosomes of a split, none is there; those that are there are listed.
        """
        there = list(there)
        absent = self.absent(there)
        for names in (self.valid, self.test):
            if names and names in absent.values():
                raise _no_row(names, there)
        return tuple(name for names in absent.values() for name in names)

    @property
    def rule(self) -> str:
        """The split in words."""
        named = [
            f"{split} {', '.join(names)}"
            for split, names in (("valid", self.valid), ("test", self.test))
            if names
        ]
        return "; ".join([*named, "train the rest" if named else "train all"])


def _no_row(names: Iterable[str], there: Iterable[str]) -> ConfigError:
    """The error of chromosomes without a row; names that mean the same are listed once."""
    known = {plain_name(name): name for name in there}
    listed = sorted(known.values(), key=natural_key)
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    return ConfigError(
        f"no row lies on {', '.join(names)}", f"there are {', '.join(listed[:_LISTED])}{more}"
    )


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
