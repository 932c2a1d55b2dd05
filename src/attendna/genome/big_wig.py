"""The layout of bigWig files, walked before a reader that believes it.

What such a file says of itself decides how much memory a reader asks for, and one that gets none
ends the process.

Source: Kent et al., Bioinformatics 26 (2010), 2204, supplementary tables 5 to 17.

Shapes: ``k`` items of a node.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy import ndarray

from attendna.core.errors import DataError

MAGIC = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
"""First bytes of a file written in little and in big order."""

_HEADER = "IHHQQQHHQQIQ"
_ZOOM = "IIQQ"
_NAMES_MAGIC, _NAMES = 0x78CA8C91, "IIIIQQ"
_PLACES_MAGIC, _PLACES = 0x2468ACE0, "IIQIIIIQII"
_LONGEST_NAME = 1 << 10
_MOST_PACKED = 1032
"""How many times its own size a block of zlib can hold."""


class _Damaged(Exception):  # noqa: N818 - it does not leave this file
    """What is wrong with a file."""


def check_big_wig(path: Path) -> None:
    """Refuse a file whose header, names, indexes or blocks leave it.

    Raises
    ------
    DataError
        It is damaged or cut short.
    """
    try:
        _BigWig(np.memmap(path, dtype=np.uint8, mode="r")).check()
    except _Damaged as damage:
        raise DataError(path, f"damaged or cut short: {damage}", "copy it again") from None


class _BigWig:
    def __init__(self, content: ndarray) -> None:
        self.content = content
        self.order = "<" if bytes(content[:4]) == MAGIC[0] else ">"

    def check(self) -> None:
        _, _, zooms, names, data, index, _, _, *_, buffer, _ = self._read(_HEADER, 0)
        if not 64 <= data <= self.content.size:
            raise _Damaged("the data are not there")
        self._check_names(names)
        largest = self._check_index(index)
        for number in range(zooms):
            _, _, data, index = self._read(_ZOOM, 64 + 24 * number)
            if not 64 <= data <= self.content.size:
                raise _Damaged(f"zoom level {number + 1} is not there")
            largest = max(largest, self._check_index(index))
        if buffer > _MOST_PACKED * largest + 64:
            raise _Damaged(f"no block holds {buffer:,} bytes")

    def _check_names(self, place: int) -> None:
        """The tree of contigs."""
        magic, _, key, value, count, _ = self._read(_NAMES, place)
        if magic != _NAMES_MAGIC or not 0 < key <= _LONGEST_NAME or value != 8:
            raise _Damaged("the contigs are not there")
        found = self._walk(
            place + 32,
            np.dtype([("key", "u1", key), ("id", f"{self.order}u4"), ("size", f"{self.order}u4")]),
            np.dtype([("key", "u1", key), ("child", f"{self.order}u8")]),
            lambda _: None,
        )
        if found != count:
            raise _Damaged(f"{found:,} contigs, not {count:,}")

    def _check_index(self, place: int) -> int:
        """The bytes of the largest block that an index leads to."""
        magic, *_ = self._read(_PLACES, place)
        if magic != _PLACES_MAGIC:
            raise _Damaged("an index is not there")
        largest = 0

        def check(items: ndarray) -> None:
            nonlocal largest
            first, size = items["child"], items["size"]
            # Numbers of 64 bits: a sum could pass their end.
            inside = (first >= 64) & (first <= self.content.size)
            inside &= size <= self.content.size - np.minimum(first, self.content.size)
            if not inside.all():
                raise _Damaged("an index leads out of the file")
            largest = max(largest, int(size.max(initial=0)))

        order = self.order
        bounds = [(name, f"{order}u4") for name in ("chrom", "start", "last chrom", "end")]
        inner = [*bounds, ("child", f"{order}u8")]
        self._walk(place + 48, np.dtype([*inner, ("size", f"{order}u8")]), np.dtype(inner), check)
        return largest

    def _walk(
        self,
        root: int,
        leaf: "np.dtype[np.void]",
        inner: "np.dtype[np.void]",
        check: Callable[[ndarray], None],
    ) -> int:
        """How many items the leaves of a tree have; each leaf is checked."""
        waiting, met, found = [root], {root}, 0
        while waiting:
            place = waiting.pop()
            is_leaf, _, count = self._read("BBH", place)
            kind = leaf if is_leaf else inner
            end = place + 4 + count * kind.itemsize
            if end > self.content.size:
                raise _Damaged("a node of an index is not whole")
            items = self.content[place + 4 : end].view(np.ndarray).view(kind)
            if is_leaf:
                check(items)
                found += count
                continue
            children = [int(child) for child in items["child"]]
            if not met.isdisjoint(children) or len(set(children)) < count:
                raise _Damaged("an index leads in a circle")
            met.update(children)
            waiting += children
        return found

    def _read(self, layout: str, place: int) -> tuple[int, ...]:
        size = struct.calcsize(self.order + layout)
        if not 0 <= place <= self.content.size - size:
            raise _Damaged(f"byte {place:,} is not there")
        return struct.unpack(self.order + layout, bytes(self.content[place : place + size]))
