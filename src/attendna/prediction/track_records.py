"""The records that a model of tracks reads, cut and pooled to what it reads and predicts.

Shapes: ``b`` records, ``w`` bases that the model reads, ``l`` bins that it predicts, ``t`` tracks.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from jaxtyping import Float32, Integer, UInt8
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError
from attendna.genome.alphabet import N
from attendna.genome.reference import Reference, open_reference
from attendna.models.hardware import Precision
from attendna.models.track_checkpoint import Track
from attendna.models.track_model import TrackModel
from attendna.prediction.device import autocast
from attendna.tasks.spec import SplitName
from attendna.tasks.track_transforms import Pooling
from attendna.tasks.tracks import TrackSplit, TrackTask


@dataclass(frozen=True)
class Window:
    """What a model reads of each record and predicts for it."""

    length: int
    """Bases that are read."""
    bin_size: int
    bins: int
    pooling: Pooling = "mean"

    @classmethod
    def of(cls, model: TrackModel, length: int, pooling: Pooling = "mean") -> "Window":
        """That of a model which reads ``length`` bases.

        Raises
        ------
        UserError
            It cannot.
        """
        return cls(length, model.bin, model.predicted_bins(length), pooling)


class Records:
    """One split of one task, for one head.

    Raises
    ------
    ConfigError
        The records do not hold what the model predicts, or no genome is given for what it reads.
    """

    def __init__(
        self, task: TrackTask, split: SplitName, window: Window, genome: Path | None = None
    ) -> None:
        self.task = task
        self.window = window
        spec = task.spec
        self.split: TrackSplit = task.read(split, bin_size=window.bin_size, pooling=window.pooling)
        beside = self.split.spec.bins - window.bins
        if beside < 0 or beside % 2:
            raise ConfigError(
                f"the model predicts {window.bins} bins of {window.bin_size}, and the records of "
                f"{task.folder} have {self.split.spec.bins} such",
                f"set model.bins={self.split.spec.bins}",
            )
        self._first = beside // 2
        self._more = window.length - spec.window
        self._reference = self._open(genome) if self._more > 0 else None
        pair = task.targets["strand_pair"]
        own = pl.int_range(task.targets.height, eager=True)
        self.other_strand = pair.fill_null(own).to_numpy()
        """Of each track, the one that takes its place on the other strand."""

    def __len__(self) -> int:
        return len(self.split)

    def sequences(
        self, rows: Integer[ndarray, " b"], shift: Integer[ndarray, " b"] | None = None
    ) -> UInt8[ndarray, "b w"]:
        """Bases of some records, each moved by ``shift``; N where nothing is known."""
        moves = np.zeros(len(rows), dtype=np.int64) if shift is None else shift
        if self._reference is not None:
            return self._fetched(self._reference, rows, moves)
        codes = self.split.sequences(rows)
        start = -self._more // 2
        reach = int(np.abs(moves).max(initial=0))
        padded = np.pad(codes, ((0, 0), (reach, reach)), constant_values=N)
        places = start + reach + moves[:, None] + np.arange(self.window.length)
        return np.take_along_axis(padded, places, axis=1)

    def targets(self, rows: Integer[ndarray, " b"]) -> Float32[ndarray, "b l t"]:
        """Values of the tracks; NaN where they are masked."""
        values = self.split.targets(rows)
        return values[:, self._first : self._first + self.window.bins].astype(np.float32)

    def _open(self, genome: Path | None) -> Reference:
        spec, frame = self.task.spec, self.split.frame
        if genome is None:
            raise ConfigError(
                f"the model reads {self.window.length:,} bases, and the records of "
                f"{self.task.folder} have {spec.window:,}",
                "name the genome in genomes, or read no more than that",
            )
        if frame["chrom"].null_count():
            row = int(frame["chrom"].is_null().arg_max() or 0)
            raise DataError(
                self.split.path, "where the record lies is not known", "read no more", row=row + 1
            )
        return open_reference(genome)

    def _fetched(
        self, reference: Reference, rows: Integer[ndarray, " b"], moves: Integer[ndarray, " b"]
    ) -> UInt8[ndarray, "b w"]:
        before = self._more // 2
        places = self.split.frame[rows].select(
            "chrom",
            start=pl.col("start") - before + pl.Series(moves),
            end=pl.col("start") - before + self.window.length + pl.Series(moves),
        )
        return reference.windows(places, edge="pad").sequences.rectangle()


def predict_record(
    model: TrackModel, records: Records, head: str, row: int, precision: Precision = "fp32"
) -> tuple[Float32[ndarray, "1 l t"], Float32[ndarray, "1 l t"]]:
    """What a head says of a record, and what was observed; the model is left evaluating."""
    device = next(model.parameters()).device
    codes = torch.from_numpy(records.sequences(np.array([row]))).to(device)
    model.eval()
    with torch.inference_mode(), autocast(device, precision):
        predicted = model(codes, head).float().cpu().numpy()
    return predicted, records.targets(np.array([row]))


def tracks_of(task: TrackTask) -> tuple[Track, ...]:
    """The tracks of a task, as a model's header has them."""
    return tuple(
        Track(
            identifier=row["identifier"],
            description=row["description"] or "",
            assay=row["assay"],
            strand_pair=row["strand_pair"],
        )
        for row in task.targets.iter_rows(named=True)
    )
