from pathlib import Path

import pytest

from attendna.core.errors import ConfigError
from attendna.training.tracks.config import TrackRunConfig, is_track_run


@pytest.mark.parametrize("name", ["enformer", "s_enformer", "enformer_small", "s_enformer_small"])
def test_every_recipe_of_tracks_is_read(repository: Path, name: str) -> None:
    path = repository / "recipes" / f"{name}.yaml"
    assert is_track_run(path)
    config = TrackRunConfig.read(path)
    sparse = config.model.attention.sparse
    assert (sparse is not None) == name.startswith("s_")


def test_recipes_of_classes_are_told_apart(repository: Path) -> None:
    assert not is_track_run(repository / "recipes" / "classify.yaml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model: {name: enformer}\ndistillation: {}\n", "give start"),
        ("model: {name: enformer}\nstart: {}\n", "give run or port"),
        ("model: {name: enformer}\ntrainer: {stepz: 1}\n", "steps"),
        ("format: 9\nmodel: {name: enformer}\n", "has format 9"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        TrackRunConfig.read(path)
