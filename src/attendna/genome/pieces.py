"""Where the pieces of a genome lie, which most often are whole contigs.

A record named after its place, as ``chr1:10000-20000``, holds these bases of ``chr1``, 0-based and
half-open. ``samtools faidx`` counts from 1 and includes the end; the record's length tells which of
the two is meant.

Shapes: ``c`` contigs, ``p`` pieces, ``k`` windows.
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from attendna.genome.code_cache import GenomeCodes

UNKNOWN = 1 << 40
"""Stands for the length of a contig that is there in part only."""

_PLACE = re.compile(r"(?P<chrom>.+):(?P<start>\d+)-(?P<end>\d+)")


@dataclass(frozen=True, eq=False)
class Pieces:
    """Where the pieces of a genome lie: on which contig, and in the array of codes.

    Most genomes have one piece a contig, the whole of it.
    """

    contigs: tuple[str, ...]
    length: Int64[ndarray, " c"]
    """Bases of each contig, or more than any has where only parts are there."""
    contig: Int64[ndarray, " p"]
    start: Int64[ndarray, " p"]
    end: Int64[ndarray, " p"]
    offset: Int64[ndarray, " p"]

    @classmethod
    def of(cls, genome: GenomeCodes) -> "Pieces":
        """Read the places of a genome's records from their names."""
        number: dict[str, int] = {}
        length: list[int] = []
        rows: list[tuple[int, int, int, int]] = []
        offset = 0
        for name, size in zip(genome.names, genome.lengths, strict=True):
            chrom, start = place_of(name, size)
            contig = number.setdefault(chrom, len(number))
            length += [UNKNOWN] * (len(number) - len(length))
            if chrom == name:
                length[contig] = size
            rows.append((contig, start, start + size, offset))
            offset += size
        table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
        return cls(tuple(number), np.array(length, dtype=np.int64), *np.ascontiguousarray(table.T))

    @cached_property
    def _keys(self) -> Int64[ndarray, " p"]:
        """Contig and start in one number, in order."""
        return self.contig * 2 * UNKNOWN + self.start

    def offset_of(
        self, contig: Int64[ndarray, " k"], start: Int64[ndarray, " k"], end: Int64[ndarray, " k"]
    ) -> Int64[ndarray, " k"]:
        """Where in the codes each window begins; -1 where no piece holds the whole of it."""
        found = np.full(contig.size, -1)
        # The last piece that starts at or before the window. Where pieces overlap, one of those
        # before it may reach further.
        place = np.searchsorted(self._keys, contig * 2 * UNKNOWN + start, side="right") - 1
        open_ = np.flatnonzero(place >= 0)
        while open_.size:
            at = place[open_]
            open_, at = open_[same := self.contig[at] == contig[open_]], at[same]
            fits = self.end[at] >= end[open_]
            found[open_[fits]] = (self.offset[at] + start[open_] - self.start[at])[fits]
            place[open_] -= 1
            open_ = open_[~fits & (at > 0)]
        return found


def place_of(name: str, size: int) -> tuple[str, int]:
    """The contig a record is part of and its first base there; a contig itself starts at 0."""
    match = _PLACE.fullmatch(name)
    if match:
        start, end = int(match["start"]), int(match["end"])
        if end - start == size:
            return match["chrom"], start
        if end - start + 1 == size and start > 0:
            return match["chrom"], start - 1
    return name, 0
