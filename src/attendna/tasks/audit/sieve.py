"""Which rows a data set does without: by length, by letters, or so that classes are balanced.

Shapes: ``n`` rows of all splits together.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Shaped
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed
from attendna.core.errors import ConfigError
from attendna.genome.composition import count_unknown
from attendna.tasks.audit.rows import Rows
from attendna.tasks.subset import draw_evenly

LEFT_OUT = ""
"""Stands in place of a split for rows that are left out."""


class Sieve(Config):
    """What rows must be to stay. The test split stays as it is unless ``also_test`` is on."""

    min_length: int | None = Field(default=None, ge=1)
    """Bases that a row has at least."""
    max_length: int | None = Field(default=None, ge=1)
    """Bases that a row has at most."""
    acgt: bool = False
    """Whether rows with unknown bases (N) are left out."""
    balance: bool = False
    """Whether so many rows of each class are drawn as the rarest has, split by split."""
    also_test: bool = False
    """Whether all of it is done to the test split, too."""
    seed: Seed = 0

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is asked."""
        asked = (self.min_length, self.max_length, self.acgt or None, self.balance or None)
        return asked == (None,) * len(asked)

    def sift(self, rows: Rows, splits: Shaped[ndarray, " n"], why: Shaped[ndarray, " n"]) -> None:
        """Mark the rows that do not stay.

        Parameters
        ----------
        splits
            The split of each row, changed to ``LEFT_OUT`` here.
        why
            The reason is written here.

        Raises
        ------
        ConfigError
            The rows have no letters, or no classes to balance.
        """
        if self.acgt and rows.sequences is None:
            raise ConfigError(f"{rows.name} holds intervals, which have no letters", "drop --acgt")
        if self.balance and len(rows.classes) < 2:
            raise ConfigError(f"{rows.name} has no classes to balance", "drop --balance")
        touched = (splits != LEFT_OUT) & (self.also_test | (splits != "test"))
        for reason, unfit in self._unfit(rows):
            leave_out(unfit & touched, reason, splits, why)
        if self.balance:
            for split in rows.splits:
                there = touched & (splits == split)
                if there.any():
                    leave_out(there & ~self._drawn(rows, there), "balance", splits, why)

    def _unfit(self, rows: Rows) -> Iterator[tuple[str, Bool[ndarray, " n"]]]:
        if self.min_length is not None:
            yield f"shorter than {self.min_length} bases", rows.lengths < self.min_length
        if self.max_length is not None:
            yield f"longer than {self.max_length} bases", rows.lengths > self.max_length
        if self.acgt:
            batches = (rows.sequences, rows.alternatives)
            unknown = [count_unknown(batch) > 0 for batch in batches if batch is not None]
            yield "unknown bases", np.logical_or.reduce(unknown)

    def _drawn(self, rows: Rows, there: Bool[ndarray, " n"]) -> Bool[ndarray, " n"]:
        """As many rows of each class, drawn at random."""
        places = np.flatnonzero(there)
        labels = rows.labels[places]
        rarest = int(np.bincount(labels, minlength=len(rows.classes)).min())
        chosen = np.zeros(there.size, dtype=bool)
        random = np.random.default_rng(self.seed)
        chosen[places[draw_evenly(labels, rarest, random)]] = True
        return chosen


def leave_out(
    rows: Bool[ndarray, " n"],
    reason: str,
    splits: Shaped[ndarray, " n"],
    why: Shaped[ndarray, " n"],
) -> None:
    """Leave rows out that are not left out yet, for a reason."""
    chosen = rows & (splits != LEFT_OUT)
    splits[chosen], why[chosen] = LEFT_OUT, reason
