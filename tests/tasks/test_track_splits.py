"""Runs of records, and what crosses them."""

import polars as pl
import pytest

from attendna.core.errors import ConfigError
from attendna.tasks.track_splits import contiguous_split, count_crossing, sizes, with_slots


def places(*starts: int, chrom: str = "chr1", width: int = 10) -> pl.DataFrame:
    return pl.DataFrame(
        {"chrom": [chrom] * len(starts), "start": starts, "end": [s + width for s in starts]}
    )


def test_records_without_places_are_cut_in_their_order() -> None:
    found = contiguous_split(None, 10, (0.6, 0.2, 0.2))
    assert found == ["train"] * 6 + ["valid"] * 2 + ["test"] * 2


def test_records_with_places_are_cut_along_the_genome() -> None:
    rows = pl.concat([places(90, 0, 30, chrom="chr2"), places(60, 20)])
    found = contiguous_split(rows, 5, (0.4, 0.4, 0.2))
    assert found == ["test", "valid", "valid", "train", "train"]


def test_records_that_overlap_stay_together() -> None:
    rows = places(*range(0, 500, 5), 1000, 2000)
    assert contiguous_split(rows, 102, (0.6, 0.0, 0.4)) == ["train"] * 100 + ["test"] * 2


def test_impossible_shares_are_refused() -> None:
    for fractions in ((0.5, 0.2, 0.2), (1.5, -0.5, 0.0)):
        with pytest.raises(ConfigError, match="three shares that sum to 1"):
            contiguous_split(None, 10, fractions)
    with pytest.raises(ConfigError, match="leaves test without records"):
        contiguous_split(None, 3, (0.5, 0.48, 0.02))
    assert set(contiguous_split(None, 4, (0.5, 0.5, 0.0))) == {"train", "valid"}


def test_records_across_splits_are_counted() -> None:
    apart = {"train": places(0, 20), "test": places(10)}
    assert count_crossing(apart) == 0
    assert count_crossing({"train": places(0, 20), "valid": places(9), "test": places(50)}) == 2
    assert count_crossing({"train": places(0, 1)}) == 0


def test_rows_are_counted_within_splits() -> None:
    rows = with_slots(places(0, 20, 40), ["test", "train", "test"])
    assert rows["row"].to_list() == [0, 0, 1]
    assert sizes(rows) == {"train": 1, "test": 2}
