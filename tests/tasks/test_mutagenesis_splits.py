import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError
from attendna.tasks.mutagenesis_splits import by_element, by_position, by_run
from attendna.tasks.spec import SplitName

SHARES: dict[SplitName, float] = {"train": 0.6, "valid": 0.2, "test": 0.2}


@pytest.fixture
def variants() -> pl.DataFrame:
    rows = [
        (locus, name, 1_000 * locus + at)
        for locus, name in ((3, "z"), (1, "a"), (1, "b"), (2, "m"))
        for at in range(100)
        for _ in range(3)
    ]
    return pl.DataFrame(rows, schema=["locus", "element", "position"], orient="row")


def test_positions_keep_their_share(variants: pl.DataFrame) -> None:
    said = by_position(variants, SHARES, 0)
    counts = {name: (said == name).mean() for name in SHARES}
    assert counts == pytest.approx(SHARES, abs=0.02)
    split = variants.with_columns(split=pl.Series(said.tolist()))
    assert split.group_by("position").agg(pl.col("split").n_unique())["split"].max() == 1
    assert np.array_equal(said, by_position(variants, SHARES, 0))
    assert not np.array_equal(said, by_position(variants, SHARES, 1))


def test_runs_are_whole_and_in_an_order_of_their_own(variants: pl.DataFrame) -> None:
    split = variants.with_columns(split=pl.Series(by_run(variants, SHARES, 1).tolist()))
    orders = set()
    for locus in (1, 2, 3):
        mine = split.filter(pl.col("locus") == locus).unique("position").sort("position")
        runs = mine["split"].rle().struct.unnest()
        assert dict(runs.select("value", "len").iter_rows()) == {
            "train": 60, "valid": 20, "test": 20
        }  # fmt: skip
        orders.add(tuple(runs["value"]))
    assert len(orders) > 1


def test_what_overlaps_is_left_out_with_an_element(variants: pl.DataFrame) -> None:
    for fold, tested, validated in ((0, ["a", "b"], "m"), (1, ["m"], "z"), (2, ["z"], "a")):
        said, names = by_element(variants, (), fold)
        assert names == tested
        assert set(variants.filter(said == "test")["element"]) == set(tested)
        assert validated in set(variants.filter(said == "valid")["element"])
    said, names = by_element(variants, ("b",), 0)
    assert names == ["a", "b"]
    with pytest.raises(ConfigError, match="of 3 loci, none is left to train on"):
        by_element(variants, ("b", "z"), 0)
