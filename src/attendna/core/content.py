"""What people's files hold: unpacked, and as plain UTF-8 text; every fault is one line."""

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attendna.core.errors import DataError, ResourceError

_GZIP = b"\x1f\x8b"
_ZLIB = b"\x78"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# BGZF is gzip in blocks: a flag, an extra field BC, and an empty block after the last (SAM
# specification 4.1).
_BGZF = b"\x1f\x8b\x08\x04"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

UNPACKED_LEAST, UNPACKED_TIMES = 1 << 28, 100
"""A packed file may hold so many bytes, or so many times its own size if that is more."""

_PIECE = 1 << 20


def read_content(path: str | Path) -> bytes:
    """The bytes of a file, unpacked if it is gzipped or bgzipped, whatever its name says.

    Raises
    ------
    DataError
        The file is missing, a folder, empty, or its gzip is damaged or cut short.
    ResourceError
        It holds far more than files do that are packed as well.
    """
    content = read_bytes(path)
    if content.startswith(_GZIP):
        content = unpack(path, content)
    if not content or content.isspace():
        raise DataError(path, "the file is empty", "give a file with rows")
    return content


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file as they are.

    Raises
    ------
    DataError
        The file is missing, a folder, or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(path, "this is a folder", "name a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(path, "no such file", "check the path") from None
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}", "check the path") from error


def unpack(path: str | Path, content: bytes) -> bytes:
    """The content of a gzip, bgzip or ZLIB file.

    Raises
    ------
    DataError, ResourceError
        As :func:`read_content`; ``path`` is named.
    """
    if content.startswith(_ZLIB):
        return _inflate(path, content)
    if content.startswith(_BGZF):
        _refuse_cut_bgzf(path, content[: len(_BGZF_END)], content[-len(_BGZF_END) :])
    return b"".join(_pieces(path, io.BytesIO(content), len(content)))


def check_packed(path: Path) -> None:
    """Refuse a gzip or bgzip file that is damaged, cut short, or holds far too much; others pass.

    Raises
    ------
    DataError, ResourceError
        As :func:`read_content`.
    """
    with path.open("rb") as stream:
        start = stream.read(len(_BGZF_END))
        if not start.startswith(_GZIP):
            return
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - len(_BGZF_END)))
        if start.startswith(_BGZF):
            _refuse_cut_bgzf(path, start, stream.read())
        stream.seek(0)
        for _ in _pieces(path, stream, size):
            pass


def _refuse_cut_bgzf(path: str | Path, start: bytes, end: bytes) -> None:
    if start[12:14] == b"BC" and end != _BGZF_END:
        raise DataError(
            path, "the bgzip file is cut short: its last block is missing", "copy it again"
        )


def _pieces(path: str | Path, stream: io.BufferedIOBase, size: int) -> Iterator[bytes]:
    """The content of a gzip file of ``size`` bytes."""
    limit, unpacked = unpacked_limit(size), 0
    try:
        with gzip.GzipFile(fileobj=stream) as plain:
            while piece := plain.read(_PIECE):
                unpacked += len(piece)
                if unpacked > limit:
                    raise too_large(path, size)
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            path, "the gzip is truncated or damaged", "copy or download it again"
        ) from error


def _inflate(path: str | Path, content: bytes) -> bytes:
    limit, inflate = unpacked_limit(len(content)), zlib.decompressobj()
    try:
        plain = inflate.decompress(content, limit + 1)
    except zlib.error as error:
        raise DataError(path, "the compressed data is damaged", "copy it again") from error
    if len(plain) > limit:
        raise too_large(path, len(content))
    if not inflate.eof:
        raise DataError(path, "the file is cut short", "copy it again")
    return plain


def unpacked_limit(size: int) -> int:
    """How many bytes a packed file of ``size`` bytes may hold."""
    return max(UNPACKED_LEAST, UNPACKED_TIMES * size)


def too_large(
    path: str | Path, size: int, plain: str = "unpack it first: plain files have no limit"
) -> ResourceError:
    """The error about a file of ``size`` bytes that holds more; ``plain`` is the way around."""
    limit = f"{unpacked_limit(size):,}, the limit of a packed file of this size"
    return ResourceError(f"{path}: {size:,} bytes hold more than {limit}", f"if meant, {plain}")


def read_json(path: str | Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is no JSON; see :func:`parse_json`.
    """
    return parse_json(Path(path).read_bytes())


def parse_json(text: str | bytes) -> Any:
    """What a JSON text holds.

    Raises
    ------
    ValueError
        It is no JSON, no UTF-8, or nested too deep.
    """
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def plain_text(path: str | Path, content: bytes) -> bytes:
    """UTF-8 text with plain line ends, without a byte order mark or blank lines at its end.

    Raises
    ------
    DataError
        The text is UTF-16, holds a NUL byte, or is not UTF-8; the message names the line.
    """
    if content.startswith(_UTF16):
        raise DataError(path, "the text is UTF-16", "save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    nul = content.find(b"\0")
    if nul >= 0:
        line = content.count(b"\n", 0, nul) + 1
        raise DataError(path, f"line {line} holds a NUL byte", "save it as plain UTF-8 text")
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(path, f"line {line} is not UTF-8 text", "save it as UTF-8") from None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content.rstrip(b"\n")
