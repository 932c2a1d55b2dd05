"""Ways to split the variants of saturation mutagenesis, from the kindest to the honest one.

Elements that overlap, as one promoter measured in two cell types does, are one locus: no way deals
their positions apart.

Shapes: ``n`` variants.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Int64, Shaped
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.tasks.spec import SplitName
from attendna.tasks.splits import split_groups

Way = Literal["random", "contiguous", "leave-one-element-out"]
"""Single positions at random; one run of positions a split at every locus; or whole loci."""


def by_position(
    variants: pl.DataFrame, fractions: Mapping[SplitName, float], seed: int
) -> Shaped[ndarray, " n"]:
    """Deal positions at random: the three variants of a position stay together, wherever measured.

    Parameters
    ----------
    variants
        Columns ``locus`` and ``position``.
    """
    place = variants.select(pl.struct("locus", "position").rank("dense").cast(pl.Int64))
    groups = place.to_series().to_numpy()
    return split_groups(groups, np.zeros(variants.height, dtype=np.int64), fractions, seed)


def by_run(
    variants: pl.DataFrame, fractions: Mapping[SplitName, float], seed: int
) -> Shaped[ndarray, " n"]:
    """Cut the positions of every locus into one run a split, in an order drawn for each locus."""
    random = np.random.default_rng(seed)
    locus, position = (variants[name].to_numpy() for name in ("locus", "position"))
    names, shares = np.array(list(fractions)), np.array(list(fractions.values()))
    said = np.empty(variants.height, dtype=names.dtype)
    for number in np.unique(locus):
        mine = np.flatnonzero(locus == number)
        order = random.permutation(names.size)
        places = np.unique(position[mine])
        bounds = np.cumsum(shares[order])[:-1] / shares.sum() * places.size
        run = np.searchsorted(bounds, np.searchsorted(places, position[mine]), side="right")
        said[mine] = names[order[run]]
    return said


def by_element(
    variants: pl.DataFrame, test: Sequence[str], fold: int
) -> tuple[Shaped[ndarray, " n"], list[str]]:
    """Keep whole loci for the test and the validation, and say which elements are tested on.

    Parameters
    ----------
    test
        Names of elements to test on; with each goes what overlaps it. Without one, the locus with
        the number ``fold`` is taken. The locus after the last of them is validated on.

    Raises
    ------
    ConfigError
        There is no such element or fold, or nothing is left to train on.
    """
    loci = (
        variants.group_by("locus")
        .agg(pl.col("element").unique().sort())
        .sort(pl.col("element").list.first())
    )
    names: list[list[str]] = loci["element"].to_list()
    chosen = [number for number, own in enumerate(names) if set(own) & set(test)]
    known = {name for own in names for name in own}
    if missing := sorted(set(test) - known):
        raise ConfigError(
            f"--test-elements: there is no element {missing[0]}",
            f"there are {', '.join(sorted(known))}",
        )
    if not test and fold >= len(names):
        raise ConfigError(
            f"--fold {fold}: there are {len(names)} loci, {_told(names)}", "folds count from 0"
        )
    chosen = chosen or [fold]
    if len(names) < len(chosen) + 2:
        raise ConfigError(
            f"of {len(names)} loci, none is left to train on",
            "take more elements by --elements, or test on fewer",
        )
    valid = next(
        number % len(names)
        for number in range(chosen[-1] + 1, chosen[-1] + 1 + len(names))
        if number % len(names) not in chosen
    )
    row = _number_of(variants["locus"], loci["locus"])
    said = np.where(np.isin(row, chosen), "test", np.where(row == valid, "valid", "train"))
    return said, [name for number in chosen for name in names[number]]


def _number_of(locus: pl.Series, order: pl.Series) -> Int64[ndarray, " n"]:
    places = {number: place for place, number in enumerate(order.to_list())}
    return locus.replace_strict(places, return_dtype=pl.Int64).to_numpy()


def _told(names: list[list[str]]) -> str:
    return ", ".join("/".join(own) for own in names)
