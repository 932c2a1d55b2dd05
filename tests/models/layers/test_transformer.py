"""Blocks of attention, and each kind of feed-forward layer written out."""

import math

import pytest
import torch
from torch import Tensor

from attendna.models.layers.positions import POSITIONS
from attendna.models.layers.transformer import (
    FeedForward,
    FeedForwardKind,
    Transformer,
    TransformerConfig,
)


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def relu(x: Tensor) -> Tensor:
    return x.clamp(min=0)


@pytest.mark.parametrize("kind", ["geglu", "reglu", "relu"])
def test_a_feed_forward_layer_equals_its_formula(kind: FeedForwardKind) -> None:
    layer, x = FeedForward(4, 6, kind).double(), torch.randn(2, 3, 4, dtype=torch.float64)
    inner = x @ layer.expand.weight.T + layer.expand.bias
    if kind != "relu":
        gate = inner[..., :6]
        inner = (gelu(gate) if kind == "geglu" else relu(gate)) * inner[..., 6:]
    else:
        inner = relu(inner)
    expected = inner @ layer.contract.weight.T + layer.contract.bias
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-14)


def test_the_size_of_the_six_task_study() -> None:
    config = TransformerConfig(
        width=512, blocks=4, heads=8, feed="reglu", pooling={"name": "cls"}, feed_width=2048
    )
    model = Transformer(config)
    # 4 d^2 of attention and 3 d h of a gated layer in each block.
    weights = 4 * (4 * 512**2 + 3 * 512 * 2048)
    assert sum(p.numel() for p in model.parameters() if p.dim() == 2) == weights
    x, mask = model.contextualize(torch.randn(1, 10, 512), None)
    assert x.shape == (1, 11, 512)
    assert mask is None


@pytest.mark.parametrize("name", sorted(POSITIONS))
def test_order_is_seen_with_positions_alone(name: str) -> None:
    model = Transformer(TransformerConfig(width=8, heads=2, positions={"name": name})).eval()
    x = torch.randn(1, 9, 8)
    order = torch.randperm(9)
    same = torch.allclose(model.summarize(x[:, order], None), model.summarize(x, None), atol=1e-6)
    assert same == (name == "none")
