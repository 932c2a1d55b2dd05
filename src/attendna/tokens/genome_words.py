"""The words of a genome, encoded once and found by place.

Byte pairs are made by merges in a fixed order, on the host. A genome that is learned from again and
again is therefore read once a strand, the reverse complement by itself because its words are
others, and its words lie in the user's cache folder from then on.

Shapes: ``t`` words of the genome, ``B`` windows, ``S`` words of a window, ``V`` vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Bool, Int32, Int64, UInt8
from numpy import ndarray

from attendna.core.errors import FolderError
from attendna.core.files import open_or_build
from attendna.genome.alphabet import reverse_complement
from attendna.genome.code_cache import cache_folder
from attendna.genome.reference import Reference
from attendna.genome.sequences import SequenceBatch
from attendna.genome.stretches import known_stretches
from attendna.tokens.bpe import BPETokenizer

FORMAT = 1
PIECE = 1 << 15
"""Bases that are encoded at once; no word crosses from one piece to the next."""
PIECES_A_CALL = 32
"""The encoder works on so many at a time, on all cores."""

_IDS, _STARTS = "ids.bin", "starts.bin"


class WindowWords(NamedTuple):
    """Whole words of windows, padded on the right."""

    ids: Int32[ndarray, "B S"]
    starts: Int64[ndarray, "B S"]
    """First base of each word, counted from that of its window."""
    mask: Bool[ndarray, "B S"]


@dataclass(frozen=True, eq=False)
class GenomeWords:
    """The words of one strand of a genome, from its 5' end; none holds an N."""

    ids: ndarray
    starts: ndarray
    """First base of each word; never falling."""
    widths: Int32[ndarray, " V"]
    padding: int

    @classmethod
    def of(cls, reference: Reference, tokenizer: BPETokenizer, *, reverse: bool) -> "GenomeWords":
        """The words of a genome or of its reverse complement, from the cache if they are there.

        Both take about as much disk as the genome has bases.

        Raises
        ------
        FolderError
            The cache folder cannot be written.
        """
        strand = "reverse" if reverse else "forward"
        folder = cache_folder("tokens") / tokenizer.store.digest
        target = folder / f"genome-{FORMAT}-{reference.digest[:32]}-{strand}"
        # A word's place fits into four bytes, but for genomes of the largest plants and lungfish.
        place = np.dtype(np.uint32 if reference.codes.size < 1 << 32 else np.int64)

        def read(found: Path) -> GenomeWords | None:
            return cls._read(found, tokenizer, place)

        def build(partial: Path) -> None:
            with (partial / _IDS).open("wb") as ids, (partial / _STARTS).open("wb") as starts:
                for words, places in _encode(reference, tokenizer, reverse=reverse):
                    ids.write(words.data)
                    starts.write(places.astype(place).data)

        try:
            made = open_or_build(target, read, build)
        except FolderError as error:
            raise FolderError(
                error.problem, "set ATTENDNA_CACHE to a folder that can be written"
            ) from error
        if made is None:
            raise FolderError(f"{target} changed while it was read", "run again")
        return made

    @classmethod
    def _read(
        cls, folder: Path, tokenizer: BPETokenizer, place: "np.dtype[np.generic]"
    ) -> "GenomeWords | None":
        try:
            ids = np.memmap(folder / _IDS, dtype=tokenizer.store.dtype, mode="r")
            starts = np.memmap(folder / _STARTS, dtype=place, mode="r")
        except (OSError, ValueError):
            return None
        if len(ids) != len(starts):
            return None
        return cls(
            np.asarray(ids), np.asarray(starts), tokenizer.widths.numpy(), tokenizer.store.padding
        )

    def within(self, first: Int64[ndarray, " B"], length: int) -> WindowWords:
        """The words that lie in windows of ``length`` known bases, which begin at ``first``.

        What a border cuts is left out.
        """
        # In the type of the places: of another one, all places would be copied first.
        begin, end = (
            np.searchsorted(self.starts, edge.astype(self.starts.dtype))
            for edge in (first, first + length)
        )
        where = begin[:, None] + np.arange(int((end - begin).max(initial=0)))
        ids = self.ids.take(where, mode="clip").astype(np.int32)
        starts = self.starts.take(where, mode="clip").astype(np.int64) - first[:, None]
        mask = (where < end[:, None]) & (starts + self.widths[ids] <= length)
        longest = int(mask.sum(1).max(initial=0))
        ids, starts, mask = ids[:, :longest], starts[:, :longest], mask[:, :longest]
        return WindowWords(np.where(mask, ids, np.int32(self.padding)), starts * mask, mask)


def _encode(
    reference: Reference, tokenizer: BPETokenizer, *, reverse: bool
) -> Iterator[tuple[ndarray, Int64[ndarray, " _"]]]:
    """Ids of words and their first bases, some pieces at a time."""
    widths = tokenizer.widths.numpy()
    for starts, pieces in _calls(_pieces(reference, reverse=reverse)):
        bounds = np.cumsum([0, *(piece.size for piece in pieces)])
        ids, counts = tokenizer.store.encode(SequenceBatch(np.concatenate(pieces), bounds))
        ends = np.cumsum(widths[ids], dtype=np.int64)
        moved = np.repeat(np.array(starts) - bounds[:-1], counts)
        yield ids, ends - widths[ids] + moved


def _calls(
    pieces: Iterator[tuple[int, UInt8[ndarray, " _"]]],
) -> Iterator[tuple[list[int], list[UInt8[ndarray, " _"]]]]:
    """Pieces in lists of as many bases at most as are encoded in a call."""
    starts: list[int] = []
    parts: list[UInt8[ndarray, " _"]] = []
    bases = 0
    for start, piece in pieces:
        if parts and bases + piece.size > PIECE * PIECES_A_CALL:
            yield starts, parts
            starts, parts, bases = [], [], 0
        starts.append(start)
        parts.append(piece)
        bases += piece.size
    if parts:
        yield starts, parts


def _pieces(reference: Reference, *, reverse: bool) -> Iterator[tuple[int, UInt8[ndarray, " _"]]]:
    """Known bases of a strand from its 5' end, and where on it each piece begins."""
    stretches = (
        known_stretches(reference).select("offset", size=pl.col("end") - pl.col("start")).rows()
    )
    codes, bases = reference.codes, reference.codes.size
    for offset, size in reversed(stretches) if reverse else stretches:
        for done in range(0, size, PIECE):
            if reverse:
                last = offset + size - done
                yield bases - last, reverse_complement(codes[max(offset, last - PIECE) : last])
            else:
                first = offset + done
                yield first, np.asarray(codes[first : min(first + PIECE, offset + size)])
