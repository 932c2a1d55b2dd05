"""Which bins peaks cover, against a count base by base."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.core.errors import DataError
from attendna.tasks.peak_bins import (
    CONTIG_BITS,
    MISSING,
    UNWANTED,
    Rule,
    covered_bins,
    read_peaks,
    union,
)

NUMBERS = {"chr1": 0, "chr2": 1, "chrUn_x": UNWANTED}


def number(name: str) -> int:
    return NUMBERS.get(name, MISSING)


@given(
    peaks=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 90), st.integers(1, 40)), max_size=8
    ),
    size=st.integers(1, 12),
    rule=st.sampled_from(["half", "more_than_half", "any"]),
)
def test_covered_bins_are_those_counted_base_by_base(
    peaks: list[tuple[int, int, int]], size: int, rule: Rule
) -> None:
    covered = np.zeros((2, 144), dtype=int)
    for contig, start, length in peaks:
        covered[contig, start : start + length] = 1
    expected = []
    for contig in range(2):
        for place in range(132 // size):
            bases = covered[contig, place * size : (place + 1) * size].sum()
            least = {"half": size / 2, "more_than_half": size / 2 + 0.25, "any": 1}[rule]
            if bases >= least:
                expected.append((contig << CONTIG_BITS) + place)
    start = np.array([(c << CONTIG_BITS) + s for c, s, _ in peaks], dtype=np.int64)
    end = start + np.array([length for _, _, length in peaks], dtype=np.int64)
    assert covered_bins(*union(start, end), size, rule).tolist() == expected


def test_exactly_half_of_a_bin_is_told_apart() -> None:
    start, end = np.array([100]), np.array([200])
    assert covered_bins(start, end, 200, "half").tolist() == [0]
    assert covered_bins(start, end, 200, "more_than_half").tolist() == []
    assert covered_bins(start, end - 1, 200, "half").tolist() == []
    assert covered_bins(start, end, 300, "any").tolist() == [0]


def test_overlapping_peaks_count_once() -> None:
    # 60 + 60 bases that overlap by 30 cover 90 of 200.
    start, end = union(np.array([30, 0]), np.array([90, 60]))
    assert (start.tolist(), end.tolist()) == ([0], [90])
    assert covered_bins(start, end, 200, "half").size == 0


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_plain_and_odd_files_are_read_alike(tmp_path: Path, ends: str) -> None:
    rows = ["chr2\t5\t9\ta\t0\t.\t1.5\t-1\t-1\t2", "chr1\t7\t8\tb\t0\t.\t1.5\t-1\t-1\t0"]
    rows += ["chrUn_x\t1\t2\tc\t0\t.\t1\t-1\t-1\t-1", "chr9\t1\t2\tc\t0\t.\t1\t-1\t-1\t-1"]
    plain = tmp_path / "a.narrowPeak.gz"
    plain.write_bytes(gzip.compress((ends.join(rows) + ends).encode()))
    odd = tmp_path / "b.narrowPeak"
    odd.write_text("track name=x\n# a remark\n" + "\n".join(rows) + "\n\n")
    for path in (plain, odd):
        peaks = read_peaks(path, number)
        assert peaks.start.tolist() == [(1 << CONTIG_BITS) + 5, 7]
        assert peaks.end.tolist() == [(1 << CONTIG_BITS) + 9, 8]
        assert (peaks.missing, peaks.unwanted) == (1, 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chr1\t9\t5\n", r"line 1: the end 5 lies before the start 9"),
        ("chr1\t1\t5\nchr1\t-2\t5\n", r"line 2: the start -2 lies before"),
        ("chr1\t1\t5\nchr1\t2\n", r"line 2: it has 2 columns"),
        ("chr1\t1\t5\nchr1\tx\t5\n", r"line 2: the start 'x' is no whole number"),
        ("", r"the file is empty"),
    ],
)
def test_bad_rows_are_told(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.bed"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint):
        read_peaks(path, number)
