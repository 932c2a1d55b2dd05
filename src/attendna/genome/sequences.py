"""Many sequences in one flat buffer, without a Python object a sequence.

The layout is Arrow's for binary columns, so that gathering, padding and reversing are Arrow kernels
over the same memory.

Shapes: ``n`` bases in all, ``b`` sequences, ``o`` = b + 1 bounds, ``l`` bases of the longest,
``k`` rows asked for.
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
        return _from_arrow(self._to_arrow(pa.large_binary()).take(pa.array(rows)))

    def padded(self) -> tuple[UInt8[ndarray, "b l"], Int64[ndarray, " b"]]:
        """A rectangle padded with N on the right, and the true lengths."""
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        # Arrow pads text; to its ASCII kernels codes are as good as letters.
        text = self._to_arrow(pa.large_string())
        filled = pc.ascii_rpad(text, width=longest, padding=chr(N))  # pyright: ignore[reportAttributeAccessIssue]
        return _from_arrow(filled).codes.reshape(len(self), longest), lengths

    def reverse_complement(self) -> "SequenceBatch":
        """Every sequence replaced by its opposite strand; the order of sequences stays."""
        opposite = SequenceBatch(complement(self.codes), self.offsets)
        column = opposite._to_arrow(pa.large_binary())
        return _from_arrow(pc.binary_reverse(column))  # pyright: ignore[reportAttributeAccessIssue]

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
