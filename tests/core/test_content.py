"""Files of people are unpacked and made plain text, or refused in one line."""

import gzip
import os
import zlib
from pathlib import Path

import pysam
import pytest

from attendna.core import content as module
from attendna.core.content import check_packed, parse_json, plain_text, read_content, unpack
from attendna.core.errors import DataError, ResourceError


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.bed").touch(mode=0)
    with pytest.raises(DataError, match=r"a\.bed: cannot be read: Permission denied"):
        read_content(tmp_path / "a.bed")


def test_a_bgzip_file_without_its_last_block_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.bed.gz"
    with pysam.BGZFile(str(path), "w") as stream:
        stream.write(b"chr1\t5\n" * 50_000)
    whole = path.read_bytes()
    assert read_content(path) == b"chr1\t5\n" * 50_000
    check_packed(path)
    # gzip itself sees nothing wrong with what is left.
    path.write_bytes(whole[:-28])
    assert gzip.decompress(whole[:-28]) == b"chr1\t5\n" * 50_000
    for read in (read_content, check_packed):
        with pytest.raises(DataError, match="cut short: its last block is missing; copy it again"):
            read(path)


def test_files_one_behind_the_other_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.bed.gz"
    with pysam.BGZFile(str(path), "w") as stream:
        stream.write(b"chr1\t5\n")
    path.write_bytes(path.read_bytes() * 3)
    assert read_content(path) == b"chr1\t5\n" * 3


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_what_is_unpacked_has_a_limit(
    pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNPACKED_LEAST", 1 << 20)
    assert len(unpack("a.gz", pack(bytes(1 << 20)))) == 1 << 20  # type: ignore[operator]
    bomb = pack(bytes(4 << 20))  # type: ignore[operator]
    with pytest.raises(
        ResourceError, match=r"a\.gz: [\d,]+ bytes hold more than 1,048,576, .*unpack it"
    ):
        unpack("a.gz", bomb)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(4 << 20)))
    with pytest.raises(ResourceError, match="plain files have no limit"):
        check_packed(path)


def test_the_limit_grows_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNPACKED_LEAST", 1)
    dense = os.urandom(1 << 12) * 20
    assert unpack("a.gz", gzip.compress(dense)) == dense


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 100_000, b"9" * 5_000, "[1"])
def test_whatever_is_wrong_with_json_is_one_kind_of_error(text: bytes | str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


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
