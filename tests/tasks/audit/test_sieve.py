from typing import Any

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.rows import MEASURED, Rows
from attendna.tasks.audit.sieve import LEFT_OUT, Sieve, leave_out

TEXTS = ["A" * 10, "C" * 50, "G" * 60, "N" + "T" * 59, "A" * 70, "C" * 80, "G" * 10, "T" * 60]
SPLITS = ["train"] * 6 + ["test"] * 2
LABELS = [0, 1, 0, 0, 1, 0, 0, 1]


def rows(**changes: Any) -> Rows:
    frame = pl.DataFrame({"split": SPLITS, "label": LABELS})
    told: dict[str, Any] = {"name": "some", "classes": ("no", "yes"), "frame": frame}
    return Rows(**told | {"sequences": SequenceBatch.from_text(TEXTS)} | changes)


def sifted(sieve: Sieve, some: Rows | None = None) -> tuple[np.ndarray, np.ndarray]:
    splits = np.array(SPLITS, dtype=object)
    why = np.full(len(SPLITS), "", dtype=object)
    sieve.sift(some or rows(), splits, why)
    return splits, why


def test_rows_are_left_out_for_their_first_reason() -> None:
    _, why = sifted(Sieve(min_length=20, max_length=70, acgt=True))
    short, long = "shorter than 20 bases", "longer than 70 bases"
    assert why.tolist() == [short, "", "", "unknown bases", "", long, "", ""]


def test_bounds_are_kept() -> None:
    splits, _ = sifted(Sieve(min_length=50, max_length=50))
    assert np.flatnonzero(splits == "train").tolist() == [1]


@pytest.mark.parametrize(("also", "left"), [(False, 2), (True, 1)])
def test_the_test_split_is_sifted_only_if_told(also: bool, left: int) -> None:
    splits, _ = sifted(Sieve(min_length=20, also_test=also))
    assert (splits == "test").sum() == left


def test_classes_are_balanced_split_by_split_after_all_else() -> None:
    for seed in range(3):
        splits, why = sifted(Sieve(acgt=True, balance=True, seed=seed))
        kept = (splits == "train").nonzero()[0]
        assert np.bincount(np.array(LABELS)[kept]).tolist() == [2, 2]
        assert why.tolist().count("balance") == 1
    draws = {tuple(sifted(Sieve(balance=True, seed=seed))[0]) for seed in range(9)}
    assert len(draws) > 1


def test_what_is_asked_is_known() -> None:
    assert Sieve(also_test=True, seed=3).keeps_all
    assert not Sieve(balance=True).keeps_all
    assert not Sieve(min_length=1).keeps_all


def test_letters_and_classes_have_to_be_there() -> None:
    with pytest.raises(ConfigError, match="have no letters"):
        sifted(Sieve(acgt=True), rows(sequences=None))
    with pytest.raises(ConfigError, match="no classes to balance"):
        sifted(Sieve(balance=True), rows(classes=(MEASURED,)))


def test_the_first_reason_stays() -> None:
    splits = np.array(["train", LEFT_OUT], dtype=object)
    why = np.array(["", "before"], dtype=object)
    leave_out(np.array([True, True]), "now", splits, why)
    assert (splits.tolist(), why.tolist()) == ([LEFT_OUT, LEFT_OUT], ["now", "before"])
