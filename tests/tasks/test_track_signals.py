"""Tracks from bigWig files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError, DataError
from attendna.genome.reference import WindowError
from attendna.tasks.track_signals import Binning, find_signals
from attendna.tasks.track_targets import read_targets

pybigtools = pytest.importorskip("pybigtools")

TABLE = "identifier\tfile\tsum_stat\tclip\tscale\na\ta.bw\tmean\t3\t2\nb\tb.bw\tsum_sqrt\t\t\n"
WINDOWS = pl.DataFrame({"chrom": ["chr1", "chr1"], "start": [0, 20], "end": [20, 40]})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lengths = {"chr1": 100, "chr2": 100}
    one = [("chr1", 0, 8, 1.0), ("chr1", 8, 12, 5.0), ("chr1", 30, 40, 0.5), ("chr2", 0, 1, 1.0)]
    pybigtools.open(str(tmp_path / "a.bw"), "w").write(lengths, iter(one))
    two = [("chr1", 0, 40, 2.0), ("chr2", 0, 1, -9.0)]
    pybigtools.open(str(tmp_path / "b.bw"), "w").write(lengths, iter(two))
    (tmp_path / "targets.txt").write_text(TABLE)
    return tmp_path / "targets.txt"


def bins(table: Path, windows: pl.DataFrame = WINDOWS, **settings: object) -> np.ndarray:
    signals = find_signals(table, read_targets(table), "baskerville")
    told = {"bin_size": 4, "crop": 4, "no_data": "zero", "absent_contig": "error"} | settings
    return Binning(signals, **told).targets(windows)


def test_bins_of_the_middle_are_transformed(table: Path) -> None:
    found = bins(table)
    assert found.shape == (2, 3, 2)
    assert found[0, :, 0].tolist() == [2, 3, 0]
    assert found[1, :, 0].tolist() == [0, 0.5, 1]
    assert found[0, :, 1].tolist() == [2, 2, 2]
    masked = bins(table, no_data="nan")
    assert np.isnan(masked[:, :, 0]).tolist() == [[False, False, True], [True, False, False]]
    assert masked[1, 1, 0] == 1


def test_what_is_not_there_is_refused_or_masked(table: Path) -> None:
    elsewhere = WINDOWS.with_columns(chrom=pl.lit("chr3"))
    with pytest.raises(WindowError, match="has no contig chr3"):
        bins(table, elsewhere)
    assert np.isnan(bins(table, elsewhere, no_data="nan", absent_contig="no_data")).all()


def test_values_without_a_root_are_named(table: Path) -> None:
    with pytest.raises(DataError, match=r"b\.bw: values below 0 have no root: -9"):
        bins(table, WINDOWS.with_columns(pl.lit("chr2").alias("chrom"), start=-4, end=8))


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        ("file", "path", DataError, "there is no column file"),
        ("b.bw", "c.bw", DataError, "row 2: no such file"),
        ("b.bw", "targets.txt", DataError, "this is no bigWig"),
        ("sum_sqrt", "median", ConfigError, "targets.txt, row 2"),
    ],
)
def test_bad_tables_are_one_line(
    table: Path, old: str, new: str, kind: type[Exception], said: str
) -> None:
    table.write_text(TABLE.replace(old, new))
    with pytest.raises(kind, match=said) as caught:
        find_signals(table, read_targets(table), "baskerville")
    assert "\n" not in str(caught.value)
