"""What is read in a model of tracks, against its own weights multiplied out."""

import numpy as np
import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError
from attendna.genome.sequences import SequenceBatch
from attendna.interpret import track_attention as module
from attendna.interpret.track_attention import track_attention, track_attention_profiles
from attendna.models.enformer import Enformer, EnformerConfig
from attendna.models.layers.track_attention import TrackAttention

BIN = 8


def model(depth: int = 2, bins: int | None = 20) -> Enformer:
    """A small S-Enformer whose attention outputs are not the zeros of a fresh one."""
    tree = {
        "width": 12, "depth": depth, "stages": 3, "multiple": 2, "bins": bins,
        "attention": {"heads": 2, "key_width": 4, "sparse": {"block": 4, "random": 1}},
    }  # fmt: skip
    torch.manual_seed(0)
    made = parse(EnformerConfig, tree, "test").build({"human": 3})
    for layer in made.modules():
        if isinstance(layer, TrackAttention):
            torch.nn.init.normal_(layer.output.weight)
    return made.double()


def codes(bins: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, bins * BIN, dtype=np.uint8)


def test_readers_are_the_bins_that_are_predicted() -> None:
    made = model().train()
    found = track_attention(made, torch.from_numpy(codes(40)))
    assert made.training
    first, second = (layer.dense().mean(0).numpy() for layer in found.layers)
    readers = np.zeros(40)
    readers[10:30] = 1 / 20
    assert found.read() == pytest.approx(readers @ second)
    half = np.eye(40) / 2
    assert found.rollout() == pytest.approx(readers @ (second / 2 + half) @ (first / 2 + half))
    assert found.rollout().sum() == pytest.approx(1)
    assert found.to_bases(found.read()).reshape(40, BIN).sum(axis=1) == pytest.approx(found.read())


def test_maps_are_whole_or_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = track_attention(model(), torch.from_numpy(codes(42)))
    whole = found.maps()
    assert [layer.shape for layer in whole.layers] == [(2, 42, 42)] * 2
    assert whole.spans[[0, -1]].tolist() == [[0, BIN], [41 * BIN, 42 * BIN]]
    monkeypatch.setattr(module, "WHOLE", 41)
    blocks = found.maps()
    assert [layer.shape for layer in blocks.layers] == [(2, 11, 11)] * 2
    assert blocks.spans[[0, -1]].tolist() == [[0, 4 * BIN], [40 * BIN, 42 * BIN]]
    expected = whole.layers[1][:, 4:8, 8:12].sum(axis=2).mean(axis=1)
    assert blocks.layers[1][:, 1, 2] == pytest.approx(expected)


def test_profiles_lie_on_bases() -> None:
    batch = SequenceBatch.from_codes([codes(40), codes(32, 1)])
    found = track_attention_profiles(model(), batch, ["a", "b"], maps=1)
    assert found.ids == ("a", "b")
    assert np.nansum(found.attention, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert np.isnan(found.rollout[1, 32 * BIN :]).all()
    assert len(found.maps) == 1
    assert np.isfinite(found.mean("attention")).all()


def test_what_cannot_be_looked_at_is_told() -> None:
    batch = SequenceBatch.from_codes([codes(40), codes(40)[:-1]])
    with pytest.raises(DataError, match=r"in.fa, row 2: 319 bases are no whole number of bins"):
        track_attention_profiles(model(), batch, ["a", "b"], source="in.fa")
    with pytest.raises(ConfigError, match="no attention between bins"):
        track_attention(model(depth=0), torch.from_numpy(codes(40)))
