"""What people's files hold: unpacked, and as plain UTF-8 text; every fault is one line."""

import codecs
import gzip
import zlib
from pathlib import Path

from attendna.core.errors import DataError

_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_content(path: str | Path) -> bytes:
    """The bytes of a file, unpacked if it is gzipped or bgzipped, whatever its name says.

    Raises
    ------
    DataError
        The file is missing, a folder, empty, or its gzip is damaged.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(path, "this is a folder", "name a file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(path, "no such file", "check the path") from None
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                path, "the gzip is truncated or damaged", "copy or download it again"
            ) from error
    if not content or content.isspace():
        raise DataError(path, "the file is empty", "give a file with rows")
    return content


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
