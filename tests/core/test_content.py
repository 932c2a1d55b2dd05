"""Files of people are unpacked and made plain text, or refused in one line."""

import gzip
from pathlib import Path

import pytest

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError


def test_packed_and_plain_files_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"chr1\t5\n")
    (tmp_path / "b.txt").write_bytes(gzip.compress(b"chr1\t") + gzip.compress(b"5\n"))
    assert read_content(tmp_path / "a") == read_content(str(tmp_path / "b.txt")) == b"chr1\t5\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\t\n", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (
            gzip.compress(b"chr1" * 99, mtime=0)[:-9],
            "the gzip is truncated or damaged; copy or download",
        ),
        (gzip.compress(b"chr1" * 99, mtime=0) + b"more", "the gzip is truncated or damaged"),
        (b"\x1f\x8b and something else", "the gzip is truncated or damaged"),
    ],
)
def test_files_without_content_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_content(tmp_path / "a.gz")


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.bed: no such file; check the path"):
        read_content(tmp_path / "a.bed")
    with pytest.raises(DataError, match="this is a folder; name a file"):
        read_content(tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\r\nb\rc\n\n\n", b"a\nb\nc"),
        (b"\xef\xbb\xbfa\n", b"a"),
        ("µ\n".encode(), "µ".encode()),
        (b"\na\n", b"\na"),
    ],
)
def test_text_becomes_plain(content: bytes, text: bytes) -> None:
    assert plain_text("a.csv", content) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\n".encode("utf-16"), "a.csv: the text is UTF-16; save it as UTF-8"),
        ("a\n".encode("utf-16-be"), "a.csv: line 1 holds a NUL byte"),
        (b"a\nb\0\n", "a.csv: line 2 holds a NUL byte; save it as plain UTF-8 text"),
        (b"a\nb\n\xe9\n", "a.csv: line 3 is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_other_text_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        plain_text("a.csv", content)
    assert str(caught.value).startswith(message)
