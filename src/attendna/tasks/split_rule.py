"""The rule by which rows are dealt to splits, and what it leaves out so that nothing is shared.

Shapes: ``n`` rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Int64, Shaped
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Names, Seed
from attendna.core.errors import ConfigError
from attendna.genome.contigs import natural_key, plain_names
from attendna.tasks.audit.related import group_related
from attendna.tasks.audit.rows import Rows
from attendna.tasks.spec import SPLITS, SplitName
from attendna.tasks.splits import ChromosomeSplit, split_groups, three_shares

LEFT_OUT = ""


class SplitRule(Config):
    """How rows are dealt; whatever the rule, twins on either strand never cross."""

    split_by: Literal["sequence", "locus", "homology", "chromosome"] = Field(
        default="locus",
        description="What stays together: equal sequences; also rows at one locus; also sequences "
        "that share half of their 24-mers; or whole chromosomes.",
    )
    flank: int = Field(
        default=0,
        ge=0,
        description="Rows closer than this are at one locus: at least the context a model adds.",
    )
    valid_fraction: float = Field(default=0.1, ge=0, lt=1, description="Share to validate on.")
    test_fraction: float = Field(default=0.1, ge=0, lt=1, description="Share to test on.")
    valid_chromosomes: Names = Field(
        default=(), description="With --split-by chromosome: these to validate on."
    )
    test_chromosomes: Names = Field(
        default=(), description="With --split-by chromosome: these to test on."
    )
    folds: int | None = Field(
        default=None, ge=3, description="Deal as many equal parts, for cross-validation."
    )
    fold: int = Field(
        default=0, ge=0, description="The part to test on; the one after it is to validate on."
    )
    seed: Seed = Field(default=0, description="Seed of the splits, and of what is drawn.")

    @property
    def told(self) -> str:
        """The rule in words."""
        near = f" or lie within {self.flank:,} bases" if self.flank else ""
        kept = {
            "sequence": "identical and reverse-complement sequences together",
            "locus": f"rows that overlap{near}, and twins, together",
            "homology": f"rows that overlap{near} or share half of their 24-mers together",
            "chromosome": "whole chromosomes, without the rows that have a twin in a later split",
        }[self.split_by]
        return f"by {self.split_by} ({kept}), {self._shares}, seed {self.seed}"

    @property
    def _shares(self) -> str:
        if self.folds is not None:
            return f"fold {self.fold} of {self.folds}"
        if self.valid_chromosomes or self.test_chromosomes:
            return self.listed.rule
        shares = three_shares(self.valid_fraction, self.test_fraction)
        return ", ".join(f"{name} {share:.3g}" for name, share in shares.items())

    @property
    def listed(self) -> ChromosomeSplit:
        """The chromosomes that are to be validated and tested on, none where they are dealt."""
        return ChromosomeSplit(self.valid_chromosomes, self.test_chromosomes)

    def check(self, *, placed: bool) -> None:
        """Refuse a rule that contradicts itself, or needs places that rows do not have.

        Raises
        ------
        ConfigError
            It does.
        """
        chromosomes = self.listed
        if (chromosomes.valid or chromosomes.test) and self.split_by != "chromosome":
            raise ConfigError(
                f"chromosomes are listed, and rows are split by {self.split_by}",
                "add --split-by chromosome",
            )
        if self.folds is not None and self.fold >= self.folds:
            raise ConfigError(f"there is no fold {self.fold} of {self.folds}", "folds count from 0")
        three_shares(self.valid_fraction, self.test_fraction)
        if not placed and self.split_by in ("locus", "chromosome"):
            raise ConfigError(
                f"rows without coordinates cannot be split by {self.split_by}",
                "split by sequence or homology",
            )


@dataclass(frozen=True, eq=False)
class Dealt:
    """The split of each row, :data:`LEFT_OUT` for those that would be in two, and their number."""

    splits: Shaped[ndarray, " n"]
    left_out: int
    chromosomes: Mapping[SplitName, tuple[str, ...]] = field(
        default_factory=dict[SplitName, tuple[str, ...]]
    )
    """The chromosomes of each split, where whole chromosomes were dealt."""

    def describe(self, rule: SplitRule) -> str:
        """The rule in words, and which chromosomes went where by it."""
        listed = [f"{split}: {', '.join(names)}" for split, names in self.chromosomes.items()]
        return "; ".join([rule.told, *listed])


def deal(rows: Rows, rule: SplitRule) -> Dealt:
    """Deal rows to splits, classes in proportion as well as what stays together allows.

    Raises
    ------
    ConfigError
        The rule contradicts itself or the rows, or leaves a split empty that it asks for.
    """
    rule.check(placed=rows.placed)
    if rule.split_by != "chromosome":
        homology = rule.split_by == "homology"
        if rule.split_by == "sequence":
            groups = rows.identity
        else:
            groups = group_related(rows, flank=rule.flank, homology=homology)
        return _complete(_by_group(groups, rows.labels, rule), rule)
    chrom = rows.frame["chrom"]
    if rule.valid_chromosomes or rule.test_chromosomes:
        rule.listed.require(chrom.unique())
        splits = np.array([rule.listed.of(name) for name in chrom])
    else:
        # A chromosome has rows of all classes: there is no stratum to keep in proportion.
        splits = _by_group(
            plain_names(chrom).rank("dense").cast(pl.Int64).to_numpy(),
            np.zeros_like(rows.labels),
            rule,
        )
    dealt = _complete(_without_twins(splits, rows.identity), rule)
    return replace(dealt, chromosomes=_chromosomes_of(chrom, splits))


def _by_group(
    groups: Int64[ndarray, " n"], labels: Int64[ndarray, " n"], rule: SplitRule
) -> Shaped[ndarray, " n"]:
    if rule.folds is None:
        shares = three_shares(rule.valid_fraction, rule.test_fraction)
        return split_groups(groups, labels, shares, rule.seed)
    parts = split_groups(
        groups, labels, {str(part): 1.0 for part in range(rule.folds)}, rule.seed
    ).astype(np.int64)
    following = (rule.fold + 1) % rule.folds
    return np.where(parts == rule.fold, "test", np.where(parts == following, "valid", "train"))


def _chromosomes_of(
    chrom: pl.Series, splits: Shaped[ndarray, " n"]
) -> dict[SplitName, tuple[str, ...]]:
    """The chromosomes of each split, each by the first of its names."""
    table = pl.DataFrame({"id": plain_names(chrom), "name": chrom, "split": splits.tolist()})
    first = table.unique("id", keep="first")
    found: dict[SplitName, tuple[str, ...]] = {
        split: tuple(sorted(first.filter(split=split)["name"], key=natural_key)) for split in SPLITS
    }
    return {split: names for split, names in found.items() if names}


def _without_twins(
    splits: Shaped[ndarray, " n"], identity: Int64[ndarray, " n"]
) -> Shaped[ndarray, " n"]:
    """Leave out rows that have a twin in a later split: what is tested on is kept whole."""
    place = np.array([SPLITS.index(split) for split in splits.tolist()])
    last = np.zeros(int(identity.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(last, identity, place)
    return np.where(place < last[identity], LEFT_OUT, splits)


def _complete(splits: Shaped[ndarray, " n"], rule: SplitRule) -> Dealt:
    there = set(splits.tolist())
    wanted = {"train"}
    if rule.folds is not None:
        wanted |= {"valid", "test"}
    elif not (rule.valid_chromosomes or rule.test_chromosomes):
        wanted |= {"valid"} if rule.valid_fraction else set()
        wanted |= {"test"} if rule.test_fraction else set()
    if missing := sorted(wanted - there):
        raise ConfigError(
            f"split by {rule.split_by}, no row is left for {missing[0]}",
            "too much stays together: choose another --split-by, other fractions or chromosomes",
        )
    return Dealt(splits, int((splits == LEFT_OUT).sum()))
