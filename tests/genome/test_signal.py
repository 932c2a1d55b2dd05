"""bigWig files in bins, against a slow and plain count of their records."""

import math
import multiprocessing
import pickle
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendna.core.errors import DataError, MissingExtraError
from attendna.genome.reference import WindowError
from attendna.genome.signal import Aggregate, Signal, open_signal

pybigtools = pytest.importorskip("pybigtools")

RECORDS = [
    ("chr1", 0, 3, 0.5),
    ("chr1", 3, 4, -2.0),
    ("chr1", 10, 20, 4.0),
    ("chr1", 20, 21, 0.0),
    ("chr2", 38, 39, 1.0),
    ("chrM", 5, 50, 1.25),
]
LENGTHS = {"chr1": 60, "chr2": 40, "chrM": 50}
AGGREGATES: list[Aggregate] = ["mean", "sum", "max", "min"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signal") / "track.bw"
    pybigtools.open(str(path), "w").write(LENGTHS, iter(RECORDS))
    return path


@pytest.fixture(scope="module")
def signal(path: Path) -> Signal:
    return open_signal(path)


def table(*rows: tuple) -> pl.DataFrame:
    names = ["chrom", "start", "end", "strand"][: len(rows[0])]
    return pl.DataFrame(rows, schema=names, orient="row")


def slow_bin(values: list[float], aggregate: Aggregate, no_data: str) -> float:
    """What a bin of these bases tells, one base after the other."""
    if no_data == "zero":
        values = [0.0 if math.isnan(value) else value for value in values]
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan
    if aggregate == "mean":
        return math.fsum(known) / len(known)
    return {"sum": math.fsum, "max": max, "min": min}[aggregate](known)


def slow_bins(
    bases: dict[int, float], start: int, end: int, bins: int, aggregate: Aggregate, no_data: str
) -> list[float]:
    edges = [start + i * (end - start) // bins for i in range(bins + 1)]
    return [
        slow_bin([bases.get(base, math.nan) for base in range(a, b)], aggregate, no_data)
        for a, b in pairwise(edges)
    ]


def bases_of(chrom: str) -> dict[int, float]:
    return {b: v for name, start, end, v in RECORDS for b in range(start, end) if name == chrom}


@settings(max_examples=50)
@given(
    windows=st.lists(
        st.tuples(
            st.sampled_from(["chr1", "chr2", "MT"]), st.integers(-5, 39), st.integers(7, 30)
        ).filter(lambda window: window[1] + window[2] > 0),
        min_size=1,
        max_size=6,
    ),
    bins=st.integers(1, 7),
    aggregate=st.sampled_from(AGGREGATES),
    no_data=st.sampled_from(["nan", "zero"]),
    strand=st.sampled_from("+-."),
)
def test_bins_are_those_counted_base_by_base(
    signal: Signal, windows: list, bins: int, aggregate: Aggregate, no_data: str, strand: str
) -> None:
    rows = [(chrom, start, start + width, strand) for chrom, start, width in windows]
    got = signal.bins(table(*rows), bins, aggregate=aggregate, no_data=no_data)
    for row, (chrom, start, end, _) in enumerate(rows):
        bases = bases_of("chrM" if chrom == "MT" else chrom)
        expected = slow_bins(bases, start, end, bins, aggregate, no_data)
        if strand == "-":
            expected.reverse()
        np.testing.assert_allclose(got.values[row], expected, rtol=1e-6)


def test_without_a_number_of_bins_every_base_is_one(signal: Signal) -> None:
    got = signal.bins(table(("chr1", 1, 5), ("chr1", 19, 23)))
    np.testing.assert_array_equal(got.values, [[0.5, 0.5, -2, np.nan], [4, 0, np.nan, np.nan]])
    assert (got.empty, got.absent, got.over) == (3, 0, 0)
    assert got.values.dtype == np.float32


def test_what_is_not_there_is_counted_and_not_zero(signal: Signal) -> None:
    windows = table(("chr1", -2, 4), ("chr1", 57, 63), ("chr2", 0, 6), ("chr9", 0, 6))
    got = signal.bins(windows, 2, absent_contig="no_data")
    np.testing.assert_array_equal(np.isnan(got.values), [[0, 0], [1, 1], [1, 1], [1, 1]])
    assert (got.empty, got.absent, got.over) == (6, 1, 2)
    zero = signal.bins(windows, 2, absent_contig="no_data", no_data="zero")
    np.testing.assert_allclose(zero.values[0], [0.5 / 3, (0.5 + 0.5 - 2) / 3], rtol=1e-6)
    assert not zero.values[1:].any()
    assert zero.empty == 6


@pytest.mark.parametrize(
    ("row", "bins", "message"),
    [
        (("chr7", 0, 6), 2, "track.bw has no contig chr7"),
        (("chr1", 60, 66), 2, "it lies beyond its contig; check the build"),
        (("chr1", -6, 0), 2, "it lies beyond its contig"),
        (("chr1", 6, 6), 2, "it has no bases"),
        (("chr1", 6, 5), None, "it has no bases"),
        (("chr1", 6, 9), 4, "4 bins for 3 bases; ask for fewer bins"),
        (("chr1", 6, 9), None, "it has 3 bases and the first has 6"),
    ],
)
def test_a_window_that_cannot_be_had_is_named(
    signal: Signal, row: tuple, bins: int | None, message: str
) -> None:
    with pytest.raises(WindowError) as caught:
        signal.bins(table(("chr1", 0, 6), row), bins)
    assert caught.value.row == 1
    assert message in str(caught.value)


def test_many_windows_are_read_in_pieces(signal: Signal, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = table(*(("chr1", start, start + width) for start in range(30) for width in (4, 9)))
    whole = signal.bins(windows, 3)
    monkeypatch.setattr("attendna.genome.signal._CHUNK", 10)
    pieces = signal.bins(windows, 3)
    np.testing.assert_array_equal(whole.values, pieces.values)
    assert whole.empty == pieces.empty
    assert signal.bins(windows[:0], 3).values.shape == (0, 3)


def test_what_is_no_bigwig_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_signal(tmp_path / "none.bw")
    (tmp_path / "a.bw").write_bytes(b"chr1\t0\t5\n")
    with pytest.raises(DataError, match="this is no bigWig"):
        open_signal(tmp_path / "a.bw")
    (tmp_path / "a.bw").write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"damaged or cut short: .*; copy it again"):
        open_signal(tmp_path / "a.bw")


def test_the_package_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybigtools", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'attendna\[signal\]'"):
        open_signal(path)


def _mean(signal: Signal) -> float:
    return float(signal.bins(table(("1", 10, 20, "-"), ("chr1", 10, 20, "+"))).values.mean())


def test_a_signal_serves_other_processes(signal: Signal) -> None:
    assert _mean(pickle.loads(pickle.dumps(signal))) == 4.0
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_mean, [signal] * 4).get(timeout=60) == [4.0] * 4


