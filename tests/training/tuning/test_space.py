from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from attendna.training.tuning.space import Choices, Dimension, Range, grid, spell

PARSE = TypeAdapter(Dimension)


def test_whole_numbers_stay_whole() -> None:
    whole, real = Range(low=2, high=8, step=3), Range(low=2.0, high=8, step=3)
    assert whole.points() == [2, 5, 8]
    assert whole.whole
    assert not real.whole
    assert Range(low=1, high=3).points() == [1, 2, 3]
    assert Range(low=0.1, high=0.3, step=0.1).points() == pytest.approx([0.1, 0.2, 0.3])
    assert Range(low=1e-5, high=1e-2, log=True).points() is None


def test_choices_may_be_maps() -> None:
    maps = Choices(choices=("onehot", {"name": "kmer", "k": 3}, None, 5e-5))
    assert maps.points() == ["onehot", "kmer k=3", "null", "5e-05"]
    assert maps.setting("kmer k=3") == {"name": "kmer", "k": 3}
    assert maps.setting("null") is None
    assert maps.setting("5e-05") == 5e-5


def test_maps_in_maps_are_spelled() -> None:
    assert spell({"name": "encoder", "positions": {"name": "rotary"}}) == "encoder positions=rotary"


def test_every_value_drawn_is_one_of_them() -> None:
    random = np.random.default_rng(0)
    listed = Choices(choices=(1, 2))
    assert {listed.draw(random) for _ in range(20)} == {"1", "2"}
    assert {Range(low=1, high=2).draw(random) for _ in range(20)} == {1, 2}
    assert all(0.5 <= float(Range(low=0.5, high=2.0).draw(random)) <= 2 for _ in range(20))


def test_a_grid_has_every_combination_once() -> None:
    found = grid({"a": Range(low=1, high=2), "b": Choices(choices=("x", "y", "z"))})
    assert found is not None
    assert len({tuple(one.values()) for one in found}) == len(found) == 6
    assert grid({"a": Range(low=1.0, high=2.0)}) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"low": 3, "high": 2}, "low 3 is above high 2"),
        ({"low": 0, "high": 1, "log": True}, "begins above 0"),
        ({"low": 1, "high": 9, "log": True, "step": 2}, "has no step"),
        ({"choices": ["1", 1]}, "two choices read the same"),
        ({"choices": []}, "at least 1"),
        ({"low": 1, "hihg": 2}, "hihg"),
    ],
)
def test_what_cannot_be_is_refused(value: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PARSE.validate_python(value)
