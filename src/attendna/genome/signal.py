"""Signal along the genome: bigWig files, many windows at a time, in bins.

Coordinates are 0-based and half-open. A base that the file does not mention is without data, which
is not zero unless the user says so.

Shapes: ``k`` windows, ``b`` bins, ``n`` bases.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from attendna.core.errors import DataError, MissingExtraError
from attendna.core.registry import near_misses
from attendna.genome.big_wig import MAGIC, check_big_wig
from attendna.genome.contigs import ContigNames, numbered
from attendna.genome.reference import WindowError

Aggregate = Literal["mean", "sum", "max", "min"]
"""What a bin tells of its bases."""

NoData = Literal["nan", "zero"]
"""What bases without data are: unknown, so that bins tell of the others, and are NaN where there
are none; or zero, as in tracks of coverage, so that every base counts."""

AbsentContig = Literal["error", "no_data"]
"""What becomes of a window on a contig that the file lacks: it is refused, or without data."""

_CHUNK = 1 << 23


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of many windows, and how many of them say nothing."""

    values: Float32[ndarray, "k b"]
    empty: int
    """Bins without a base that has data."""
    absent: int
    """Windows on contigs that the file lacks."""
    over: int
    """Windows that reach over an end of their contig, where there are no data."""


def open_signal(path: str | Path) -> "Signal":
    """Open a bigWig file.

    Raises
    ------
    DataError
        The file is missing, damaged or no bigWig.
    MissingExtraError
        The package pybigtools is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    with path.open("rb") as stream:
        if stream.read(4) not in MAGIC:
            raise DataError(path, "this is no bigWig", "give a .bw or .bigWig file")
    check_big_wig(path)
    return Signal(path)


class Signal:
    """A track of numbers along a genome that gives bins, many windows at a time.

    Every process opens the file for itself: it may be used after a fork, and be sent to others.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process = -1
        self.lengths: Mapping[str, int] = _explained(path, self._reader().chroms)
        """Bases of every contig in the file, whether it has data or not."""
        self._contigs = list(self.lengths)
        self._names = ContigNames(self._contigs)

    def __reduce__(self) -> tuple[Any, ...]:
        return open_signal, (self.path,)

    def _reader(self) -> Any:
        if self._process != os.getpid():
            self._open, self._process = _opened(self.path), os.getpid()
        return self._open

    def bins(
        self,
        windows: pl.DataFrame,
        bins: int | None = None,
        *,
        aggregate: Aggregate = "mean",
        no_data: NoData = "nan",
        absent_contig: AbsentContig = "error",
    ) -> Bins:
        """Cut every window into bins and aggregate the bases of each.

        Parameters
        ----------
        windows
            Columns ``chrom``, ``start``, ``end`` and, where it matters, ``strand``: the bins of
            ``-`` are in reverse. Contigs may be called after another naming style than the file's.
        bins
            How many bins a window has; by default one a base, if all windows have one width. In a
            window of ``w`` bases bin ``i`` reaches from base ``i * w // bins`` to
            ``(i + 1) * w // bins``.

        Raises
        ------
        WindowError
            A window is empty, has fewer bases than bins, lies on a contig that the file lacks and
            ``absent_contig`` is ``"error"``, or beyond the end of its contig.
        DataError
            The file is damaged.
        """
        contig, start, end = self._places(windows)
        width = end - start
        count = int(width[0]) if bins is None and width.size else bins or 1
        self._refuse(windows, contig, width, count, absent_contig, one_width=bins is None)
        length = np.array([*self.lengths.values(), 0], dtype=np.int64)[contig]
        beyond = (contig >= 0) & ((start >= length) | (end <= 0))
        if beyond.any():
            row = int(np.argmax(beyond))
            _refuse(windows, row, "it lies beyond its contig", "check the build")
        values = np.empty((width.size, count), dtype=np.float32)
        empty = 0
        for rows in _chunks(width):
            bases = self._bases(contig[rows], start[rows], end[rows])
            chunk, hollow = _aggregate(bases, width[rows], count, aggregate, no_data)
            values[rows] = chunk
            empty += hollow
        if "strand" in windows.columns:
            strand = windows["strand"].to_arrow()
            minus = numbered(strand, lambda name: int(name == "-"), null=0) == 1
            values[minus] = values[minus, ::-1]
        return Bins(
            values=values,
            empty=empty,
            absent=int((contig < 0).sum()),
            over=int(((contig >= 0) & ((start < 0) | (end > length))).sum()),
        )

    def _places(
        self, windows: pl.DataFrame
    ) -> tuple[Int64[ndarray, " k"], Int64[ndarray, " k"], Int64[ndarray, " k"]]:
        """Contig (-1 where the file lacks it), start and end of every window."""
        # Nothing here is left to Polars: its threads do not survive the fork of a process.
        contig = numbered(windows["chrom"].to_arrow(), self._names.number, null=-1)
        start, end = (
            windows[name].to_arrow().cast(pa.int64()).fill_null(0).to_numpy()
            for name in ("start", "end")
        )
        return contig, start, end

    def _refuse(
        self,
        windows: pl.DataFrame,
        contig: Int64[ndarray, " k"],
        width: Int64[ndarray, " k"],
        bins: int,
        absent_contig: AbsentContig,
        *,
        one_width: bool,
    ) -> None:
        """Raise for the first window that is refused, whatever for."""
        bad = width < max(bins, 1)
        if one_width:
            bad |= width != bins
        if absent_contig == "error":
            bad |= contig < 0
        if not bad.any():
            return
        row = int(np.argmax(bad))
        if width[row] <= 0:
            _refuse(windows, row, "it has no bases", "give 0-based start < end")
        if one_width and width[row] != bins:
            problem = f"it has {width[row]} bases and the first has {bins}"
            _refuse(windows, row, problem, "give the number of bins, or windows of one width")
        if width[row] < bins:
            _refuse(windows, row, f"{bins} bins for {width[row]} bases", "ask for fewer bins")
        name = str(windows["chrom"][row])
        problem = f"{self.path.name} has no contig {name}"
        remedy = near_misses(name, self._contigs) + ", or count absent contigs as without data"
        _refuse(windows, row, problem, remedy)

    def _bases(
        self, contig: Int64[ndarray, " k"], start: Int64[ndarray, " k"], end: Int64[ndarray, " k"]
    ) -> Float64[ndarray, " n"]:
        """The value of every base of some windows, one window after the other; NaN without data."""
        reader = self._reader()
        parts = [
            np.full(last - first, np.nan)
            if number < 0
            else _explained(
                self.path, reader.values, self._contigs[number], first, last, fillna=None
            )
            for number, first, last in zip(
                contig.tolist(), start.tolist(), end.tolist(), strict=True
            )
        ]
        return np.concatenate(parts)


