"""Poolings against loops over single sequences without padding."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attendna.models.layers.pooling import (
    POOLINGS,
    AttentionPooling,
    BinsConfig,
    BinsPooling,
    CLSPooling,
    Pooling,
    bin_shares,
)

LENGTHS = (7, 1, 4)


def built(name: str, **settings: int) -> Pooling:
    return POOLINGS[name].model_validate(settings).build(6)


def ragged() -> tuple[Tensor, Tensor]:
    mask = torch.arange(9) < torch.tensor(LENGTHS)[:, None]
    x = torch.randn(3, 9, 6)
    return x.masked_fill(~mask[..., None], 1e6), mask


def attention(layer: Pooling, x: Tensor) -> Tensor:
    assert isinstance(layer, AttentionPooling)
    return torch.cat([layer.score.weight[i].mul(x).sum(1).softmax(0) @ x for i in range(2)])


def bins(layer: Pooling, x: Tensor) -> Tensor:
    assert isinstance(layer, BinsPooling)
    narrow = F.gelu(layer.narrow(x))
    edges = [(k * len(x) / 4, (k + 1) * len(x) / 4) for k in range(4)]
    return torch.cat([narrow[math.floor(a) : math.ceil(b)].mean(0) for a, b in edges])


PLAIN: dict[str, Callable[[Pooling, Tensor], Tensor]] = {
    "mean": lambda _, x: x.mean(0),
    "max": lambda _, x: x.max(0).values,
    "mean_max": lambda _, x: torch.cat([x.mean(0), x.max(0).values]),
    "attention": attention,
    "bins": bins,
    "cls": lambda _, x: x[0],
}
SETTINGS = {"attention": {"queries": 2}, "bins": {"bins": 4, "channels": 3}}


@pytest.mark.parametrize("name", POOLINGS)
@torch.no_grad()
def test_equals_a_loop_over_sequences(name: str) -> None:
    layer = built(name, **SETTINGS.get(name, {}))
    x, mask = ragged()
    pooled = layer(x, mask)
    assert pooled.shape == (3, layer.width)
    for row, length in enumerate(LENGTHS):
        expected = PLAIN[name](layer, x[row, :length])
        torch.testing.assert_close(pooled[row], expected, atol=1e-5, rtol=1e-5)
        alone = layer(x[row : row + 1, :length])
        torch.testing.assert_close(alone[0], expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_as_many_bins_as_tokens_read_every_token_in_its_place() -> None:
    layer, x = BinsConfig(bins=9, channels=3).build(6), torch.randn(2, 9, 6)
    torch.testing.assert_close(layer(x), F.gelu(layer.narrow(x)).flatten(1))


def test_bins_see_where_and_the_mean_does_not() -> None:
    x = torch.zeros(2, 8, 6)
    x[0, 1], x[1, 6] = 1, 1
    where = built("bins")(x)
    assert not torch.allclose(where[0], where[1])
    mean = built("mean")(x)
    assert torch.equal(mean[0], mean[1])


@pytest.mark.parametrize("bins", [1, 3, 5, 16])
def test_shares_of_a_bin_add_to_one_over_real_tokens(bins: int) -> None:
    lengths = torch.arange(1, 12)
    shares = bin_shares(lengths, bins, tokens=14)
    torch.testing.assert_close(shares.sum(2), torch.ones(11, bins))
    for row, length in enumerate(lengths.tolist()):
        assert (shares[row, :, length:] == 0).all()
        assert (shares[row, :, :length].sum(0) > 0).all()


def test_the_learned_token_stands_in_front_and_is_always_real() -> None:
    layer = built("cls")
    assert isinstance(layer, CLSPooling)
    x, mask = ragged()
    longer, wider = layer.prepare(x, mask)
    assert torch.equal(longer[:, 0], layer.token.expand(3, -1))
    assert torch.equal(longer[:, 1:], x)
    assert wider is not None
    assert wider[:, 0].all()
    assert torch.equal(wider[:, 1:], mask)
    assert layer.prepare(x, None)[1] is None
