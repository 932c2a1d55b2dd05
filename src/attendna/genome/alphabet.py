"""DNA letters as uint8 codes: A 0, C 1, G 2, T 3, anything unknown (N) 4.

Every array of bases in attendna holds these codes; this file is the only one that turns letters
into codes and back. The functions take whole buffers and work through them in blocks that stay in
the cache, with a few vector instructions a base.

Shapes: ``n`` bases, ``m`` bytes of four bases each, ``r`` runs.
"""

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt16
from numpy import ndarray

from attendna.core.errors import UserError

LETTERS = "ACGTN"
N = np.uint8(4)
"""Code of an unknown base; also what sequences of a batch are padded with."""

LetterPolicy = Literal["unknown", "error"]
"""What becomes of the IUPAC ambiguity letters R, Y, S, W, K, M, B, D, H, V and X: ``unknown`` reads
them as N, ``error`` refuses them. Under both, case is ignored, U is read as T, N is N, and what is
no IUPAC letter is refused."""

_AMBIGUOUS = "RYSWKMBDHVX"
_REFUSED = 255
# Large enough to amortize the calls, small enough that a block stays in the second-level cache; a
# multiple of four, as letters are looked up in pairs and packed in fours.
_BLOCK = 1 << 18
_UNKNOWNS = np.full(_BLOCK, N)


class LetterError(UserError):
    """A character that cannot be read as a base.

    ``position`` counts from 0 within the text that was given.
    """

    def __init__(self, letter: str, position: int) -> None:
        self.letter = letter
        self.position = position
        ambiguous = letter.upper() in _AMBIGUOUS
        remedy = "read ambiguity letters as N (letters: unknown)" if ambiguous else "correct it"
        super().__init__(
            f"the character {letter!r} at position {position + 1} is not one of {LETTERS}", remedy
        )


def encode(
    text: str | bytes | UInt8[ndarray, " n"], policy: LetterPolicy = "unknown"
) -> UInt8[ndarray, " n"]:
    """Letters, as text or as their ASCII bytes, to codes.

    Raises
    ------
    LetterError
        At the first character that ``policy`` does not admit.
    """
    source = text if isinstance(text, str) else np.frombuffer(text, dtype=np.uint8)
    codes = np.empty(len(source), dtype=np.uint8)
    table = _encoding(policy)
    for block in _blocks(codes.size):
        _translate(_ascii(source[block]), table, out=codes[block])
        if np.maximum.reduce(codes[block]) == _REFUSED:
            position = block.start + int(np.argmax(codes[block] == _REFUSED))
            letter = source[position]
            raise LetterError(letter if isinstance(letter, str) else chr(letter), position)
    return codes


def decode(codes: UInt8[ndarray, " n"]) -> str:
    """Codes to upper-case letters."""
    return str(decode_ascii(codes), "ascii")  # type: ignore[arg-type]


def decode_ascii(codes: UInt8[ndarray, " n"]) -> UInt8[ndarray, " n"]:
    """Codes to the ASCII bytes of upper-case letters."""
    codes = np.ascontiguousarray(codes)
    letters = np.empty_like(codes)
    for block in _blocks(codes.size):
        _translate(codes[block], _decoding(), out=letters[block])
    return letters


def complement(codes: UInt8[ndarray, "..."]) -> UInt8[ndarray, "..."]:
    """Complement every base; N stays N."""
    result = np.empty(codes.shape, dtype=np.uint8)
    source, flat = codes.reshape(-1), result.reshape(-1)
    for block in _blocks(source.size):
        _complement(source[block], out=flat[block])
    return result


def reverse_complement(codes: UInt8[ndarray, " n"]) -> UInt8[ndarray, " n"]:
    """The opposite strand, read 5' to 3'."""
    codes = np.ascontiguousarray(codes)
    result = np.empty_like(codes)
    scratch = np.empty(min(codes.size, _BLOCK), dtype=np.uint8)
    for block in _blocks(codes.size):
        flipped = scratch[: block.stop - block.start]
        _complement(codes[block], out=flipped)
        _reverse(flipped, out=result[codes.size - block.stop : codes.size - block.start])
    return result


def one_hot(codes: UInt8[ndarray, " n"]) -> UInt8[ndarray, "4 n"]:
    """One row per base A, C, G, T; an N is a column of zeros."""
    hot = np.empty((4, codes.size), dtype=np.uint8)
    for block in _blocks(codes.size):
        for base in range(4):
            np.equal(codes[block], base, out=hot[base, block].view(np.bool_))
    return hot


class PackedBases(NamedTuple):
    """Bases at two bits each, four to a byte, the first in the lowest bits."""

    packed: UInt8[ndarray, " m"]
    length: int
    n_runs: Int64[ndarray, "r 2"]
    """Runs of N as rows of (start, end), half-open and in order; the packed value there is 0."""


