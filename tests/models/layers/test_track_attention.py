"""Attention between bins: dense and sparse forms agree where they must."""

import pytest
import torch

from attendna.core.config import parse
from attendna.models.layers.sparse.layout import BlockConfig
from attendna.models.layers.track_attention import TrackAttention, TrackAttentionConfig


def layer(**settings: object) -> TrackAttention:
    torch.manual_seed(0)
    config = parse(TrackAttentionConfig, {"heads": 2, "key_width": 8} | settings, "test")
    made = TrackAttention(config, 24, 0)
    torch.nn.init.normal_(made.output.weight)
    return made.eval()


@pytest.mark.parametrize("positions", ["relative", "rotary", "none"])
def test_blocks_that_read_everything_are_dense_attention(positions: str) -> None:
    everything = BlockConfig(block=4, random=100)
    dense, sparse = layer(positions=positions), layer(positions=positions, sparse=everything)
    x = torch.randn(2, 37, 24)
    torch.testing.assert_close(sparse(x), dense(x))


@pytest.mark.parametrize("positions", ["relative", "rotary"])
def test_order_is_seen(positions: str) -> None:
    x = torch.randn(1, 40, 24)
    made = layer(positions=positions, sparse=BlockConfig(block=4))
    assert not torch.allclose(made(x).flip(1), made(x.flip(1)), atol=1e-3)
    blind = layer(positions="none")
    torch.testing.assert_close(blind(x).flip(1), blind(x.flip(1)), atol=1e-5, rtol=1e-5)


def test_a_fresh_layer_adds_nothing() -> None:
    fresh = TrackAttention(TrackAttentionConfig(heads=2, key_width=8), 24, 0)
    assert not fresh(torch.randn(1, 9, 24)).any()


def test_layers_draw_their_own_blocks() -> None:
    config = BlockConfig(block=4)
    first, second = (config.layout(200, 2, number) for number in (0, 1))
    assert not torch.equal(first.blocks, second.blocks)


@pytest.mark.parametrize("positions", ["relative", "rotary", "none"])
@pytest.mark.parametrize("sparse", [None, BlockConfig(block=4)])
def test_weights_are_those_the_layer_reads_by(positions: str, sparse: BlockConfig | None) -> None:
    made = layer(positions=positions, sparse=sparse).double()
    x = torch.randn(1, 41, 24, dtype=torch.float64)
    weights = made.weights(x).dense()
    value = made.value(x).unflatten(2, (2, -1)).transpose(1, 2)
    read = made.output((weights @ value[0]).transpose(0, 1).flatten(1))
    # Distances are described in single precision, whatever the layer computes in.
    torch.testing.assert_close(read, made(x)[0], atol=1e-10, rtol=0)
    assert ((weights == 0).any()) == (sparse is not None)
    made.dense = True
    assert not (made.weights(x).dense() == 0).any()