def _opened(path: Path) -> Any:
    try:
        import pybigtools
    except ImportError:
        raise MissingExtraError("pybigtools", "signal", "reading bigWig files") from None
    return _explained(path, pybigtools.open, str(path))


def _explained(path: Path, function: Any, *arguments: Any, **options: Any) -> Any:
    """Call into pybigtools; what it says of a damaged file becomes one line."""
    try:
        return function(*arguments, **options)
    except Exception as error:
        raise DataError(path, "damaged or cut short", "copy it again") from error
    except BaseException as error:
        # Rust's panics are no Exceptions.
        if type(error).__name__ != "PanicException":
            raise
        raise DataError(path, "damaged or cut short", "copy it again") from error


def _refuse(windows: pl.DataFrame, row: int, problem: str, remedy: str) -> None:
    chrom, start, end = windows.select("chrom", "start", "end").row(row)
    raise WindowError(row, f"window {row + 1}, {chrom}:{start}-{end}: {problem}", remedy)


def _chunks(width: Int64[ndarray, " k"]) -> Iterator[slice]:
    """Runs of windows that have few enough bases to be in memory together."""
    begin, total = 0, np.cumsum(width)
    while begin < width.size:
        before = int(total[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(total, before + _CHUNK, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end


def _aggregate(
    bases: Float64[ndarray, " n"],
    width: Int64[ndarray, " k"],
    bins: int,
    aggregate: Aggregate,
    no_data: NoData,
) -> tuple[Float32[ndarray, "k b"], int]:
    """Bins of windows that lie end to end, and how many have no base with data."""
    first = np.cumsum(width) - width
    edges = (first[:, None] + np.arange(bins) * width[:, None] // bins).ravel()
    size = np.diff(np.append(edges, bases.size))
    is_known: Bool[ndarray, " n"] = ~np.isnan(bases)
    known = np.add.reduceat(is_known, edges, dtype=np.int64)
    if no_data == "zero":
        is_known = np.ones_like(is_known)
        bases = np.nan_to_num(bases, nan=0.0, posinf=np.inf, neginf=-np.inf)
    counted = size if no_data == "zero" else known
    neutral = {"max": -np.inf, "min": np.inf}.get(aggregate, 0.0)
    filled = np.where(is_known, bases, neutral)
    function = {"max": np.maximum, "min": np.minimum}.get(aggregate, np.add)
    values = function.reduceat(filled, edges)
    if aggregate == "mean":
        values = values / np.maximum(counted, 1)
    values[counted == 0] = np.nan
    return values.astype(np.float32).reshape(width.size, bins), int((known == 0).sum())
