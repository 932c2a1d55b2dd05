"""The tables that an evaluation of tracks enters into a run folder."""

from pathlib import Path

import polars as pl

from attendna.core.parquet import read_parquet

TRACKS_FILE = "track_metrics.parquet"
"""One row a head, split, track and metric."""

ASSAYS_FILE = "assay_metrics.parquet"
"""One row a head, split, assay and metric: the mean over the assay's tracks."""

SCORES_FILE = "track_scores.parquet"
"""One row a head, split, record and assay: the mean correlation within the record."""

EXAMPLES_FILE = "track_examples.parquet"
"""A few records and tracks, predicted and observed: see :mod:`.track_examples`."""

FILES = {
    TRACKS_FILE: "tracks",
    ASSAYS_FILE: "assays",
    SCORES_FILE: "scores",
    EXAMPLES_FILE: "examples",
}
"""By the name of each, the part of a result it holds."""


def read_table(run: Path, name: str) -> pl.DataFrame | None:
    """A table of a run folder; none where nothing was measured.

    Raises
    ------
    DataError
        It is damaged.
    """
    path = run / name
    if not path.is_file():
        return None
    return read_parquet(path, "delete it and evaluate again")
