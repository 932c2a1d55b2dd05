"""How far a model of tracks sees: what one changed base does to every bin.

A window of random bases is predicted, one base in it is replaced by a random other one, and the
window is predicted again; the mean over many windows says which bins know of which place.

Source: the S-Enformer report, Figure 8.

Shapes: ``N`` sequences, ``P`` positions, ``b`` bins that are predicted, ``m``
substitutions.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from attendna.models.track_model import TrackModel

POSITIONS, SEQUENCES = 9, 100
MARGIN = 3
"""Times the rounding that an effect must be to count as resolved."""
STEPS = 24
"""Steps of distance, evenly spaced on a logarithmic scale."""


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """Mean absolute change over all tracks by one changed base.

    ``changes[p, b]`` is that of bin ``b`` for the base at ``positions[p]``, over all sequences, and
    ``errors`` its standard error. ``distant[n, p]`` is the mean over the bins that the base reaches
    through attention only, of sequence ``n``.
    """

    positions: Int64[ndarray, " P"]
    changes: Float64[ndarray, "P b"]
    errors: Float64[ndarray, "P b"]
    distant: Float64[ndarray, "N P"]
    noise: float
    """Resolution: by how much the changes in the first window differ, on average, from the same
    in float64; of a model in float64, the rounding of the mean prediction."""
    level: float
    """Mean of what is predicted."""
    head: str
    length: int
    bin: int
    near: int
    """Bins to either side that a base reaches without attention."""

    @property
    def first(self) -> int:
        """Number of the first bin that is predicted, counted from the start of the window."""
        return (self.length // self.bin - self.changes.shape[1]) // 2

    @cached_property
    def apart(self) -> Int64[ndarray, "P b"]:
        """Bins from the changed base's to each; negative to its left."""
        bins = self.first + np.arange(self.changes.shape[1])
        return bins - self.positions[:, None] // self.bin

    @property
    def effects(self) -> Float64[ndarray, " P"]:
        """Of each position: the mean change of the bins that only attention reaches."""
        return self.distant.mean(axis=0)

    @property
    def resolved(self) -> Bool[ndarray, " P"]:
        """Of each position: whether its effect is above what rounding makes of nothing."""
        return self.effects > MARGIN * self.noise

    def balance(self) -> tuple[float, float]:
        """Effect of the positions left of the middle over that of those right of it, and its error.

        The error is the standard error over sequences, by leaving out each in turn.
        """
        half = len(self.positions) // 2
        left, right = self.distant[:, :half].sum(axis=1), self.distant[:, -half:].sum(axis=1)
        # A ratio of what rounding leaves says nothing.
        both = half and self.resolved[:half].any() and self.resolved[-half:].any()
        if not both:
            return float("nan"), float("nan")
        without = (left.sum() - left) / (right.sum() - right) if len(left) > 1 else np.zeros(0)
        error = np.sqrt((len(left) - 1) * without.var()) if without.size else np.nan
        return float(left.sum() / right.sum()), float(error)

    def by_distance(self) -> pl.DataFrame:
        """Mean change by ``side`` of the base, and ``distance`` from it in bases."""
        cells = pl.DataFrame({"apart": self.apart.ravel(), "change": self.changes.ravel()})
        width = np.log2(self.length // self.bin) / STEPS
        apart = pl.col("apart").abs()
        return (
            cells.filter(apart > 0)
            .with_columns(
                side=pl.when(pl.col("apart") < 0).then(pl.lit("left")).otherwise(pl.lit("right")),
                step=(apart.cast(pl.Float64).log(2.0) / width).floor(),
            )
            .group_by("side", "step")
            .agg(distance=apart.mean() * self.bin, change=pl.col("change").mean())
            .sort("side", "step")
            .drop("step")
        )

    def to_frame(self) -> pl.DataFrame:
        """A row a position and bin: ``position, bin, start, distance, change, standard_error``.

        ``start`` is the bin's first base, ``distance`` that of its middle from the changed base.
        """
        count = self.changes.shape[1]
        position = np.repeat(self.positions, count)
        number = np.tile(np.arange(count), len(self.positions))
        start = (self.first + number) * self.bin
        return pl.DataFrame(
            {
                "position": position,
                "bin": number,
                "start": start,
                "distance": start + self.bin // 2 - position,
                "change": self.changes.ravel(),
                "standard_error": self.errors.ravel(),
            }
        )

    def summary(self) -> dict[str, Any]:
        """The few numbers that say most."""
        ratio, error = self.balance()
        return {
            "head": self.head,
            "length": self.length,
            "bin": self.bin,
            "near": self.near,
            "sequences": len(self.distant),
            "positions": self.positions.tolist(),
            "effects": self.effects.tolist(),
            "resolved": self.resolved.tolist(),
            "left_over_right": ratio,
            "left_over_right_error": error,
            "noise": self.noise,
            "level": self.level,
        }


def equally_spaced(length: int, count: int) -> Int64[ndarray, " P"]:
    """Positions from the first to the last base, mirrored about the middle."""
    steps = np.arange(count)
    ahead = steps * (length - 1) // max(1, count - 1)
    return np.where(steps < count / 2, ahead, length - 1 - ahead[::-1])


def receptive_field(
    model: TrackModel,
    length: int,
    head: str,
    *,
    positions: int = POSITIONS,
    sequences: int = SEQUENCES,
    batch: int = 4,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ReceptiveField:
    """Change single bases of random windows.

    Parameters
    ----------
    model
        In evaluation mode, on the device it is to be computed on.
    length
        Bases of the windows.
    batch
        Windows computed at a time.
    progress
        Told how many sequences are done.

    Raises
    ------
    UserError
        The model reads no windows of that length.
    """
    bins = model.predicted_bins(length)
    places = equally_spaced(length, positions)
    random = np.random.default_rng(seed)
    first = (length // model.bin - bins) // 2
    apart = np.abs(first + np.arange(bins) - places[:, None] // model.bin)
    far = apart > model.near
    total, squares = np.zeros((positions, bins)), np.zeros((positions, bins))
    distant, noise, level = np.zeros((sequences, positions)), 0.0, 0.0
    for row in range(sequences):
        codes = random.integers(0, 4, length, dtype=np.uint8)
        others = (codes[places] + random.integers(1, 4, positions, dtype=np.uint8)) % 4
        # The window as it is comes first, for comparison.
        at = np.concatenate([places[:1], places])
        window = codes, at, np.concatenate([codes[places[:1]], others])
        changes, mean = _changes(model, window, head, batch)
        level += mean / sequences
        if not row:
            noise = _rounding(model, window, head, batch, changes)
        total += changes
        squares += changes**2
        distant[row] = (changes * far).sum(axis=1) / np.maximum(far.sum(axis=1), 1)
        if progress:
            progress(1)
    mean = total / sequences
    spread = np.maximum(squares / sequences - mean**2, 0)
    errors = np.sqrt(spread / (sequences - 1)) if sequences > 1 else np.full_like(mean, np.nan)
    return ReceptiveField(
        places, mean, errors, distant, noise, level, head, length, model.bin, model.near
    )


def _rounding(
    model: TrackModel, window: tuple[ndarray, ...], head: str, batch: int, changes: ndarray
) -> float:
    """By how much changes differ from the same in float64."""
    exact, level = _changes(copy.deepcopy(model).double(), window, head, batch)
    if next(model.parameters()).dtype == torch.float64:
        return abs(level) * float(np.finfo(np.float64).eps)
    return float(np.abs(changes - exact).mean())


@torch.inference_mode()
def _changes(
    model: TrackModel, window: tuple[ndarray, ...], head: str, batch: int
) -> tuple[Float64[ndarray, "m b"], float]:
    """Mean absolute change over tracks by each substitution, and the mean prediction.

    ``window`` is its bases, and the places and letters of the substitutions. The first is none,
    and what the others are compared to; it has no row.
    """
    device = next(model.parameters()).device
    codes, places, letters = (torch.from_numpy(part).to(device) for part in window)
    parts: list[torch.Tensor] = []
    reference = torch.empty(0)
    for part in model.predict_substitutions(codes, places, letters, head, batch):
        if not parts:
            reference = part[:1].clone()
        parts.append((part - reference).abs().mean(2))
    return torch.cat(parts)[1:].double().cpu().numpy(), float(reference.mean())
