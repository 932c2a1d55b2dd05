"""Tracks from bigWig files: the bins of windows, transformed as their table says.

Shapes: ``b`` records, ``l`` bins, ``t`` tracks.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32
from numpy import ndarray

from attendna.core.config import parse
from attendna.core.errors import DataError
from attendna.genome.signal import AbsentContig, NoData, open_signal
from attendna.tasks.track_transforms import Order, Transform


@dataclass(frozen=True)
class TrackSignal:
    """One track: its file, and how its bins become targets."""

    path: Path
    transform: Transform


@dataclass(frozen=True)
class Binning:
    """How windows become targets."""

    signals: tuple[TrackSignal, ...]
    bin_size: int
    crop: int
    no_data: NoData
    absent_contig: AbsentContig

    def targets(self, windows: pl.DataFrame) -> Float32[ndarray, "b l t"]:
        """Targets of windows of one width: of the bins in their middle.

        Raises
        ------
        WindowError
            A file lacks the contig of a window, and that is not admitted.
        DataError
            A file is damaged, or its values cannot be transformed.
        """
        inner = windows.with_columns(pl.col("start") + self.crop, pl.col("end") - self.crop)
        width = int(inner["end"][0]) - int(inner["start"][0])
        columns = [self._column(signal, inner, width // self.bin_size) for signal in self.signals]
        return np.stack(columns, axis=-1)

    def _column(
        self, signal: TrackSignal, inner: pl.DataFrame, bins: int
    ) -> Float32[ndarray, "b l"]:
        # Opened anew for each call: thousands of files are not open at once.
        found = open_signal(signal.path).bins(
            inner,
            bins,
            aggregate=signal.transform.aggregate,
            no_data=self.no_data,
            absent_contig=self.absent_contig,
        )
        try:
            values = signal.transform.apply(found.values)
        except ValueError as error:
            raise DataError(
                signal.path,
                f"{error}: {np.nanmin(found.values):g}",
                "give the absolute values, or another sum_stat",
            ) from None
        if np.isinf(values).any():
            raise DataError(signal.path, "a value is infinite", "clip it in targets.txt")
        return values


def find_signals(table: Path, targets: pl.DataFrame, order: Order) -> tuple[TrackSignal, ...]:
    """The file of every track, relative to the table, and its transform.

    Raises
    ------
    DataError
        There is no column of files, a file is missing or no bigWig, or a transform is unknown.
    """
    if "file" not in targets.columns:
        raise DataError(table, "there is no column file", "name the bigWig of each track")
    found: list[TrackSignal] = []
    for row, track in enumerate(targets.iter_rows(named=True), start=1):
        path = table.parent / (track["file"] or "")
        if not path.is_file():
            raise DataError(table, f"no such file: {path}", "correct the row", row=row)
        open_signal(path)
        told = {key: track[key] for key in ("sum_stat", "clip", "clip_soft", "scale")}
        given = {key: value for key, value in told.items() if value is not None}
        transform = parse(Transform, given | {"order": order}, f"{table}, row {row}")
        found.append(TrackSignal(path, transform))
    return tuple(found)
