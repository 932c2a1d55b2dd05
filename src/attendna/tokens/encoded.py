"""Token ids of many sequences, found by the sequences themselves, in memory or mapped from disk.

Shapes: ``n`` sequences, ``o`` = n + 1 bounds, ``t`` ids, ``B`` batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8, UInt64
from numpy import ndarray

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.sequence_keys import Keys, keys_of

Encode = Callable[[SequenceBatch], tuple[ndarray, Int64[ndarray, " n"]]]
"""Gives the ids of sequences, one after the other, and how many each has."""

SEQUENCES_A_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Encoded:
    """Ids of sequences in the order of their keys."""

    first: UInt64[ndarray, " n"]
    """Never falling, no number twice."""
    second: UInt64[ndarray, " n"]
    bounds: Int64[ndarray, " o"]
    ids: ndarray
    """``ids[bounds[i]:bounds[i + 1]]`` are those of a sequence, as small integers as hold them."""

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(cls, sequences: SequenceBatch, encode: Encode) -> "Encoded":
        """Encode every distinct sequence once."""
        keys = all_keys(sequences)
        # Should two share their first number, the second of them is not held.
        first, rows = np.unique(keys.first, return_index=True)
        distinct = sequences.take(rows)
        parts = [
            encode(distinct.take(np.arange(start, min(start + SEQUENCES_A_CHUNK, len(rows)))))
            for start in range(0, len(rows), SEQUENCES_A_CHUNK)
        ]
        bounds = np.concatenate([[0], *(counts for _, counts in parts)]).cumsum().astype(np.int64)
        ids = np.concatenate([part for part, _ in parts]) if parts else np.empty(0, np.uint16)
        return cls(first, keys.second[rows], bounds, ids)

    @classmethod
    def joined(cls, parts: Sequence["Encoded"]) -> "Encoded":
        """All of them as one; none may hold what another does."""
        first = np.concatenate([part.first for part in parts])
        order = np.argsort(first)
        counts = np.concatenate([np.diff(part.bounds) for part in parts])
        ids = np.concatenate([part.ids for part in parts])
        starts = np.cumsum(counts) - counts
        bounds = np.concatenate([[0], counts[order].cumsum()]).astype(np.int64)
        moved = np.repeat(starts[order] - bounds[:-1], counts[order]) + np.arange(len(ids))
        second = np.concatenate([part.second for part in parts])
        return cls(first[order], second[order], bounds, ids[moved])

    def find(self, keys: Keys) -> Int64[ndarray, " B"]:
        """Place of each sequence here, -1 where it is not."""
        if not len(self):
            return np.full(len(keys.first), -1, dtype=np.int64)
        places = np.searchsorted(self.first, keys.first).clip(max=len(self) - 1)
        same = (self.first[places] == keys.first) & (self.second[places] == keys.second)
        return np.where(same, places, -1)

    def counts(self, places: Int64[ndarray, " B"]) -> Int64[ndarray, " B"]:
        """Tokens of the sequences at these places."""
        return self.bounds[places + 1] - self.bounds[places]

    def fill(
        self,
        table: ndarray,
        rows: Int64[ndarray, " B"],
        places: Int64[ndarray, " B"],
        padding: int,
    ) -> None:
        """Write the ids of the sequences at ``places`` into rows of a table, from the left.

        What is left of these rows, as far as the longest of them reaches, becomes padding.
        """
        counts = self.counts(places)
        columns = np.arange(int(counts.max(initial=0)))
        where = self.bounds[places][:, None] + columns
        # Beyond the last id of all there is only what becomes padding.
        found = self.ids.take(where, mode="clip") if len(self.ids) else np.zeros_like(where)
        table[rows, : len(columns)] = np.where(columns < counts[:, None], found, padding)

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        for name in ("first", "second", "bounds", "ids"):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def open(cls, folder: Path) -> "Encoded | None":
        """What lies in a folder, mapped into memory; none if there is nothing or it is damaged."""
        try:
            first, second, bounds, ids = (
                np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
                for name in ("first", "second", "bounds", "ids")
            )
        except (OSError, ValueError):
            return None
        whole = len(first) == len(second) == len(bounds) - 1 and bounds[-1] == len(ids)
        return cls(first, second, bounds, ids) if whole else None


def all_keys(sequences: SequenceBatch) -> Keys:
    """Keys of sequences of any lengths."""
    lengths = sequences.lengths
    # Neighbors in length are padded together, or one long sequence would pad thousands.
    order = np.argsort(lengths, kind="stable")
    keys = Keys(*(np.empty(len(lengths), dtype=np.uint64) for _ in Keys._fields))
    for start in range(0, len(order), SEQUENCES_A_CHUNK):
        rows = order[start : start + SEQUENCES_A_CHUNK]
        codes: UInt8[ndarray, "B L"]
        codes, sizes = sequences.take(rows).padded()
        found = keys_of(codes, sizes)
        keys.first[rows], keys.second[rows] = found.first, found.second
    return keys
