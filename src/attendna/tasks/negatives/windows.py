"""Windows of the genome to tell positives from: as they come, or alike in GC and repeats.

Shapes: ``n`` windows wanted, ``c`` candidates.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from numpy import ndarray

from attendna.core.errors import DataError
from attendna.genome.composition import count_unknown, gc_content
from attendna.genome.loci import count_overlaps, covered_bases
from attendna.genome.reference import Reference
from attendna.genome.sequences import SequenceBatch

ROUNDS = 200
"""Rounds of candidates after which the genome is taken to hold no better ones."""

_FEWEST = 4096
"""Candidates of a round; where fewer windows are wanted, each has several."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """What drawn windows must be like, each as the positive it stands for.

    ``tolerance`` and ``repeat_tolerance`` are the differences of shares that still count as alike.
    """

    gc: Float64[ndarray, " n"]
    repeats: Float64[ndarray, " n"] | None = None
    """Share of soft-masked bases."""
    masked: pl.DataFrame | None = None
    """The soft-masked stretches of the genome."""
    tolerance: float = 0.02
    repeat_tolerance: float = 0.1

    @classmethod
    def of(
        cls,
        positives: pl.DataFrame,
        sequences: SequenceBatch,
        masked: pl.DataFrame | None = None,
        *,
        tolerance: float = 0.02,
    ) -> "Likeness":
        """Be like these windows of the same genome, given with their sequences.

        Parameters
        ----------
        masked
            The genome's soft-masked stretches, for windows with as many repeats.
        """
        gc = np.nan_to_num(gc_content(sequences), nan=0.5)
        repeats = None if masked is None else _repeat_share(positives, masked)
        return cls(gc, repeats, masked, tolerance)

    def distance(
        self, rows: Int64[ndarray, " c"], drawn: pl.DataFrame, sequences: SequenceBatch
    ) -> Float64[ndarray, " c"]:
        """How far candidates are from the windows they are meant for; up to 1 is alike."""
        far = np.abs(gc_content(sequences) - self.gc[rows]) / self.tolerance
        if self.repeats is None or self.masked is None:
            return far
        apart = np.abs(_repeat_share(drawn, self.masked) - self.repeats[rows])
        return np.maximum(far, apart / self.repeat_tolerance)


def _repeat_share(windows: pl.DataFrame, masked: pl.DataFrame) -> Float64[ndarray, " _"]:
    size = (windows["end"] - windows["start"]).to_numpy()
    return covered_bases(windows, masked) / size


@dataclass(frozen=True, eq=False)
class Drawn:
    """Windows, all at different places, with their sequences."""

    frame: pl.DataFrame
    """Columns ``chrom, start, end, strand``, as the genome file calls the chromosomes."""
    sequences: SequenceBatch
    unlike: int
    """Windows for which nothing within the tolerance was found: the nearest stands for them."""


def draw_windows(
    reference: Reference,
    lengths: Int64[ndarray, " n"],
    avoid: pl.DataFrame,
    generator: np.random.Generator,
    like: Likeness | None = None,
) -> Drawn:
    """Draw a window of each length at a random place and strand, without N.

    Parameters
    ----------
    avoid
        Columns ``chrom, start, end`` of what no window may touch: positives, a blacklist.
    like
        Draw until every window is like its own; as they come otherwise.

    Raises
    ------
    DataError
        The genome has not enough room for so many.
    """
    open_ = np.arange(lengths.size)
    taken = _Taken(lengths.size)
    avoid = reference.named(avoid)
    for _ in range(ROUNDS):
        if not open_.size:
            break
        rows = np.repeat(open_, max(1, _FEWEST // open_.size))
        frame = _propose(reference, lengths[rows], generator)
        windows = reference.windows(frame, edge="drop", missing="drop")
        rows, frame, sequences = rows[windows.rows], frame[windows.rows], windows.sequences
        free = (count_overlaps(frame, avoid) == 0) & (count_unknown(sequences) == 0)
        rows, frame = rows[free], frame.filter(free)
        sequences = sequences.take(np.flatnonzero(free))
        far = np.zeros(rows.size) if like is None else like.distance(rows, frame, sequences)
        taken.offer(rows, frame, far)
        open_ = np.flatnonzero(taken.far > 1)
    if not np.isfinite(taken.far).all():
        found = int(np.isfinite(taken.far).sum())
        raise DataError(
            reference.path,
            f"there is room for {found:,} of {lengths.size:,} random windows "
            f"of {_span(lengths)} bases",
            "give the whole genome, or ask for fewer negatives",
        )
    frame = taken.frame()
    return Drawn(frame, reference.windows(frame).sequences, int((taken.far > 1).sum()))


def _span(lengths: Int64[ndarray, " n"]) -> str:
    shortest, longest = int(lengths.min()), int(lengths.max())
    return f"{longest}" if shortest == longest else f"{shortest} to {longest}"


def _propose(
    reference: Reference, lengths: Int64[ndarray, " c"], generator: np.random.Generator
) -> pl.DataFrame:
    """Windows that begin at any base of the genome; some reach over the end of their piece."""
    held = reference.held
    starts, sizes = held["start"].to_numpy(), (held["end"] - held["start"]).to_numpy()
    bounds = np.cumsum(sizes)
    drawn = generator.integers(0, bounds[-1], size=lengths.size)
    piece = np.searchsorted(bounds, drawn, side="right")
    start = starts[piece] + drawn - (bounds - sizes)[piece]
    return pl.DataFrame(
        {
            "chrom": held["chrom"].gather(piece),
            "start": start,
            "end": start + lengths,
            "strand": np.where(generator.random(start.size) < 0.5, "+", "-").tolist(),
        }
    )


class _Taken:
    """The best window so far of each that is wanted; no place is taken twice."""

    def __init__(self, count: int) -> None:
        self.far = np.full(count, np.inf)
        self._held = pl.DataFrame(
            schema={
                "row": pl.Int64,
                "chrom": pl.String,
                "start": pl.Int64,
                "end": pl.Int64,
                "strand": pl.String,
                "far": pl.Float64,
            }
        )

    def offer(
        self, rows: Int64[ndarray, " c"], frame: pl.DataFrame, far: Float64[ndarray, " c"]
    ) -> None:
        """Take candidates that are nearer than what is held, one a window and one a place."""
        offered = frame.select(
            pl.Series("row", rows), "chrom", "start", "end", "strand", pl.Series("far", far)
        )
        best = (
            pl.concat(
                [self._held, offered.filter(pl.col("far") < pl.Series("held", self.far[rows]))]
            )
            # What is held comes first, so that its place stays taken by its own window.
            .unique(["chrom", "start"], keep="first", maintain_order=True)
            .sort("far", maintain_order=True)
            .unique("row", keep="first", maintain_order=True)
            .sort("row")
        )
        self._held = best
        self.far[best["row"].to_numpy()] = best["far"].to_numpy()

    def frame(self) -> pl.DataFrame:
        """The windows, in the order they were wanted."""
        return self._held.select("chrom", "start", "end", "strand")
