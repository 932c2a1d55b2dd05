"""Attention against a softmax written out, in every form it can take."""

import pytest
import torch
from torch import Tensor

from attendna.models.layers.attention import (
    SelfAttention,
    attend,
    fused_is_faster,
    head_width,
)
from attendna.models.layers.positions import RelativeConfig, RotaryConfig


def naive(query: Tensor, key: Tensor, value: Tensor, lengths: list[int]) -> Tensor:
    """Attention of each sequence and head on its own, without padding, in double precision."""
    read = torch.zeros(query.shape, dtype=torch.float64)
    for b, length in enumerate(lengths):
        for h in range(query.shape[1]):
            q, k, v = (x[b, h].double() for x in (query, key, value))
            for i in range(query.shape[2]):
                scores = [float(q[i] @ k[s]) / q.shape[1] ** 0.5 for s in range(length)]
                weights = torch.tensor(scores, dtype=torch.float64).exp()
                read[b, h, i] = (weights[:, None] * v[:length]).sum(0) / weights.sum()
    return read


def random(batch: int, length: int, *, queries: int = 5, grad: bool) -> tuple[Tensor, ...]:
    shapes = [(batch, 2, tokens, 8) for tokens in (queries, length, length)]
    return tuple(torch.randn(shape).requires_grad_(grad) for shape in shapes)


# 7 keys are computed in plain form, 300 in the fused one.
@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(("lengths", "tokens"), [((7, 4, 1), 7), ((300, 123), 300)])
def test_equals_the_softmax_written_out(lengths: tuple[int, ...], tokens: int, grad: bool) -> None:
    query, key, value = random(len(lengths), tokens, grad=grad)
    plain = [x.detach() for x in (query, key, value)]
    mask = torch.arange(tokens) < torch.tensor(lengths)[:, None]
    assert fused_is_faster("cpu", query.dtype, tokens, backward=grad) == (tokens == 300)
    read = attend(query, key, value, mask).detach().double()
    torch.testing.assert_close(read, naive(*plain, list(lengths)), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("tokens", [7, 300])
def test_without_a_mask_every_key_counts(tokens: int) -> None:
    query, key, value = random(2, tokens, grad=False)
    everything = torch.ones(2, tokens, dtype=torch.bool)
    torch.testing.assert_close(attend(query, key, value), attend(query, key, value, everything))


@pytest.mark.parametrize("tokens", [7, 300])
def test_padded_keys_weigh_exactly_nothing(tokens: int) -> None:
    query, key, value = random(2, tokens, grad=False)
    mask = torch.arange(tokens) < torch.tensor([tokens, 3])[:, None]
    expected = attend(query, key, value, mask)
    key[1, :, 3:], value[1, :, 3:] = 1e4, -1e6
    assert torch.equal(attend(query, key, value, mask), expected)


@pytest.mark.parametrize("tokens", [7, 300])
def test_gradients_equal_those_of_the_plain_formula(tokens: int) -> None:
    query, key, value = (x.double().detach() for x in random(2, tokens, grad=False))
    mask = torch.arange(tokens) < torch.tensor([tokens, 3])[:, None]
    inputs = [x.clone().requires_grad_() for x in (query, key, value)]
    attend(*inputs, mask).square().sum().backward()
    plain = [x.clone().requires_grad_() for x in (query, key, value)]
    scores = plain[0] @ plain[1].transpose(-1, -2) / 8**0.5
    weights = scores.masked_fill(~mask[:, None, None], float("-inf")).softmax(-1)
    (weights @ plain[2]).square().sum().backward()
    for one, other in zip(inputs, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_the_form_is_chosen_by_device_type_length_and_direction() -> None:
    half, full = torch.bfloat16, torch.float32
    assert fused_is_faster("cuda", half, 8, backward=True)
    assert not fused_is_faster("cpu", full, 255, backward=False)
    assert fused_is_faster("cpu", half, 256, backward=False)
    assert not fused_is_faster("cpu", full, 256, backward=True)
    assert fused_is_faster("cpu", full, 257, backward=True)
    assert not fused_is_faster("cpu", half, 1536, backward=True)
    assert fused_is_faster("cpu", half, 2000, backward=True)


@torch.no_grad()
def test_self_attention_sees_order_only_through_rotation() -> None:
    layer, x = SelfAttention(16, heads=2), torch.randn(2, 9, 16)
    order = torch.randperm(9)
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])
    rotation = RotaryConfig().build(16, 8).rotation(9, x.device)
    turned = layer(x, None, rotation)
    assert not torch.allclose(layer(x[:, order], None, rotation), turned[:, order], atol=1e-3)


def test_a_width_must_divide_into_its_heads() -> None:
    assert head_width(96, 4) == 24
    with pytest.raises(ValueError, match="width of 10 does not divide into 4 heads"):
        head_width(10, 4)


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("tokens", [7, 300])
def test_a_bias_and_a_scale_enter_the_softmax(tokens: int, grad: bool) -> None:
    query, key, value = (x.double().detach() for x in random(2, tokens, grad=False))
    bias = torch.randn(2, 2, 5, tokens, dtype=torch.float64)
    for x in (query, key, value, bias):
        x.requires_grad_(grad)
    mask = torch.arange(tokens) < torch.tensor([tokens, 3])[:, None]
    read = attend(query, key, value, mask, bias=bias, scale=0.3)
    scores = 0.3 * query @ key.mT + bias
    weights = scores.masked_fill(~mask[:, None, None], float("-inf")).softmax(-1)
    torch.testing.assert_close(read, weights @ value, rtol=0, atol=1e-12)
    read = attend(query, key, value, bias=bias)
    torch.testing.assert_close(read, (query @ key.mT / 8**0.5 + bias).softmax(-1) @ value)
    if grad:
        read.sum().backward()
        assert bias.grad is not None


@torch.no_grad()
def test_relative_self_attention_equals_a_plain_loop() -> None:
    """Queries, keys and distances of each pair of tokens, one by one."""
    positions = RelativeConfig(span=3).build(8, 4).double()
    layer = SelfAttention(8, 2, positions).double()
    x, lengths = torch.randn(2, 7, 8, dtype=torch.float64), [7, 4]
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    read = layer(x, mask, positions.places(7, x.device))
    assert layer.distances is not None
    for row, length in enumerate(lengths):
        query, key, value = layer.project(x[row, :length]).chunk(3, dim=1)
        merged = torch.zeros(length, 8, dtype=torch.float64)
        for part in (slice(0, 4), slice(4, 8)):
            for i in range(length):
                scores = torch.zeros(length, dtype=torch.float64)
                for j in range(length):
                    there, back = (min(max(d + 3, 0), 5) for d in (i - j, j - i))
                    to_key = (layer.distances.key.weight @ positions.table[there])[part]
                    to_query = (layer.distances.query.weight @ positions.table[back])[part]
                    scores[j] = query[i, part] @ key[j, part] + query[i, part] @ to_key
                    scores[j] += key[j, part] @ to_query
                merged[i, part] = (scores / 12**0.5).softmax(0) @ value[:, part]
        torch.testing.assert_close(read[row, :length], layer.merge(merged), rtol=0, atol=1e-13)
