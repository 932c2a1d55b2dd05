"""Where motifs match in many sequences, on both strands, by FIMO's p-values.

The scan is memelite's. A p-value is the chance that a place of independent, equally frequent bases
scores as high.

Source: Grant et al. 2011, "FIMO: scanning for occurrences of a given motif".

Shapes: ``k`` matches, ``n`` bases of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.genome.alphabet import N
from attendna.genome.motif import Motif
from attendna.genome.sequences import SequenceBatch


@dataclass(frozen=True, eq=False)
class MotifMatches:
    """Matches in the order of motifs; positions are 0-based and half-open, on the given strand."""

    motifs: Sequence[Motif]
    motif: Int64[ndarray, " k"]
    """Number of the motif."""
    row: Int64[ndarray, " k"]
    """Number of the sequence."""
    start: Int64[ndarray, " k"]
    end: Int64[ndarray, " k"]
    forward: Bool[ndarray, " k"]
    p_value: Float64[ndarray, " k"]

    def counts(self) -> Int64[ndarray, " _"]:
        """Matches of each motif."""
        return np.bincount(self.motif, minlength=len(self.motifs))

    def bases(self) -> Int64[ndarray, "n 3"]:
        """Motif, sequence and position of every base that a motif matches, each once, sorted."""
        widths = self.end - self.start
        which = np.repeat(np.arange(widths.size), widths)
        within = np.arange(which.size) - np.repeat(np.cumsum(widths) - widths, widths)
        all_of_them = np.stack([self.motif[which], self.row[which], self.start[which] + within], 1)
        return np.unique(all_of_them, axis=0)

    def to_frame(self, ids: Sequence[str]) -> pl.DataFrame:
        """One row a match: ``id, motif, start, end, strand, p_value``."""
        names = np.array([motif.name for motif in self.motifs])
        return pl.DataFrame(
            {
                "id": np.array(ids)[self.row],
                "motif": names[self.motif],
                "start": self.start,
                "end": self.end,
                "strand": np.where(self.forward, "+", "-"),
                "p_value": self.p_value,
            }
        )


def find_matches(
    motifs: Sequence[Motif], sequences: SequenceBatch, p_value: float = 1e-4
) -> MotifMatches:
    """Every place where a motif matches at ``p_value`` or less; none that holds an unknown base.

    Raises
    ------
    ConfigError
        Every motif is longer than the longest sequence.
    MissingExtraError
        memelite is not installed.
    """
    try:
        from memelite import fimo
    except ImportError:
        raise MissingExtraError("memelite", "motifs", "matching motifs") from None
    longest = int(sequences.lengths.max(initial=0))
    # Names may repeat, numbers do not.
    matrices = {
        str(number): np.ascontiguousarray(motif.probabilities.T)
        for number, motif in enumerate(motifs)
        if len(motif) <= longest
    }
    if not matrices:
        shortest = min(len(motif) for motif in motifs)
        raise ConfigError(
            f"the shortest motif has {shortest} bases, the longest sequence {longest}",
            "give longer sequences or shorter motifs",
        )
    codes, _ = sequences.padded()
    bases = np.ascontiguousarray(codes[:, None] == np.arange(4)[:, None]).astype(np.int8)
    tables: list[Any] = [t for t in fimo(matrices, bases, threshold=p_value) if len(t)]

    def column(name: str, kind: type) -> Any:
        parts = [table[name].to_numpy().astype(kind) for table in tables]
        return np.concatenate([np.empty(0, dtype=kind), *parts])

    row, start, end = (column(name, np.int64) for name in ("sequence_name", "start", "end"))
    # The scan lets an unknown base match anything, and what lies beyond an end is such.
    unknown = np.cumsum(np.pad(codes >= N, ((0, 0), (1, 0))), axis=1)
    known = unknown[row, end] == unknown[row, start]
    return MotifMatches(
        motifs,
        column("motif_name", np.int64)[known],
        row[known],
        start[known],
        end[known],
        (column("strand", np.str_) == "+")[known],
        column("p-value", np.float64)[known],
    )
