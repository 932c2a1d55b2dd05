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


@pytest.mark.parametrize("pooling", ["cls", "mean_max"])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("name", sorted(POSITIONS))
def test_some_tokens_cost_less_and_are_the_same(name: str, padded: bool, pooling: str) -> None:
    settings = {"positions": {"name": name}, "pooling": {"name": pooling}, "dropout": 0.5}
    model = Transformer(TransformerConfig(width=8, heads=2, **settings)).double()
    x = torch.randn(3, 9, 8, dtype=torch.float64, requires_grad=True)
    mask = torch.arange(9) < torch.tensor([[9], [6], [8]]) if padded else None
    wanted = torch.tensor([[0, 3], [5, 5], [1, 7]])

    def gradients(read) -> list[Tensor]:
        torch.manual_seed(1)
        return [read, *torch.autograd.grad((read**2).sum(), [x, *model.blocks.parameters()])]

    torch.manual_seed(0)
    among_all = model.contextualize(x, mask)[0].take_along_dim(wanted[..., None], 1)
    torch.manual_seed(0)
    alone = model.contextualize_some(x, mask, wanted)
    for one, other in zip(gradients(alone), gradients(among_all), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    if pooling == "cls":
        torch.manual_seed(0)
        cls = model.contextualize(x, mask)[0][:, 0]
        torch.manual_seed(0)
        torch.testing.assert_close(model.summarize(x, mask), cls, rtol=1e-9, atol=1e-12)


def test_without_blocks_some_tokens_are_taken() -> None:
    model = Transformer(TransformerConfig(width=8, blocks=0))
    x, wanted = torch.randn(2, 5, 8), torch.tensor([[4], [1]])
    expected = model.contextualize(x, None)[0].take_along_dim(wanted[..., None], 1)
    assert torch.equal(model.contextualize_some(x, None, wanted), expected)
