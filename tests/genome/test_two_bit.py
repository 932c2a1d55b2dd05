"""Damaged .2bit files are refused before py2bit, which crashes on them, sees them."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.genome.genome_files import two_bit

from attendna.core.errors import DataError
from attendna.genome.reference import stream_contigs
from attendna.genome.two_bit import check_two_bit

GENOME = {"chr1": "ACGTNNNNacgtNacg" * 5, "c2": "TTTT", "empty": "", "m": "nnACG"}
WHOLE = two_bit(GENOME)
INDEX = 16
FIRST = INDEX + sum(5 + len(name) for name in GENOME)
"""Where the record of the first sequence begins."""


def put(place: int, number: int, size: int = 4) -> bytes:
    return WHOLE[:place] + number.to_bytes(size, "little") + WHOLE[place + size :]


def check(folder: Path, content: bytes) -> None:
    path = folder / "genome.2bit"
    path.write_bytes(content)
    check_two_bit(path)


def test_a_whole_file_passes(tmp_path: Path) -> None:
    check(tmp_path, WHOLE)
    names = [contig.name for contig in stream_contigs(tmp_path / "genome.2bit")]
    assert names == [*GENOME]


@pytest.mark.parametrize("size", range(4, len(WHOLE)))
def test_a_cut_file_is_refused_wherever_it_was_cut(tmp_path: Path, size: int) -> None:
    with pytest.raises(DataError, match=r"genome\.2bit: damaged or cut short: .*; copy it again"):
        check(tmp_path, WHOLE[:size])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (put(4, 7), "its version 7 is not known"),
        (put(8, 2**31), "the index holds a name twice|the index of 2,147,483,648 sequences"),
        (put(INDEX, 0, 1), "the index holds a name twice, or one that is no text"),
        (put(INDEX + 5, 2**32 - 1), "1 numbers at byte 4,294,967,295 are not there"),
        (put(INDEX + 5, 0), "chr1 lies within the header"),
        (put(FIRST, 2**32 - 1), "the 4,294,967,295 bases of chr1 are not there"),
        (put(FIRST, 3), "the unknown bases of chr1 overlap or leave it"),
        (put(FIRST + 4, 2**31), "2,147,483,648 numbers at byte"),
        (put(FIRST + 8, 40), "the unknown bases of chr1 overlap or leave it"),
        (b"\x1a\x41\x27\x43" + WHOLE[4:], "big-endian"),
    ],
)
def test_what_leaves_the_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check(tmp_path, content)


def test_changed_bytes_never_end_the_process(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "genome.2bit"
    for _ in range(300):
        changed = bytearray(WHOLE)
        place = int(random.integers(4, len(WHOLE) - 4))
        struct.pack_into("<I", changed, place, int(random.choice([0, 1, 2**16, 2**31, 2**32 - 1])))
        path.write_bytes(bytes(changed))
        with contextlib.suppress(DataError):
            list(stream_contigs(path))
