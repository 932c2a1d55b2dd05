from pathlib import Path

import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import FolderError
from attendna.models.checkpoint import load
from attendna.models.enformer import EnformerConfig
from attendna.models.track_checkpoint import Track, TrackCheckpoint, load_tracks, save_tracks

SMALL = {"width": 24, "depth": 1, "stages": 3, "multiple": 4, "bins": None}
ATTENTION = {"heads": 2, "key_width": 4, "sparse": {"block": 4}}


@pytest.fixture
def header() -> TrackCheckpoint:
    config = parse(EnformerConfig, SMALL | {"attention": ATTENTION}, "test")
    tracks = tuple(Track(identifier=str(i), description="d", assay="CAGE") for i in range(3))
    return TrackCheckpoint(run_id="r", model=config, window=800, bin_size=8, heads={"x": tracks})


def test_a_model_comes_back_as_it_was(header: TrackCheckpoint, tmp_path: Path) -> None:
    model = header.build().eval()
    save_tracks(tmp_path, header, model)
    read, again = load_tracks(tmp_path)
    assert read == header
    codes = torch.randint(0, 4, (1, 800), dtype=torch.uint8)
    # The same random blocks, too.
    assert torch.equal(again(codes, "x"), model(codes, "x"))


def test_models_of_tracks_and_of_classes_are_told_apart(
    header: TrackCheckpoint, tmp_path: Path
) -> None:
    save_tracks(tmp_path, header, header.build())
    with pytest.raises(FolderError, match="is a model of tracks, not of classes"):
        load(tmp_path)
    with pytest.raises(FolderError, match="no such run folder"):
        load_tracks(tmp_path / "none")
