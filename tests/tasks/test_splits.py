"""Rows that are the same molecule stay together, and classes stay in proportion."""

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.core.errors import ConfigError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.splits import (
    FRACTIONS,
    ChromosomeSplit,
    dealt,
    group_by_sequence,
    split_groups,
    three_shares,
)

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def test_both_strands_share_a_group_in_order_of_appearance() -> None:
    texts = ["ACGG", "TTTT", "CCGT", "ACGG", "AAAA", "ACG", "NACG", "CGTN", ""]
    groups = group_by_sequence(SequenceBatch.from_text(texts))
    assert groups.tolist() == [0, 1, 0, 0, 1, 2, 3, 3, 4]


def test_no_rows_give_no_groups() -> None:
    assert group_by_sequence(SequenceBatch.from_text([])).tolist() == []


@given(st.lists(st.text("ACN", max_size=4) | st.text("GT", max_size=4), max_size=40))
def test_groups_equal_a_plain_dictionary(texts: list[str]) -> None:
    known: dict[str, int] = {}
    expected = []
    for text in texts:
        strandless = min(text, text.translate(COMPLEMENT)[::-1])
        expected.append(known.setdefault(strandless, len(known)))
    assert group_by_sequence(SequenceBatch.from_text(texts)).tolist() == expected


def test_a_slice_of_a_larger_buffer_is_grouped_alike() -> None:
    batch = SequenceBatch.from_text(["ACGG", "TTTT", "CCGT"]).take([2, 0])
    assert group_by_sequence(batch).tolist() == [0, 0]


def test_grouping_is_fast() -> None:
    generator = np.random.default_rng(0)
    offsets = np.arange(150_001, dtype=np.int64) * 260
    codes = generator.integers(0, 4, offsets[-1], dtype=np.uint8)
    batch = SequenceBatch(codes, offsets)
    start = time.process_time()
    groups = group_by_sequence(batch)
    assert time.process_time() - start < 10  # about 1 s on a quiet core
    assert groups.max() == 149_999


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=200),
    st.integers(0, 2**32),
    st.integers(1, 3),
)
def test_groups_are_never_torn(groups: list[int], seed: int, classes: int) -> None:
    group = np.array(groups)
    split = split_groups(group, group % classes, FRACTIONS, seed)
    for one in np.unique(group):
        assert np.unique(split[group == one]).size == 1


def test_single_rows_are_dealt_exactly_in_proportion_in_every_class() -> None:
    labels = np.array([0] * 700 + [1] * 200 + [2] * 100)
    split = split_groups(np.arange(1000), labels, FRACTIONS, seed=1)
    for label, rows in ((0, 700), (1, 200), (2, 100)):
        names, counts = np.unique(split[labels == label], return_counts=True)
        dealt = dict(zip(names.tolist(), counts.tolist(), strict=True))
        assert dealt == {"train": rows * 8 // 10, "valid": rows // 10, "test": rows // 10}


def test_large_groups_still_come_near_the_fractions() -> None:
    group = np.random.default_rng(0).geometric(0.01, 20_000)
    split = split_groups(group, np.zeros_like(group), FRACTIONS, seed=3)
    assert abs(np.mean(split == "train") - 0.8) < 0.03


def test_the_seed_decides() -> None:
    group, labels = np.arange(100), np.arange(100) % 2
    first = split_groups(group, labels, FRACTIONS, seed=7)
    assert (first == split_groups(group, labels, FRACTIONS, seed=7)).all()
    assert (first != split_groups(group, labels, FRACTIONS, seed=8)).any()


def test_a_split_may_be_left_out() -> None:
    split = split_groups(
        np.arange(10), np.zeros(10, dtype=int), {"train": 0.5, "test": 0.5}, seed=0
    )
    assert sorted(split.tolist()) == ["test"] * 5 + ["train"] * 5
    assert (
        split_groups(np.arange(3), np.zeros(3, dtype=int), {"test": 1.0}, 0).tolist()
        == ["test"] * 3
    )


def test_no_rows_are_no_trouble() -> None:
    empty = np.zeros(0, dtype=np.int64)
    assert split_groups(empty, empty, FRACTIONS, 0).size == 0


@pytest.mark.parametrize(
    "fractions",
    [{"train": 0.0, "test": 0.0}, {"train": 1.5, "test": -0.5}, {"train": float("nan")}],
)
def test_impossible_fractions_are_refused(fractions: dict) -> None:
    with pytest.raises(ConfigError, match="are no shares"):
        split_groups(np.arange(3), np.zeros(3, dtype=int), fractions, 0)


def test_shares_leave_something_to_train_on() -> None:
    assert three_shares(0.25, 0.25) == {"train": 0.5, "valid": 0.25, "test": 0.25}
    with pytest.raises(ConfigError, match="nothing to train on"):
        three_shares(0.5, 0.5)


def test_rows_are_dealt_and_empty_splits_are_none() -> None:
    rows = pl.DataFrame({"n": [1, 2, 3]})
    found = dealt(rows, np.array(["test", "train", "test"]))
    assert {name: part["n"].to_list() for name, part in found.items()} == {
        "train": [2],
        "test": [1, 3],
    }


def test_whole_chromosomes_go_to_the_split_that_names_them() -> None:
    split = ChromosomeSplit(("chr7", "MT"), ("8", "chrX"))
    assert [split.of(name) for name in ("7", "chrM", "chr8", "X", "chr1")] == [
        "valid",
        "valid",
        "test",
        "test",
        "train",
    ]
    assert split.rule == "valid chr7, MT; test 8, chrX; train the rest"
    split.require(["1", "7", "8", "X", "M"])
    assert split.require_splits(["1", "7", "8"]) == ("MT", "chrX")
    with pytest.raises(ConfigError, match="no row lies on 8, chrX; there are 1, 7"):
        split.require_splits(["7", "1"])


def test_chromosomes_that_are_not_there_are_listed_with_those_that_are() -> None:
    split = ChromosomeSplit((), ("chr99", "chr2"))
    with pytest.raises(ConfigError, match="no row lies on chr99; there are chr1, chr2, chr10"):
        split.require(["chr10", "chr2", "chr1"])
    with pytest.raises(ConfigError, match=r"no row lies on chr99, chr2; there are c1, .* 10 more"):
        split.require([f"c{number}" for number in range(1, 41)])


def test_a_chromosome_is_in_one_split() -> None:
    with pytest.raises(ConfigError, match="chromosome 1 is in valid and test"):
        ChromosomeSplit(("chr2", "1"), ("chr1",))
