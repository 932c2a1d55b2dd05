from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.report.data_card import describe
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Task, write_task


def write(folder: Path, **splits: list[tuple[str, int]]) -> Task:
    frames = {
        split: pl.DataFrame(
            {
                "id": [f"{split}-{row}" for row in range(len(rows))],
                "sequence": [sequence for sequence, _ in rows],
                "label": [label for _, label in rows],
            }
        )
        for split, rows in splits.items()
    }
    spec = TaskSpec(name="small", label_kind="binary", classes=("no", "yes"))
    return write_task(folder / "task", spec, frames)


@pytest.fixture
def small(tmp_path: Path) -> Task:
    return write(
        tmp_path,
        train=[("ACGT", 0), ("GGGGCC", 1), ("AATT", 1)],
        valid=[("GGCCCC", 0), ("NNNN", 1), ("ACGN", 1)],
        test=[("ACGT", 0), ("TTAA", 1), ("GGGGCC", 1)],
    )


def test_counts_lengths_and_gc(small: Task) -> None:
    card = describe(small)
    train, valid = card.splits["train"], card.splits["valid"]
    assert (train.n, train.counts, valid.counts) == (3, (1, 2), (1, 2))
    assert train.lengths.tolist() == [4, 6, 4]
    assert train.gc.tolist() == [0.5, 1, 0]
    assert train.mean_gc == pytest.approx(0.5)


def test_unknown_bases_have_no_gc(small: Task) -> None:
    valid = describe(small).splits["valid"]
    assert valid.gc[0] == 1
    assert np.isnan(valid.gc[1])
    assert valid.gc[2] == pytest.approx(2 / 3)
    assert valid.unknown == pytest.approx(5 / 14)
    assert valid.mean_gc == pytest.approx(5 / 6)


def test_gc_of_a_class_is_over_all_splits(small: Task) -> None:
    assert sorted(describe(small).gc_of_class(0)) == [0.5, 0.5, 1]
    assert describe(small).gc_of_class(1).size == 5


def test_shared_sequences_are_counted_on_either_strand(small: Task) -> None:
    shared = describe(small).shared
    # GGCCCC is the other strand of GGGGCC; TTAA is its own, and AATT another sequence.
    assert shared == {("train", "valid"): 1, ("train", "test"): 2, ("valid", "test"): 1}


def test_window_is_known_only_where_all_lengths_agree(small: Task, tmp_path: Path) -> None:
    assert describe(small).window is None
    other = write(tmp_path / "other", train=[("ACGT", 0), ("AAAA", 1)], test=[("CCCC", 1)])
    assert describe(other).window == 4
