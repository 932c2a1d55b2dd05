"""TFRecords against an encoder written from the format's description, and real files."""

import gzip
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from google_crc32c import value as crc32c

from attendna.core.errors import DataError
from attendna.tasks.tfrecord import read_examples


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(value: bytes | list[float] | list[int], *, packed: bool = True) -> bytes:
    if isinstance(value, bytes):
        return field(1, field(1, value))
    if all(isinstance(number, int) for number in value):
        numbers = [varint(int(number)) for number in value]
        listed = field(1, b"".join(numbers)) if packed else b"".join(b"\x08" + n for n in numbers)
        return field(3, listed)
    floats = [struct.pack("<f", number) for number in value]
    return field(2, field(1, b"".join(floats)) if packed else b"".join(b"\x0d" + f for f in floats))


def example(*, packed: bool = True, **features: bytes | list[float] | list[int]) -> bytes:
    entries = [
        field(1, field(1, name.encode()) + field(2, feature(value, packed=packed)))
        for name, value in features.items()
    ]
    return field(1, b"".join(entries))


def masked(content: bytes) -> bytes:
    plain = crc32c(content)
    return struct.pack("<I", ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(*records: bytes) -> bytes:
    lengths = [struct.pack("<Q", len(record)) for record in records]
    return b"".join(
        length + masked(length) + record + masked(record)
        for length, record in zip(lengths, records, strict=True)
    )


@pytest.mark.parametrize("compress", [bytes, zlib.compress, gzip.compress])
@pytest.mark.parametrize("packed", [True, False])
def test_what_was_put_comes_back(tmp_path: Path, compress, packed: bool) -> None:
    path = tmp_path / "a.tfr"
    numbers = [0, 1, -1, 300, 2**62, -(2**63)]
    records = [example(x=b"ACGT", y=[0.5, -2.0], z=numbers, packed=packed), example(x=b"\0" * 300)]
    path.write_bytes(compress(framed(*records)))
    first, second = read_examples(path)
    assert first["x"] == b"ACGT"
    assert np.array_equal(first["y"], np.array([0.5, -2], dtype=np.float32))
    assert np.array_equal(first["z"], numbers)
    assert second == {"x": b"\0" * 300}


def test_a_record_whose_length_looks_like_a_zlib_header_is_read(tmp_path: Path) -> None:
    # 0x0178 bytes: the file begins with 78 01, as ZLIB files do.
    record = example(x=b"\0" * (0x178 - 18))
    assert len(record) == 0x178
    (tmp_path / "a.tfr").write_bytes(framed(record))
    assert [*read_examples(tmp_path / "a.tfr")] == [{"x": b"\0" * (0x178 - 18)}]


def test_an_empty_file_has_no_examples(tmp_path: Path) -> None:
    for content in (b"", zlib.compress(b"")):
        (tmp_path / "a.tfr").write_bytes(content)
        assert not [*read_examples(tmp_path / "a.tfr")]


def test_damage_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.tfr"
    whole = framed(example(x=b"AC"), example(x=b"GT"))
    turned = bytearray(whole)
    turned[len(whole) - 6] ^= 1
    for content, said in (
        (whole[:-1], "row 2: the file is cut short"),
        (whole[: len(whole) // 2 + 3], "row 2: the file is cut short"),
        (zlib.compress(whole)[:-5], "the file is cut short"),
        (bytes(turned), "row 2: damaged: the checksum is wrong"),
        (b"chr1\t10\t20\tthis is a BED file\n", "row 1: this is no TFRecord file"),
        (framed(b"\xff\xff\xff"), "row 1: this record is no tf.train.Example"),
        (framed(b""), "row 1: this record is no tf.train.Example"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=said):
            list(read_examples(path))
    with pytest.raises(DataError, match="no such file"):
        list(read_examples(tmp_path / "none.tfr"))


def test_no_damage_goes_unseen_or_breaks_the_reader(tmp_path: Path) -> None:
    """Whatever bytes are changed, the file is refused in one line or read as it was."""
    random_ = random.Random(0)
    records = [example(x=random_.randbytes(40), y=[1.5] * 9, z=[7, -7]) for _ in range(3)]
    whole, path = framed(*records), tmp_path / "a.tfr"
    path.write_bytes(whole)
    truth = [{k: bytes(v) for k, v in one.items()} for one in read_examples(path)]
    refused = 0
    for turn in range(600):
        content = bytearray(zlib.compress(whole) if turn % 3 == 0 else whole)
        for _ in range(random_.randint(1, 4)):
            content[random_.randrange(len(content))] = random_.randrange(256)
        if turn % 2:
            del content[random_.randrange(len(content)) :]
        path.write_bytes(content)
        try:
            read = [{k: bytes(v) for k, v in one.items()} for one in read_examples(path)]
        except DataError:
            refused += 1
        else:
            assert read == truth[: len(read)]
            assert len(read) == 3 or len(content) < len(whole)
    assert refused > 550


def test_the_real_records(shared: Path) -> None:
    """Their number is that of the statistics; one file is truly empty."""
    for build, tracks, counts in (
        ("hg38", 74, {"train": 45, "valid": 10, "test": 10}),
        ("mm10", 32, {"train": 28, "valid": 13, "test": 13}),
    ):
        folder = shared / "tfrecords" / build / "tfrecords"
        for split, count in counts.items():
            found = [one for path in folder.glob(f"{split}-*") for one in read_examples(path)]
            assert len(found) == count
            assert {len(one["sequence"]) for one in found} == {131_072}
            assert {len(one["target"]) for one in found} == {2 * 2_048 * tracks}
    assert not [*read_examples(folder / "train-7.tfr")]
