"""TFRecord files of ``tf.train.Example``, read without TensorFlow.

A file is a row of records, each framed by its length and checksums of both. It may be compressed as
a whole. Every checksum is verified, so that a damaged file is never taken for a sound one.

Sources: tensorflow/core/lib/io/record_writer.h (framing), tensorflow/core/example/example.proto.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from attendna.core.content import read_bytes, unpack
from attendna.core.errors import DataError, MissingExtraError

Feature = bytes | ndarray
"""Bytes as they were put, or a column of float32 or int64."""

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5


class _DamagedError(Exception):
    """Bytes that are no protocol buffer."""


def read_examples(path: str | Path) -> Iterator[dict[str, Feature]]:
    """Features of every example of a file, by name.

    Raises
    ------
    DataError
        The file is missing, cut short, damaged, or holds no examples; the row counts from 1.
    MissingExtraError
        The package that computes the checksums is not installed.
    """
    path = Path(path)
    for row, record in enumerate(_records(path), start=1):
        try:
            yield _example(record)
        except (_DamagedError, IndexError, struct.error, ValueError):
            raise DataError(
                path, "this record is no tf.train.Example", "give a TFRecord of examples", row=row
            ) from None


def count_examples(path: str | Path) -> int:
    """How many examples a file holds; every checksum is verified, and none is decoded.

    Raises
    ------
    DataError, MissingExtraError
        As :func:`read_examples`.
    """
    return sum(1 for _ in _records(Path(path)))


def _records(path: Path) -> Iterator[memoryview]:
    content = memoryview(_content(path))
    place, row = 0, 0
    while place < len(content):
        row += 1
        start = place + _HEAD.size
        if start > len(content):
            raise _cut_short(path, row)
        size, checksum = _HEAD.unpack(content[place:start])
        if _checksum(content[place : place + 8]) != checksum:
            what = "this is no TFRecord file" if row == 1 else "damaged: a length is wrong"
            raise DataError(path, what, "give a TFRecord file, or copy it again", row=row)
        end = start + size
        if end + _TAIL.size > len(content):
            raise _cut_short(path, row)
        (checksum,) = _TAIL.unpack(content[end : end + _TAIL.size])
        if _checksum(content[start:end]) != checksum:
            raise DataError(path, "damaged: the checksum is wrong", "copy it again", row=row)
        yield content[start:end]
        place = end + _TAIL.size


def _cut_short(path: Path, row: int) -> DataError:
    return DataError(path, "the file is cut short", "copy it again", row=row)


def _content(path: Path) -> bytes:
    """The file's bytes, decompressed if they are ZLIB or gzip."""
    content = read_bytes(path)
    if content[:1] not in (b"\x78", b"\x1f") or _begins_a_record(content):
        return content
    return unpack(path, content)


def _begins_a_record(content: bytes) -> bool:
    if len(content) < _HEAD.size:
        return False
    return _HEAD.unpack(content[: _HEAD.size])[1] == _checksum(content[:8])


def _checksum(content: bytes | memoryview) -> int:
    """CRC-32C, turned and shifted as it is stored beside what it is of."""
    try:
        from google_crc32c import value
    except ImportError:
        raise MissingExtraError("google_crc32c", "tracks", "reading TFRecords") from None
    plain = value(bytes(content))
    return ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF


# --------------------------------------------------------------------------- protocol buffers


class _Field(NamedTuple):
    number: int
    value: "int | memoryview"


def _fields(message: memoryview) -> Iterator[_Field]:
    """Fields of a message in their order; numbers of fixed size stay bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield _Field(key >> 3, value)
            continue
        if kind == _DELIMITED:
            size, place = _varint(message, place)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise _DamagedError
        if place + size > len(message):
            raise _DamagedError
        yield _Field(key >> 3, message[place : place + size])
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number of variable length, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise _DamagedError


def _example(record: memoryview) -> dict[str, Feature]:
    """Example { features = 1 { feature = 1 (map) { key = 1, value = 2 } } }."""
    found: dict[str, Feature] = {}
    for features in _nested(record, 1):
        for entry in _nested(features, 1):
            name, value = b"", None
            for number, part in _fields(entry):
                if number == 1 and isinstance(part, memoryview):
                    name = bytes(part)
                elif number == 2 and isinstance(part, memoryview):
                    value = _feature(part)
            if value is not None:
                found[name.decode()] = value
    if not found:
        raise _DamagedError
    return found


def _nested(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _feature(message: memoryview) -> Feature | None:
    """Feature { bytes_list = 1, float_list = 2, int64_list = 3 }, each { value = 1 (repeated) }."""
    for number, values in _fields(message):
        if not isinstance(values, memoryview):
            raise _DamagedError
        if number == 1:
            return b"".join(bytes(part) for part in _nested(values, 1))
        if number == 2:
            packed = b"".join(bytes(part) for part in _nested(values, 1))
            return np.frombuffer(packed, dtype="<f4")
        if number == 3:
            return np.array(list(_integers(values)), dtype=np.int64)
    return None


def _integers(message: memoryview) -> Iterator[int]:
    """Signed numbers, packed or one by one."""
    for _, value in _fields(message):
        if isinstance(value, int):
            yield _signed(value)
            continue
        place = 0
        while place < len(value):
            number, place = _varint(value, place)
            yield _signed(number)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
