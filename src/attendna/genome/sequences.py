"""Many sequences in one flat buffer, without a Python object a sequence.

The layout is Arrow's for binary columns, so that gathering, padding and reversing are Arrow kernels
over the same memory.

Shapes: ``n`` bases in all, ``b`` sequences, ``o`` = b + 1 bounds, ``l`` bases of the longest,
``k`` rows asked for, ``g`` bases of the buffer that is cut.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int, Int64, UInt8
from numpy import ndarray

from attendna.core.errors import UserError
from attendna.genome.alphabet import LetterError, LetterPolicy, N, complement, decode_ascii, encode

ArrowColumn = Any
"""A ``pyarrow.Array``; pyarrow carries no types."""


class SequenceError(UserError):
    """A sequence of a batch holds a character that is not a base; ``row`` counts from 0."""

    def __init__(self, row: int, error: LetterError) -> None:
        self.row = row
        self.letter = error.letter
        self.position = error.position
        super().__init__(f"sequence {row + 1}: {error.problem}", error.remedy)


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Ragged sequences: ``codes[offsets[i]:offsets[i + 1]]`` are the bases of sequence ``i``.

    Offsets never fall, begin with 0 and end with the number of bases.
    """

    codes: UInt8[ndarray, " n"]
    offsets: Int64[ndarray, " o"]

    def __post_init__(self) -> None:
        ends = self.offsets[:1].tolist() + self.offsets[-1:].tolist()
        if ends != [0, self.codes.size]:
            raise ValueError(f"offsets run from and to {ends}, codes from 0 to {self.codes.size}")

    @classmethod
    def from_text(
        cls,
        sequences: Sequence[str] | pl.Series | ArrowColumn,
        policy: LetterPolicy = "unknown",
    ) -> "SequenceBatch":
        """Encode text sequences in one pass.

        Raises
        ------
        SequenceError
            At the first character that ``policy`` does not admit.
        UserError
            A sequence is missing.
        """
        letters, offsets = _flat_text(sequences)
        try:
            return cls(encode(letters, policy), offsets)
        except LetterError as error:
            row = int(np.searchsorted(offsets, error.position, side="right")) - 1
            text = letters[offsets[row] : offsets[row + 1]].tobytes().decode("utf-8", "replace")
        # Read again as text: a character outside ASCII is several bytes above.
        try:
            encode(text, policy)
        except LetterError as error:
            raise SequenceError(row, error) from None
        raise AssertionError("bytes that are refused were admitted as text")

    @classmethod
    def from_codes(cls, sequences: Iterable[UInt8[ndarray, " _"]]) -> "SequenceBatch":
        """Join separate code arrays."""
        parts = list(sequences)
        offsets = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([part.size for part in parts], out=offsets[1:])
        return cls(np.concatenate([np.empty(0, dtype=np.uint8), *parts]), offsets)

    @classmethod
    def joined(cls, batches: Sequence["SequenceBatch"]) -> "SequenceBatch":
        """The sequences of several batches, one batch after the other."""
        lengths = np.concatenate([batch.lengths for batch in batches])
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return cls(np.concatenate([batch.codes for batch in batches]), offsets)

    @classmethod
    def cut(
        cls,
        codes: UInt8[ndarray, " g"],
        starts: Int64[ndarray, " b"],
        ends: Int64[ndarray, " b"],
        before: Int64[ndarray, " b"] | None = None,
        after: Int64[ndarray, " b"] | None = None,
    ) -> "SequenceBatch":
        """Copy ``codes[start:end]`` for many stretches of one long buffer, which may overlap.

        Parameters
        ----------
        before, after
            How many N to add on the left and on the right of each stretch.
        """
        buffers = _chunks(codes, longest=int((ends - starts).max(initial=0)))
        views = _views(codes, starts, ends - starts)
        padding = [count for count in (before, after) if count is not None]
        if padding:
            unknown = np.full(max(int(count.max(initial=0)) for count in padding), N)
            columns = [
                _views(unknown, np.zeros_like(starts), count, first_buffer=len(buffers))
                for count in padding
            ]
            columns.insert(0 if before is None else 1, views)
            views = np.stack(columns, axis=1).ravel()
            buffers.append(pa.py_buffer(unknown))
        column = pa.Array.from_buffers(
            pa.binary_view(), views.size, [None, pa.py_buffer(views), *buffers]
        )
        # Turning views into a plain column makes Arrow copy every stretch to its place.
        parts = _from_arrow(column.cast(pa.large_binary()))
        return cls(parts.codes, np.ascontiguousarray(parts.offsets[:: 1 + len(padding)]))

    @property
    def lengths(self) -> Int64[ndarray, " b"]:
        """Bases of each sequence."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, row: int) -> UInt8[ndarray, " _"]:
        row = range(len(self))[row]
        return self.codes[self.offsets[row] : self.offsets[row + 1]]

    def take(
        self, rows: Sequence[int] | Int[ndarray, " k"] | Bool[ndarray, " b"]
    ) -> "SequenceBatch":
        """The sequences at ``rows`` in that order, or where a mask is true.

        Raises
        ------
        IndexError
            A row is negative or there is none of that number.
        """
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64, copy=False)
        places = _wrapped(pa.int64(), np.ascontiguousarray(rows), rows.size)
        return _from_arrow(self._to_arrow(pa.large_binary()).take(places))

    def padded(self) -> tuple[UInt8[ndarray, "b l"], Int64[ndarray, " b"]]:
        """A rectangle padded with N on the right, and the true lengths."""
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        # Arrow pads text; to its ASCII kernels codes are as good as letters.
        text = self._to_arrow(pa.large_string())
        filled = pc.ascii_rpad(text, width=longest, padding=chr(N))  # pyright: ignore[reportAttributeAccessIssue]
        return _from_arrow(filled).codes.reshape(len(self), longest), lengths

    def rectangle(self) -> UInt8[ndarray, "b l"]:
        """Sequences of one common length as rows, without a copy.

        Raises
        ------
        ValueError
            Lengths differ.
        """
        lengths = self.lengths
        if lengths.size and lengths.min() != lengths.max():
            raise ValueError(f"lengths differ, from {lengths.min()} to {lengths.max()}")
        return self.codes.reshape(len(self), lengths[0] if lengths.size else 0)

    def reverse_complement(self, where: Bool[ndarray, " b"] | None = None) -> "SequenceBatch":
        """Every sequence, or those where a mask is true, replaced by its opposite strand."""
        if where is not None and not where.any():
            return self
        opposite = SequenceBatch(complement(self.codes), self.offsets)
        column = opposite._to_arrow(pa.large_binary())
        column = pc.binary_reverse(column)  # pyright: ignore[reportAttributeAccessIssue]
        if where is not None and not where.all():
            same = self._to_arrow(pa.large_binary())
            marks = _wrapped(pa.bool_(), np.packbits(where, bitorder="little"), where.size)
            column = pc.if_else(marks, column, same)  # pyright: ignore[reportAttributeAccessIssue]
        return _from_arrow(column)

    def to_text(self) -> list[str]:
        """Upper-case letters of every sequence."""
        return self.to_series().to_list()

    def to_series(self) -> pl.Series:
        """Upper-case letters as a Polars column, without a Python string a sequence."""
        letters = SequenceBatch(decode_ascii(self.codes), self.offsets)
        return cast("pl.Series", pl.from_arrow(letters._to_arrow(pa.large_string())))

    def _to_arrow(self, kind: Any) -> ArrowColumn:
        """The same memory as an Arrow column."""
        buffers = [None, *map(pa.py_buffer, (np.ascontiguousarray(self.offsets), self.codes))]
        return pa.Array.from_buffers(kind, len(self), buffers)


def _wrapped(kind: Any, values: ndarray, size: int) -> ArrowColumn:
    """Values as Arrow lays them out: its own way from NumPy imports pandas, for seconds."""
    return pa.Array.from_buffers(kind, size, [None, pa.py_buffer(values)])


def _from_arrow(column: ArrowColumn) -> SequenceBatch:
    """The same memory as a batch; ``column`` is of a large binary or text type, with no nulls."""
    values, offsets = _buffers(column)
    return SequenceBatch(values, offsets)


def _buffers(column: ArrowColumn) -> tuple[UInt8[ndarray, " n"], Int64[ndarray, " o"]]:
    if not len(column):
        return np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    _, bounds, data = column.buffers()
    offsets = np.frombuffer(bounds, dtype=np.int64)[column.offset :][: len(column) + 1]
    values = np.frombuffer(data or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
    return values, offsets - offsets[0]


# How Arrow lays out a view of bytes: up to 12 bytes inside the view itself, longer ones by their
# first four bytes, the buffer they lie in, and a 32-bit offset there.
_VIEW = np.dtype(
    [("length", np.int32), ("head", np.uint8, 4), ("buffer", np.int32), ("offset", np.int32)]
)
_INSIDE = 12
_CHUNK_BITS = 30


def _views(
    codes: UInt8[ndarray, " g"],
    starts: Int64[ndarray, " b"],
    lengths: Int64[ndarray, " b"],
    first_buffer: int = 0,
) -> ndarray:
    """Arrow views of ``codes[start:start + length]``, in the buffers that :func:`_chunks` makes."""
    views = np.zeros(starts.size, dtype=_VIEW)
    views["length"] = lengths
    short = lengths <= _INSIDE
    places = starts[~short]
    views["head"][~short] = codes[places[:, None] + np.arange(4)]
    views["buffer"][~short] = first_buffer + (places >> _CHUNK_BITS)
    views["offset"][~short] = places & ((1 << _CHUNK_BITS) - 1)
    if codes.size and short.any():
        ranks = np.arange(_INSIDE)
        index = np.minimum(starts[short, None] + ranks, codes.size - 1)
        inline = np.where(ranks < lengths[short, None], codes[index], 0)
        views.view(np.uint8).reshape(-1, _VIEW.itemsize)[short, 4:] = inline
    return views


def _chunks(codes: UInt8[ndarray, " g"], longest: int) -> list[Any]:
    """Buffers from every 2^30th base on, each with the ``longest`` stretch that starts in it."""
    size = 1 << _CHUNK_BITS
    if longest >= size:
        raise ValueError(f"a stretch of {longest} bases is too long to be cut")
    starts = range(0, codes.size, size)
    return [pa.py_buffer(codes[start : start + size + longest]) for start in starts]


def _flat_text(
    sequences: Sequence[str] | pl.Series | ArrowColumn,
) -> tuple[UInt8[ndarray, " n"], Int64[ndarray, " o"]]:
    """The letters of all sequences in one buffer, and where each starts."""
    column: Any = sequences.to_arrow() if isinstance(sequences, pl.Series) else sequences
    if not isinstance(column, pa.Array):
        column = pa.array(list(cast("Sequence[str]", column)), type=pa.large_string())
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise UserError(
            f"sequence {row + 1} is missing, {column.null_count} in all", "remove the empty rows"
        )
    return _buffers(column.cast(pa.large_string()))
