"""A model of tracks from a run, or from settings."""

from pathlib import Path

import pytest
import torch
import yaml

from attendna.core.errors import ConfigError, FolderError
from attendna.models.enformer import EnformerConfig
from attendna.models.track_checkpoint import Track, TrackCheckpoint, save_tracks
from attendna.models.track_source import ENFORMER_TRACKS, TrackSource

SMALL = {
    "name": "enformer",
    "width": 24,
    "depth": 1,
    "stages": 3,
    "multiple": 4,
    "bins": None,
    "attention": {"heads": 2, "key_width": 4},
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


def test_settings_are_those_of_a_model_or_hold_one(settings: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"model": SMALL, "trainer": {"steps": 3}}))
    for path in (settings, recipe):
        source = TrackSource.open(path, assignments=["model.depth=3"])
        assert (source.name, source.config.depth, source.window) == (path.stem, 3, None)
        assert source.tracks == ENFORMER_TRACKS
        assert source.trained is None


def test_a_run_brings_its_weights(tmp_path: Path) -> None:
    config = EnformerConfig.model_validate(SMALL)
    track = Track(identifier="i", description="d", assay="CAGE")
    header = TrackCheckpoint(
        run_id="r", model=config, window=800, bin_size=8, heads={"human": (track,) * 3}
    )
    model = header.build()
    save_tracks(tmp_path / "run", header, model)
    source = TrackSource.open(tmp_path / "run")
    assert (source.name, source.tracks, source.window) == ("run", {"human": 3}, 800)
    assert source.trained is not None
    for name, weight in model.state_dict().items():
        assert torch.equal(source.trained.state_dict()[name], weight)
    with pytest.raises(ConfigError, match="is a run, which has its own settings; drop --tracks"):
        TrackSource.open(tmp_path / "run", tracks=["human=2"])


def test_random_weights_let_bins_know_of_each_other(settings: Path) -> None:
    source = TrackSource.open(settings, tracks=["x=2"])
    before = torch.random.get_rng_state()
    model = source.with_random_weights(7)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not model.training
    assert model.blocks[0].attention.output.weight.std() > 0.01
    codes = torch.zeros(1, 800, dtype=torch.uint8)
    changed = codes.clone()
    changed[0, 4] = 1
    moved = (model(codes, "x") - model(changed, "x")).abs()
    assert moved[0, -1].min() > 0
    assert torch.equal(source.with_random_weights(7)(codes, "x"), model(codes, "x"))
    assert not torch.equal(source.with_random_weights(8)(codes, "x"), model(codes, "x"))


def test_wrong_input_is_told(settings: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--tracks human is no head; write HEAD=NUMBER"):
        TrackSource.open(settings, tracks=["human"])
    with pytest.raises(ConfigError, match="widht"):
        TrackSource.open(settings, assignments=["model.widht=3"])
    with pytest.raises(FolderError, match="no such run folder"):
        TrackSource.open(tmp_path / "nothing")
    source = TrackSource.open(settings)
    assert source.choose_head(None) == "human"
    assert source.choose_head("mouse") == "mouse"
    with pytest.raises(ConfigError, match="no head 'rat'; choose one of human, mouse"):
        source.choose_head("rat")
