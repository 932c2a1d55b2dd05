"""Many sequences in one flat buffer: the Arrow layout, without a Python object a sequence.

Shapes: ``n`` bases in all, ``b`` sequences, ``edges`` = b + 1, ``l`` bases of the longest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int64, Integer, UInt8
from numpy import ndarray

from attendna.core.errors import UserError
from attendna.genome.alphabet import (
    LetterError,
    LetterPolicy,
    N,
    decode,
    encode,
    reverse_complement,
)

# PyArrow has no type stubs, so to a type checker its arrays are Any.
if TYPE_CHECKING:
    ArrowArray: TypeAlias = Any
else:
    ArrowArray = pa.Array | pa.ChunkedArray


class SequenceError(UserError):
    """A sequence of a batch holds a character that is not a base; ``row`` counts from 0."""

    def __init__(self, row: int, error: LetterError) -> None:
        self.row = row
        self.letter = error.letter
        self.position = error.position
        super().__init__(f"sequence {row + 1}: {error.problem}", error.remedy)


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Ragged sequences: ``codes[offsets[i]:offsets[i + 1]]`` are the bases of sequence ``i``."""

    codes: UInt8[ndarray, " n"]
    offsets: Int64[ndarray, " edges"]

    @classmethod
    def from_text(
        cls,
        sequences: "Sequence[str] | pl.Series | ArrowArray",
        policy: LetterPolicy = "unknown",
    ) -> "SequenceBatch":
        """Encode text sequences in one pass.

        Raises
        ------
        SequenceError
            At the first character that ``policy`` does not admit.
        """
        data, offsets = _flat_text(sequences)
        try:
            return cls(encode(data, policy), offsets)
        except LetterError as error:
            row = int(np.searchsorted(offsets, error.position, side="right")) - 1
            inner = LetterError(error.letter, error.position - int(offsets[row]))
            raise SequenceError(row, inner) from None

    @classmethod
    def from_codes(cls, sequences: Iterable[UInt8[ndarray, " _"]]) -> "SequenceBatch":
        """Join separate code arrays."""
        parts = list(sequences)
        offsets = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([part.size for part in parts], out=offsets[1:])
        codes = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint8)
        return cls(codes.astype(np.uint8, copy=False), offsets)

    @property
    def lengths(self) -> Int64[ndarray, " b"]:
        """Bases of each sequence."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, row: int) -> UInt8[ndarray, " _"]:
        return self.codes[self.offsets[row] : self.offsets[row + 1]]

    def take(self, rows: 'Sequence[int] | Integer[ndarray, " m"]') -> "SequenceBatch":
        """The sequences at ``rows``, in that order."""
        rows = np.asarray(rows, dtype=np.int64)
        lengths = self.lengths[rows]
        offsets = np.zeros(rows.size + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # Position of every output base in the flat buffer: its row's start plus its own rank.
        index = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return SequenceBatch(self.codes[index], offsets)

    def padded(self) -> tuple[UInt8[ndarray, "b l"], Int64[ndarray, " b"]]:
        """A rectangle padded with N on the right, and the true lengths."""
        lengths = self.lengths
        columns = np.arange(int(lengths.max(initial=0)))
        inside = columns < lengths[:, None]
        rectangle = np.full(inside.shape, N, dtype=np.uint8)
        rectangle[inside] = self.codes
        return rectangle, lengths

    def reverse_complement(self) -> "SequenceBatch":
        """Every sequence replaced by its opposite strand; the order of sequences stays."""
        # Reversing the whole buffer reverses each sequence and also their order.
        flipped = SequenceBatch(
            reverse_complement(self.codes), (self.offsets[-1] - self.offsets)[::-1].copy()
        )
        return flipped.take(np.arange(len(self))[::-1])

    def to_text(self) -> list[str]:
        """Upper-case letters of every sequence."""
        text = decode(self.codes)
        bounds = self.offsets.tolist()
        return [text[start:end] for start, end in pairwise(bounds)]

    def to_series(self) -> pl.Series:
        """The same as a Polars column, without a Python string a sequence."""
        text = decode(self.codes).encode()
        buffers = [None, pa.py_buffer(self.offsets), pa.py_buffer(text)]
        array = pa.Array.from_buffers(pa.large_string(), len(self), buffers)
        return cast("pl.Series", pl.from_arrow(array))


def _flat_text(
    sequences: "Sequence[str] | pl.Series | ArrowArray",
) -> tuple[bytes, Int64[ndarray, " edges"]]:
    """The letters of all sequences in one buffer, and where each starts."""
    array: Any = sequences.to_arrow() if isinstance(sequences, pl.Series) else sequences
    if not isinstance(array, pa.Array | pa.ChunkedArray):
        array = pa.array(list(cast("Sequence[str]", sequences)), type=pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.null_count:
        raise UserError(f"{array.null_count} sequences are missing", "remove the empty rows")
    # Polars hands out string views; the large layout has the offsets we keep.
    array = array.cast(pa.large_string())
    _, offset_buffer, data = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[
        array.offset : array.offset + len(array) + 1
    ]
    if not len(array):
        return b"", np.zeros(1, dtype=np.int64)
    raw = data.slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes() if data else b""
    return raw, offsets - offsets[0]
