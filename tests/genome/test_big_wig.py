"""Damaged bigWig files are refused before a reader asks for the memory they speak of."""

from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError
from attendna.genome.big_wig import check_big_wig
from attendna.genome.signal import open_signal

pybigtools = pytest.importorskip("pybigtools")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("signal") / "track.bw"
    random = np.random.default_rng(0)
    records = (
        (chrom, 5 * row, 5 * row + 3, float(random.normal()))
        for chrom in ("chr1", "chr2")
        for row in range(2000)
    )
    pybigtools.open(str(path), "w").write({"chr1": 10_000, "chr2": 10_000, "chr3": 9}, records)
    return path.read_bytes()


def number(content: bytes, place: int, size: int = 8) -> int:
    return int.from_bytes(content[place : place + size], "little")


def put(content: bytes, place: int, value: int, size: int = 8) -> bytes:
    return content[:place] + value.to_bytes(size, "little") + content[place + size :]


def check(folder: Path, content: bytes) -> None:
    path = folder / "track.bw"
    path.write_bytes(content)
    check_big_wig(path)


def test_a_whole_file_passes(tmp_path: Path, whole: bytes) -> None:
    check(tmp_path, whole)
    assert open_signal(tmp_path / "track.bw").lengths["chr2"] == 10_000


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_cut_file_is_refused(tmp_path: Path, whole: bytes, share: float) -> None:
    with pytest.raises(DataError, match=r"track\.bw: damaged or cut short: .*; copy it again"):
        check(tmp_path, whole[: int(share * len(whole))])


def test_what_the_header_asks_for_is_within_the_file(tmp_path: Path, whole: bytes) -> None:
    names, index = number(whole, 8), number(whole, 24)
    changed = {
        "contigs": put(whole, 8, 35 * 10**12),
        "data": put(whole, 16, 2**63),
        "index": put(whole, 24, 2**64 - 1),
        "zoom levels": put(whole, 6, 60_000, 2),
        "buffer": put(whole, 52, 2**32 - 1, 4),
        "zoom": put(whole, 64 + 16, 2**40),
        "length of a name": put(whole, names + 8, 2**31, 4),
        "contigs of the tree": put(whole, names + 16, 2**40),
        "contigs of a node": put(whole, names + 34, 60_000, 2),
        "mark of the index": put(whole, index, 0, 4),
        "blocks of a node": put(whole, index + 50, 60_000, 2),
        "offset of a block": put(whole, index + 52 + 16, 2**64 - 8),
        "size of a block": put(whole, index + 52 + 24, 2**45),
    }
    for what, content in changed.items():
        try:
            check(tmp_path, content)
        except DataError:
            continue
        pytest.fail(what)


def test_an_index_that_leads_in_a_circle_is_refused(tmp_path: Path, whole: bytes) -> None:
    index = number(whole, 24)
    # The root becomes a node above itself.
    circle = put(put(whole, index + 48, 0, 1), index + 52 + 16, index + 48)
    with pytest.raises(DataError, match=r"circle|not whole|not there"):
        check(tmp_path, circle)
