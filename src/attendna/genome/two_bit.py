"""The layout of .2bit files, walked before a reader that believes it: py2bit crashes on others.

Source: the description of the format at UCSC.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from attendna.core.errors import DataError

MAGIC = (b"\x43\x27\x41\x1a", b"\x1a\x41\x27\x43")
"""First bytes of a file written in little and in big order."""

_LITTLE = MAGIC[0]
_LONG = 1
"""Version of files whose offsets have eight bytes."""


class _Damaged(Exception):  # noqa: N818 - it does not leave this file
    """What is wrong with a file."""


def check_two_bit(path: Path) -> None:
    """Refuse a file whose index, offsets or blocks leave it or contradict each other.

    Raises
    ------
    DataError
        It is damaged, cut short, or of an order or version that py2bit does not read.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")
    try:
        for name, offset in _index(content):
            _check_record(content, name, offset)
    except _Damaged as damage:
        raise DataError(path, f"damaged or cut short: {damage}", "copy it again") from None


def _index(content: ndarray) -> Iterator[tuple[str, int]]:
    """Names and offsets of the sequences."""
    if content.size < 16:
        raise _Damaged("the header is not whole")
    if bytes(content[:4]) != _LITTLE:
        raise _Damaged("it is written in big-endian order")
    version, count, reserved = _numbers(content, 4, 3).tolist()
    if version > _LONG or reserved:
        raise _Damaged(f"its version {version} is not known")
    size = 8 if version == _LONG else 4
    place, names = 16, set[bytes]()
    for _ in range(count):
        begin = place + 1
        if place >= content.size or begin + int(content[place]) + size > content.size:
            raise _Damaged(f"the index of {count:,} sequences is not whole")
        end = begin + int(content[place])
        name = bytes(content[begin:end])
        if not name or name in names or not name.isascii() or not name.decode().isprintable():
            raise _Damaged("the index holds a name twice, or one that is no text")
        names.add(name)
        place = end + size
        yield name.decode(), int.from_bytes(bytes(content[end:place]), "little")


def _check_record(content: ndarray, name: str, offset: int) -> None:
    """Check the sequence whose record begins at ``offset``."""
    if offset < 16:
        raise _Damaged(f"{name} lies within the header")
    (length,) = _numbers(content, offset, 1).tolist()
    place = offset + 4
    for what in ("unknown bases", "repeats"):
        (count,) = _numbers(content, place, 1).tolist()
        starts = _numbers(content, place + 4, count)
        sizes = _numbers(content, place + 4 + 4 * count, count)
        ends = starts + sizes
        if count and (ends[-1] > length or (starts[1:] < ends[:-1]).any()):
            raise _Damaged(f"the {what} of {name} overlap or leave it")
        place += 4 + 8 * count
    end = place + 4 + (length + 3) // 4
    if end > content.size:
        raise _Damaged(f"the {length:,} bases of {name} are not there")


def _numbers(content: ndarray, place: int, count: int) -> Int64[ndarray, " k"]:
    """Numbers of four bytes."""
    if place + 4 * count > content.size:
        raise _Damaged(f"{count:,} numbers at byte {place:,} are not there")
    return content[place : place + 4 * count].view(np.ndarray).copy().view("<u4").astype(np.int64)
