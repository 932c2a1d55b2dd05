"""Repeats as a genome file marks them: by lower case."""

from pathlib import Path

import numpy as np
import polars as pl

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
        runs = marked_runs(np.frombuffer(letters.encode("latin-1"), dtype=np.uint8) >= ord("a"))
        chrom, first = place_of(name, len(letters))
        parts.append(
            pl.DataFrame(
                {"start": first + runs[:, 0], "end": first + runs[:, 1]},
                schema={"start": pl.Int64, "end": pl.Int64},
            ).select(pl.lit(chrom).alias("chrom"), "start", "end")
        )
    return pl.concat(parts)
