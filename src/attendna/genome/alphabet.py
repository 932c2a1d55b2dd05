"""DNA letters as uint8 codes: A 0, C 1, G 2, T 3, anything unknown (N) 4.

Every array of bases in attendna holds these codes; this file is the only one that turns letters into
codes and back. The functions work on whole buffers and run at the speed of memory.

Shapes: ``n`` bases.
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from attendna.core.errors import UserError

LETTERS = "ACGTN"
N = np.uint8(4)
"""Code of an unknown base; also what sequences of a batch are padded with."""

LetterPolicy = Literal["unknown", "error"]
"""What becomes of letters other than A, C, G, T, U: ``unknown`` reads every IUPAC ambiguity letter as
N, ``error`` refuses it. Case is ignored, U is read as T, and what is no IUPAC letter is always
refused."""

_AMBIGUOUS = "NRYSWKMBDHVX"
_REFUSED = 255
# Large enough to amortise a call, small enough that a block stays in the second-level cache.
_BLOCK = 1 << 16


class LetterError(UserError):
    """A character that cannot be read as a base.

    ``position`` counts from 0 within the text that was given.
    """

    def __init__(self, letter: str, position: int) -> None:
        self.letter = letter
        self.position = position
        super().__init__(
            f"the character {letter!r} at position {position + 1} is not one of A, C, G, T",
            "correct it, or read IUPAC letters as N with --letters unknown",
        )


def _table(policy: LetterPolicy) -> bytes:
    table = bytearray([_REFUSED]) * 256
    for code, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
        for letter in letters:
            table[ord(letter)] = code
    if policy == "unknown":
        for letter in _AMBIGUOUS + _AMBIGUOUS.lower():
            table[ord(letter)] = int(N)
    return bytes(table)


_ENCODE: dict[str, bytes] = {policy: _table(policy) for policy in ("unknown", "error")}
_DECODE = LETTERS.encode().ljust(256, b"N")


def encode(text: str | bytes, policy: LetterPolicy = "unknown") -> UInt8[ndarray, " n"]:
    """Letters to codes.

    Raises
    ------
    LetterError
        At the first character that ``policy`` does not admit.
    """
    # A character outside Latin-1 cannot be a base; the replacement "?" is refused below.
    raw = text.encode("latin-1", "replace") if isinstance(text, str) else text
    codes = np.frombuffer(raw.translate(_ENCODE[policy]), dtype=np.uint8)
    if codes.size and codes.max() == _REFUSED:
        position = int(np.argmax(codes == _REFUSED))
        letter = text[position] if isinstance(text, str) else chr(text[position])
        raise LetterError(letter, position)
    return codes


def decode(codes: UInt8[ndarray, " n"]) -> str:
    """Codes to upper-case letters."""
    return codes.tobytes().translate(_DECODE).decode("ascii")


def complement(codes: UInt8[ndarray, "..."]) -> UInt8[ndarray, "..."]:
    """Complement every base; N stays N."""
    # 3 - code for bases, and 4 ^ 3 = 7 is brought back to N; two vector instructions, no table.
    return np.minimum(codes ^ np.uint8(3), N)


def reverse_complement(codes: UInt8[ndarray, " n"]) -> UInt8[ndarray, " n"]:
    """The opposite strand, read 5' to 3'."""
    result = np.empty_like(codes)
    for start in range(0, codes.size, _BLOCK):
        block = codes[start : start + _BLOCK]
        result[codes.size - start - block.size : codes.size - start] = complement(block)[::-1]
    return result


def one_hot(codes: UInt8[ndarray, " n"]) -> UInt8[ndarray, "4 n"]:
    """One row per base A, C, G, T; an N is a column of zeros."""
    hot = np.empty((4, codes.size), dtype=np.uint8)
    for base in range(4):
        np.equal(codes, base, out=hot[base].view(np.bool_))
    return hot


class PackedBases(NamedTuple):
    """Bases at two bits each, as in .2bit files: four to a byte, first base in the lowest bits."""

    packed: UInt8[ndarray, " m"]
    length: int
    n_runs: "np.ndarray[tuple[int, int], np.dtype[np.int64]]"
    """Runs of N as rows of (start, end), half-open; the packed value there is 0."""


def pack(codes: UInt8[ndarray, " n"]) -> PackedBases:
    """Pack codes into two bits a base; where N lies is kept beside."""
    unknown = codes >= N
    edges = np.flatnonzero(np.diff(unknown, prepend=False, append=False))
    bases = codes & np.uint8(3)
    bases = np.concatenate([bases, np.zeros(-codes.size % 4, dtype=np.uint8)])
    # A little-endian word holds four codes in its bytes; the product gathers them in its top byte.
    words = bases.view("<u4")
    packed = (words * np.uint32(0x01041040) >> np.uint32(24)).astype(np.uint8)
    return PackedBases(packed, codes.size, edges.reshape(-1, 2).astype(np.int64))


_UNPACK = (
    ((np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3).astype(np.uint8).view("<u4").ravel()
)


def unpack(bases: PackedBases) -> UInt8[ndarray, " n"]:
    """The codes that :func:`pack` was given."""
    codes = _UNPACK[bases.packed].view(np.uint8)[: bases.length]
    for start, end in bases.n_runs:
        codes[start:end] = N
    return codes
