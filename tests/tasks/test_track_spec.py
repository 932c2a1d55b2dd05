"""Cards of tasks of tracks."""

import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.tasks.track_spec import TrackSpec

SHAPE = {"name": "t", "window": 131_072, "bin_size": 32, "bins": 2048, "crop": 32_768, "tracks": 74}


def test_a_card_comes_back() -> None:
    spec = parse(TrackSpec, SHAPE, "task.yaml")
    assert spec.label_kind == "tracks"
    assert parse(TrackSpec, spec.to_tree(), "task.yaml") == spec


@pytest.mark.parametrize(
    "change", [{"bins": 2047}, {"crop": 0}, {"tracks": 0}, {"target_type": "int8"}, {"rows": []}]
)
def test_contradictions_are_one_line(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(TrackSpec, SHAPE | change, "task.yaml")
    assert "\n" not in str(caught.value)
