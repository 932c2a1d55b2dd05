"""What mutagenesis in silico found, as ``interpret ism`` writes it, read without torch.

Shapes: ``n`` sequences, ``l`` bases of the longest.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray
from polars.exceptions import PolarsError

from attendna.core.errors import FolderError
from attendna.core.parquet import read_parquet

SCORES, LOGO = "scores.parquet", "logo.svg"
MOST_SEQUENCES = 60
"""Sequences of the map; their rows would be too thin to see if there were more."""


@dataclass(frozen=True, eq=False)
class Importance:
    """The importance of every base of some sequences.

    ``values[n, l]`` is how much the base holds up the log-odds of the class that was followed, NaN
    where there is no base.
    """

    ids: tuple[str, ...]
    values: Float[ndarray, "n l"]
    total: int
    """Sequences that were mutated; the first of them are shown."""
    logo: str
    """SVG text of the first sequences, base by base."""

    @classmethod
    def read(cls, folder: str | Path) -> "Importance":
        """Read what ``interpret ism`` wrote.

        Raises
        ------
        FolderError
            It is no such folder, or a file of it is damaged.
        """
        folder = Path(folder)
        for name in (SCORES, LOGO):
            if not (folder / name).is_file():
                raise FolderError(
                    f"{folder} has no {name}", "name a folder that `attendna interpret ism` made"
                )
        path = folder / SCORES
        scores = read_parquet(path, "make it again", ["id", "position", "importance"])
        try:
            # Ids may repeat; every sequence begins at position 0.
            begins = pl.col("position") == 0
            ids = scores.filter(begins)["id"].to_list()
            shown = scores.with_columns(row=begins.cum_sum() - 1).filter(
                pl.col("row") < MOST_SEQUENCES
            )
        except (PolarsError, OSError) as error:
            raise FolderError(f"{path} is damaged", "make it again") from error
        row = shown["row"].to_numpy().astype(np.int64)
        position = shown["position"].to_numpy().astype(np.int64)
        values = np.full((row.max(initial=-1) + 1, position.max(initial=-1) + 1), np.nan)
        values[row, position] = shown["importance"].to_numpy()
        logo = (folder / LOGO).read_text(encoding="utf-8")
        return cls(tuple(ids[:MOST_SEQUENCES]), values, len(ids), logo)
