"""Words of two sets of rows, and what chance makes of them."""

import numpy as np
import pytest

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.drift import measure_drift


def drawn(count: int, gc: float, seed: int) -> SequenceBatch:
    random = np.random.default_rng(seed)
    odds = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return SequenceBatch.from_text(
        ["".join(letters) for letters in random.choice(list("ACGT"), (count, 100), p=odds)]
    )


def test_rows_of_one_kind_are_as_near_as_chance_has_them() -> None:
    found = measure_drift("a", drawn(200, 0.5, 2), drawn(300, 0.5, 3), np.random.default_rng(0))
    assert found.p > 0.05
    assert 0 < found.distance < found.by_chance < 0.1


def test_rows_of_another_kind_are_far() -> None:
    found = measure_drift("a", drawn(200, 0.5, 0), drawn(300, 0.65, 1), np.random.default_rng(0))
    assert found.p == pytest.approx(0.01)
    assert found.distance > 2 * found.by_chance


def test_nothing_in_common_is_one() -> None:
    ones, others = (SequenceBatch.from_text([letter * 40] * 20) for letter in "AC")
    found = measure_drift("a", ones, others, np.random.default_rng(0))
    assert found.distance == pytest.approx(1.0)
