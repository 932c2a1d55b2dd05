"""Repeats as a genome file marks them: by lower case.

Shapes: ``r`` stretches.
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray

from attendna.genome.alphabet import marked_runs
from attendna.genome.pieces import place_of
from attendna.genome.reference import stream_letters


def soft_masked(path: str | Path) -> pl.DataFrame:
    """Stretches in lower case, as columns ``chrom, start, end`` in the file's order.

    Memory holds one contig at a time.

    Raises
    ------
    DataError
        The file is missing, no genome, or cut short.
    """
    parts: list[pl.DataFrame] = []
    for name, letters in stream_letters(Path(path)):
        runs = _lower_case(letters)
        chrom, first = place_of(name, len(letters))
        parts.append(
            pl.DataFrame(
                {"start": first + runs[:, 0], "end": first + runs[:, 1]},
                schema={"start": pl.Int64, "end": pl.Int64},
            ).select(pl.lit(chrom).alias("chrom"), "start", "end")
        )
    return pl.concat(parts)


def soft_masked_places(path: str | Path) -> Int64[ndarray, "r 2"]:
    """The same stretches as places among all bases of the file, record after record.

    So lie the bases in :attr:`attendna.genome.reference.Reference.codes`.

    Raises
    ------
    DataError
        The file is missing, no genome, or cut short.
    """
    parts: list[Int64[ndarray, "_ 2"]] = []
    offset = 0
    for _, letters in stream_letters(Path(path)):
        parts.append(offset + _lower_case(letters))
        offset += len(letters)
    return np.concatenate(parts)


def _lower_case(letters: str) -> Int64[ndarray, "r 2"]:
    return marked_runs(np.frombuffer(letters.encode("latin-1"), dtype=np.uint8) >= ord("a"))
