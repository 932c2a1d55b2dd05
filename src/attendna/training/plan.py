"""From measured memory to the longest window that fits: curves through points, and beyond them.

Nothing here needs torch, so that pages can be made without it.

Shapes: ``n`` lengths that were measured.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64
from numpy import ndarray
from scipy.optimize import nnls

from attendna.core.errors import ConfigError

GB = 10**9
GPUS = (16 * GB, 24 * GB, 40 * GB, 80 * GB)
"""Memory of common GPUs. As decimal gigabytes they leave some for the driver."""

LEAST = 3
"""Lengths that a curve needs."""

ALIKE = 0.01
"""Relative difference up to which two costs are the same."""

_KEYS = ("mode", "attention", "layers")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12} | {
    "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40,
}  # fmt: skip


def parse_bytes(text: str) -> int:
    """Bytes of a size as people write it: ``24GB`` (10^9 each), ``16GiB`` (2^30 each), ``800MB``.

    Raises
    ------
    ConfigError
        It is no size.
    """
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([kmgt]?i?)b?", text.strip().lower())
    if not found or found[2] not in _UNITS or float(found[1]) <= 0:
        raise ConfigError(f"{text!r} is no size of memory", "write it as 24GB or 800MB")
    return int(float(found[1]) * _UNITS[found[2]])


@dataclass(frozen=True)
class Fit:
    """``bytes = fixed + linear * length + quadratic * length ** 2``, through measured points."""

    mode: str
    attention: str
    layers: int
    fixed: float
    linear: float
    """Bytes a base."""
    quadratic: float
    """Bytes a pair of bases."""
    points: int
    error: float
    """Greatest relative error at a measured point."""
    ahead: float | None
    """Relative error at the longest point of the curve through all the others; none of three."""
    longest: int
    """Bases of the longest point measured."""

    def bytes_at(self, length: int) -> float:
        """What the curve says of a length."""
        return self.fixed + self.linear * length + self.quadratic * length**2

    def longest_within(self, memory: int, step: int) -> int | None:
        """The longest multiple of ``step`` bases that needs no more; none where memory never ends.

        Zero where even the weights are too much.
        """
        left = memory - self.fixed
        if left < 0:
            return 0
        if self.quadratic > 0:
            root = math.sqrt(self.linear**2 + 4 * self.quadratic * left)
            # The usual form of the root subtracts nearly equal numbers where the square is small.
            length = 2 * left / (self.linear + root)
        elif self.linear > 0:
            length = left / self.linear
        else:
            return None
        return int(length / step) * step


def fit_memory(rows: pl.DataFrame) -> Iterator[Fit]:
    """A curve for each mode, kind of attention and number of layers that has lengths enough.

    Where a longer window needed less than a shorter one, another way of computing took over, and
    the curve goes through what is longer only.
    """
    measured = rows.filter(status="measured").sort("length")
    for key, group in measured.group_by(*_KEYS, maintain_order=True):
        lengths = group["length"].to_numpy().astype(np.float64)
        needed = group["peak_bytes"].to_numpy().astype(np.float64)
        falls = np.flatnonzero(np.diff(needed) < 0)
        if falls.size:
            lengths, needed = lengths[falls[-1] + 1 :], needed[falls[-1] + 1 :]
        if lengths.size < LEAST:
            continue
        factors = _fit(lengths, needed)
        error = np.abs(_curve(lengths, factors) / needed - 1).max()
        ahead = None
        if lengths.size > LEAST:
            blind = _fit(lengths[:-1], needed[:-1])
            ahead = float((_curve(lengths[-1:], blind) / needed[-1:] - 1)[0])
        mode, attention, layers = key
        fixed, linear, quadratic = factors.tolist()
        yield Fit(
            str(mode), str(attention), int(str(layers)), fixed, linear, quadratic,
            lengths.size, float(error), ahead, int(lengths[-1]),
        )  # fmt: skip


def _fit(lengths: Float64[ndarray, " n"], needed: Float64[ndarray, " n"]) -> Float64[ndarray, "3"]:
    """Factors of 1, L and L^2, none negative, by relative least squares."""
    scale = lengths.max()
    terms = (lengths[:, None] / scale) ** np.arange(3)
    factors, _ = nnls(terms / needed[:, None], np.ones(lengths.size))
    return factors / scale ** np.arange(3)


def _curve(
    lengths: Float64[ndarray, " n"], factors: Float64[ndarray, "3"]
) -> Float64[ndarray, " n"]:
    return lengths[:, None] ** np.arange(3) @ factors


def plan(fits: Sequence[Fit], memory: int, step: int) -> list[dict[str, Any]]:
    """For each curve and each size of memory, the longest window."""
    sizes = sorted({memory, *GPUS})
    rows: list[dict[str, Any]] = []
    for fit in fits:
        for size in sizes:
            longest = fit.longest_within(size, step)
            rows.append(
                {
                    "mode": fit.mode,
                    "attention": fit.attention,
                    "layers": fit.layers,
                    "memory": size,
                    "longest": longest,
                    "extrapolated": longest is None or longest > fit.longest,
                }
            )
    return rows


def per_layer(rows: pl.DataFrame) -> pl.DataFrame:
    """What one more layer adds to memory and time: ``mode, attention, length``, and the two."""
    measured = rows.filter(status="measured")
    depth = pl.col("layers").cast(pl.Float64)

    def slope(column: str) -> pl.Expr:
        value = pl.col(column).cast(pl.Float64)
        return (pl.cov(depth, value) / depth.var()).alias(column)

    return (
        measured.group_by("mode", "attention", "length")
        .agg(slope("peak_bytes"), slope("seconds"), number=pl.col("layers").n_unique())
        .filter(pl.col("number") > 1)
        .drop("number")
        .sort("mode", "attention", "length")
    )


@dataclass(frozen=True)
class Crossover:
    """Where sparse attention becomes cheaper than dense."""

    length: float | None
    """Bases; none where it is not between two measured lengths."""
    says: str


def crossover(rows: pl.DataFrame, column: str) -> Crossover | None:
    """Compare the two kinds at the lengths that both were measured at.

    Parameters
    ----------
    rows
        One mode and number of layers: ``attention, length`` and ``column``.

    Returns
    -------
    Crossover or None
        None where no length was measured of both.
    """
    both = (
        rows.pivot("attention", index="length", values=column)
        .sort("length")
        .select("length", pl.col("^(dense|sparse)$"))
        .drop_nulls()
    )
    if both.is_empty() or both.width < 3:
        return None
    lengths = both["length"].to_numpy().astype(np.float64)
    dense, sparse = (both[k].to_numpy().astype(np.float64) for k in ("dense", "sparse"))
    dearer = sparse > dense * (1 + ALIKE)
    if not dearer.any():
        return Crossover(None, f"sparse is never dearer, from {lengths[0]:,.0f} bp up")
    if dearer[-1]:
        return Crossover(None, f"sparse is still dearer at {lengths[-1]:,.0f} bp")
    last = int(np.flatnonzero(dearer)[-1])
    over, under = sparse[last] - dense[last], dense[last + 1] - sparse[last + 1]
    # Between the two lengths the difference is taken to change evenly.
    share = over / (over + max(under, 0.0))
    length = float(lengths[last] + share * (lengths[last + 1] - lengths[last]))
    return Crossover(length, f"sparse is cheaper from about {length:,.0f} bp up")