def pack(codes: UInt8[ndarray, " n"]) -> PackedBases:
    """Pack codes into two bits a base; where N lies is kept beside."""
    packed = np.empty(-(-codes.size // 4), dtype=np.uint8)
    # Whole words of four codes, the last one filled up with zeros.
    bases = np.zeros(min(4 * packed.size, _BLOCK), dtype=np.uint8)
    runs = [np.empty((0, 2), dtype=np.int64)]
    for block in _blocks(codes.size):
        source = codes[block]
        np.bitwise_and(source, 3, out=bases[: source.size])
        bases[source.size :] = 0
        # A little-endian word holds four codes in its bytes; the product gathers them in its top
        # byte, the first code lowest.
        words = bases.view("<u4") * np.uint32(0x01041040)
        target = packed[block.start // 4 : -(-block.stop // 4)]
        target[:] = words.astype("<u4", copy=False).view(np.uint8)[3::4][: target.size]
        if np.maximum.reduce(source) >= N:
            runs.append(block.start + marked_runs(source >= N))
    return PackedBases(packed, codes.size, _joined(np.concatenate(runs)))


def unpack(bases: PackedBases) -> UInt8[ndarray, " n"]:
    """The codes that :func:`pack` was given."""
    words = np.empty(bases.packed.size, dtype="<u4")
    for block in _blocks(words.size, _BLOCK // 4):
        _unpacking().take(bases.packed[block], out=words[block], mode="clip")
    codes = words.view(np.uint8)[: bases.length]
    for start, end in bases.n_runs.tolist():
        codes[start:end] = N
    return codes


def _blocks(size: int, step: int | None = None) -> Iterator[slice]:
    step = step or _BLOCK
    return (slice(start, min(start + step, size)) for start in range(0, size, step))


def _ascii(text: str | UInt8[ndarray, " n"]) -> UInt8[ndarray, " n"]:
    if not isinstance(text, str):
        return text
    # A character outside Latin-1 cannot be a base; the "?" in its place will be refused.
    return np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)


def _translate(
    source: UInt8[ndarray, " n"], table: UInt16[ndarray, "65536"], out: UInt8[ndarray, " n"]
) -> None:
    """Look up two bytes at once."""
    even = source.size // 2 * 2
    table.take(source[:even].view(np.uint16), out=out[:even].view(np.uint16), mode="clip")
    if even < source.size:
        out[even:] = table[np.append(source[even:], source[even:]).view(np.uint16)].view(np.uint8)[
            0
        ]


def _pairs(table: bytes) -> UInt16[ndarray, "65536"]:
    """What every pair of bytes becomes when each becomes its entry in ``table``."""
    pairs = np.arange(1 << 16, dtype=np.uint16).view(np.uint8)
    return np.frombuffer(table, dtype=np.uint8)[pairs].view(np.uint16)


@cache
def _encoding(policy: LetterPolicy) -> UInt16[ndarray, "65536"]:
    table = bytearray([_REFUSED]) * 256
    unknown = "N" + _AMBIGUOUS if policy == "unknown" else "N"
    for code, letters in enumerate(("A", "C", "G", "TU", unknown)):
        for letter in letters + letters.lower():
            table[ord(letter)] = code
    return _pairs(bytes(table))


@cache
def _decoding() -> UInt16[ndarray, "65536"]:
    return _pairs(LETTERS.encode().ljust(256, b"N"))


@cache
def _unpacking() -> ndarray:
    """The four codes of every packed byte, as one little-endian word."""
    codes = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
    return codes.astype(np.uint8).view("<u4").ravel()


def _complement(codes: UInt8[ndarray, " n"], out: UInt8[ndarray, " n"]) -> None:
    np.bitwise_xor(codes, 3, out=out)
    # What became of an N, 7, is brought back to 4. NumPy compares two arrays with vector
    # instructions, an array and a number one by one.
    np.minimum(out, _UNKNOWNS[: out.size], out=out)


def _reverse(codes: UInt8[ndarray, " n"], out: UInt8[ndarray, " n"]) -> None:
    """Reverse by words of eight: their order by a negative step, their inside by the byte order."""
    whole = codes.size // 8 * 8
    rest = codes.size - whole
    out[rest:].view("<u8")[...] = codes[:whole].view(">u8")[::-1]
    out[:rest] = codes[whole:][::-1]


def marked_runs(marked: Bool[ndarray, " n"]) -> Int64[ndarray, "r 2"]:
    """Stretches of true values as rows of (start, end)."""
    edges = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    return edges.reshape(-1, 2).astype(np.int64, copy=False)


def _joined(runs: Int64[ndarray, "r 2"]) -> Int64[ndarray, "_ 2"]:
    """Runs in order, with those that touch made one."""
    touching = runs[1:, 0] == runs[:-1, 1]
    starts = runs[np.append(True, ~touching)[: len(runs)], 0]
    ends = runs[np.append(~touching, True)[: len(runs)], 1]
    return np.column_stack([starts, ends])