REAL = {
    "GM12878_hg38_H3K27me3.chr21.bw": ("21", 20_000_000),
    "wgEncodeHaibTfbsA549_hg19.chr21.bw": ("chr21", 33_000_000),
    "deepdetails_hg38_chr22/acc.K562.chr22.bw": ("chr22", 30_000_000),
    "deepdetails_hg38_chr22/bulk.chr22.mn.bw": ("chr22", 30_000_000),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("no_data", ["nan", "zero"])
def test_real_tracks_are_those_counted_base_by_base(shared: Path, name: str, no_data: str) -> None:
    path, (chrom, first) = shared / "bigwig" / name, REAL[name]
    signal = open_signal(path)
    starts = first + np.random.default_rng(0).integers(0, 200_000, 10)
    windows = pl.DataFrame({"chrom": chrom, "start": starts, "end": starts + 640})
    reader = pybigtools.open(str(path))
    own = chrom if chrom in reader.chroms() else f"chr{chrom}"
    for aggregate in AGGREGATES:
        got = signal.bins(windows, 20, aggregate=aggregate, no_data=no_data)
        for row, start in enumerate(starts.tolist()):
            bases = {
                base: value
                for begin, end, value in reader.records(own, start, start + 640)
                for base in range(begin, end)
            }
            expected = slow_bins(bases, start, start + 640, 20, aggregate, no_data)
            np.testing.assert_allclose(got.values[row], expected, rtol=1e-5)


def test_real_tracks_say_how_much_they_cover(shared: Path) -> None:
    signal = open_signal(shared / "bigwig/pybigwig_test.bw")
    assert signal.lengths == {"1": 195_471_971, "10": 130_694_993}
    got = signal.bins(table(("chr1", 0, 151), ("chr10", 0, 151)), 1, aggregate="sum")
    assert got.values[0, 0] == pytest.approx(0.1 + 0.2 + 0.3 + 50 * 1.4 + 1.5)
    assert np.isnan(got.values[1, 0])
    whole = open_signal(shared / "bigwig/GM12878_hg38_H3K27me3.chr21.bw")
    assert whole.lengths == {"chr21": 46_709_983}
