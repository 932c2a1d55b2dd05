"""Predicted beside observed tracks of a few records, to be looked at.

Shapes: ``l`` bins, ``t`` tracks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from numpy import ndarray

from attendna.models.hardware import Precision
from attendna.models.track_model import TrackModel
from attendna.prediction.track_records import Records, predict_record

TRACKS_AN_ASSAY = 2
"""Tracks of each assay that are shown: the one predicted best, and the one in the middle."""

PLACES = {"best": 1.0, "middle": 0.5, "worst": 0.0}
"""Which records are shown, as quantiles of their score."""


def examples(
    model: TrackModel,
    records: Records,
    head: str,
    *,
    tracks: Float64[ndarray, " t"],
    scores: Float64[ndarray, " n"],
    about: Mapping[str, str | int],
    precision: Precision = "fp32",
) -> pl.DataFrame:
    """What is predicted and what was observed in the best, the middle and the worst record.

    Parameters
    ----------
    tracks
        How well each track is predicted.
    scores
        How well each record is predicted.

    Returns
    -------
    pl.DataFrame
        A row a record and track: ``place`` (best, middle, worst), ``id, chrom, start, bin_size``,
        ``identifier, description, assay, value`` (of the track) and the lists ``predicted`` and
        ``observed``, null where a bin is masked.
    """
    targets, window = records.task.targets, records.window
    shown = _shown(targets["assay"], tracks)
    chosen = _quantiles(scores, list(PLACES.values()))
    crop = (records.task.spec.window - window.bins * window.bin_size) // 2
    rows: list[dict[str, Any]] = []
    for place, row in zip(PLACES, chosen.tolist(), strict=True):
        predicted, observed = predict_record(model, records, head, row, precision)
        record = records.split.frame.row(row, named=True)
        rows += [
            {
                "place": place,
                "id": record["id"],
                "chrom": record["chrom"],
                "start": None if record["start"] is None else record["start"] + crop,
                "bin_size": window.bin_size,
                "track": track,
                "value": float(tracks[track]),
                "predicted": predicted[0, :, track].tolist(),
                "observed": observed[0, :, track].tolist(),
            }
            for track in shown.tolist()
        ]
    frame = pl.DataFrame(rows, schema_overrides={"chrom": pl.String, "start": pl.Int64})
    told = targets.with_row_index("track").select(
        pl.col("track").cast(pl.Int64), "identifier", "description", "assay"
    )
    return frame.join(told, on="track", how="left", maintain_order="left").with_columns(
        *(pl.lit(value).alias(name) for name, value in about.items() if name != "n"),
        pl.col("predicted", "observed").cast(pl.List(pl.Float32)),
    )


def _shown(assays: pl.Series, values: Float64[ndarray, " t"]) -> Int64[ndarray, " k"]:
    """The best and the middle track of every assay, of those that are defined."""
    found: list[int] = []
    for assay in assays.unique(maintain_order=True):
        mine = np.flatnonzero((assays == assay).to_numpy() & ~np.isnan(values))
        if mine.size:
            part = _quantiles(values[mine], [1.0, 0.5][:TRACKS_AN_ASSAY])
            found += dict.fromkeys(mine[part].tolist())
    return np.array(found, dtype=np.int64)


def _quantiles(values: Float64[ndarray, " n"], places: list[float]) -> Int64[ndarray, " k"]:
    """Where the values stand that are nearest to some quantiles; what is NaN counts as least."""
    order = np.argsort(np.nan_to_num(values, nan=-np.inf), kind="stable")
    return order[np.round(np.array(places) * (order.size - 1)).astype(np.int64)]
