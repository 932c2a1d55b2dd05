"""What a task holds, as a reader wants to know it before believing a number.

Shapes: ``b`` sequences of a split.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl
from jaxtyping import Float64, Int8, Int64
from numpy import ndarray

from attendna.genome.alphabet import N
from attendna.genome.composition import gc_content
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import SplitName, TaskSpec
from attendna.tasks.splits import group_by_sequence
from attendna.tasks.store import Split, Task


@dataclass(frozen=True, eq=False)
class SplitCard:
    """One split in numbers."""

    counts: tuple[int, ...]
    """Sequences of each class; of tracks, those that are positive, or whose value is known."""
    labels: Int8[ndarray, " b"]
    """The class of each sequence, -1 where it has tracks instead."""
    lengths: Int64[ndarray, " b"]
    gc: Float64[ndarray, " b"]
    """Share of G and C among the known bases; NaN where no base is known."""
    unknown: float
    """Share of N among all bases."""
    chromosomes: Counter[str] = field(default_factory=Counter[str])
    """Sequences of each chromosome; none where coordinates are unknown."""

    @property
    def n(self) -> int:
        """Sequences in all."""
        return self.labels.size

    @property
    def shortest(self) -> int:
        """Bases of its shortest sequence."""
        return int(self.lengths.min())

    @property
    def longest(self) -> int:
        """Bases of its longest sequence."""
        return int(self.lengths.max())

    @property
    def mean_gc(self) -> float:
        """Mean GC content of its sequences."""
        known = self.gc[~np.isnan(self.gc)]
        return float(known.mean()) if known.size else float("nan")


@dataclass(frozen=True, eq=False)
class DataCard:
    """A task in numbers.

    ``shared`` counts, for two splits, the sequences of the second that also occur in the first,
    as they stand or reverse-complemented.
    """

    splits: dict[SplitName, SplitCard]
    shared: dict[tuple[SplitName, SplitName], int]

    @property
    def window(self) -> int | None:
        """The length in bases that all sequences have, none when they differ."""
        seen = np.concatenate([card.lengths for card in self.splits.values()])
        return int(seen[0]) if seen.min() == seen.max() else None

    @property
    def lengths(self) -> dict[SplitName, Int64[ndarray, " _"]]:
        """Length of every sequence in bases."""
        return {split: card.lengths for split, card in self.splits.items()}

    def gc_of_class(self, label: int) -> Float64[ndarray, " _"]:
        """GC content of the sequences of a class, over all splits."""
        parts = [card.gc[card.labels == label] for card in self.splits.values()]
        joined = np.concatenate(parts)
        return joined[~np.isnan(joined)]


def describe(task: Task) -> DataCard:
    """Read every split the task was opened with and count."""
    splits: dict[SplitName, SplitCard] = {}
    batches: dict[SplitName, SequenceBatch] = {}
    others: dict[SplitName, SequenceBatch] = {}
    for name in task.splits:
        split = task.read(name)
        batches[name] = split.sequences
        if split.alternatives is not None:
            others[name] = split.alternatives
        splits[name] = _describe(split, task.spec)
    return DataCard(splits, _shared(batches, others))


def _describe(split: Split, spec: TaskSpec) -> SplitCard:
    sequences = split.sequences
    counted = spec.label_kind in ("binary", "multiclass")
    return SplitCard(
        counts=_counts(split, spec),
        labels=split.labels if counted else np.full(len(split), -1, dtype=np.int8),
        lengths=sequences.lengths,
        gc=gc_content(sequences),
        unknown=float((sequences.codes == N).sum()) / max(1, sequences.codes.size),
        chromosomes=count_chromosomes(split.frame),
    )


def count_chromosomes(frame: pl.DataFrame) -> Counter[str]:
    """Rows of each value of the column ``chrom``; none where there is no such column."""
    if "chrom" not in frame.columns:
        return Counter()
    return Counter(frame["chrom"].drop_nulls().to_list())


def _counts(split: Split, spec: TaskSpec) -> tuple[int, ...]:
    if spec.label_kind == "regression":
        return tuple((~np.isnan(split.labels)).sum(axis=0).tolist())
    return tuple(np.bincount(split.labels, minlength=len(spec.classes)).tolist())


def _shared(
    batches: dict[SplitName, SequenceBatch], others: dict[SplitName, SequenceBatch]
) -> dict[tuple[SplitName, SplitName], int]:
    """How many rows of each later split have a sequence, or a pair of them, of an earlier one."""
    alternatives = SequenceBatch.joined(list(others.values())) if others else None
    groups = group_by_sequence(SequenceBatch.joined(list(batches.values())), alternatives)
    bounds = np.cumsum([len(batch) for batch in batches.values()])[:-1]
    of_split = dict(zip(batches, np.split(groups, bounds), strict=True))
    return {
        (first, second): int(np.isin(of_split[second], of_split[first]).sum())
        for first, second in combinations(batches, 2)
    }
