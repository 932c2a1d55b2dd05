"""Convolutions, normalization and dropout over ragged sequences, against torch on single ones."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attendna.models.layers.convolution import (
    ChannelDropout,
    Convolution,
    MaskedBatchNorm,
    OneHotConvolution,
    pool_windows,
)

LENGTHS = (11, 3, 8)


def ragged(width: int = 5) -> tuple[Tensor, Tensor]:
    mask = torch.arange(13) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(3, 13, width).masked_fill(~mask[..., None], 1e3), mask


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (4, 1), (5, 3)])
@torch.no_grad()
def test_convolution_equals_conv1d_of_each_sequence(kernel: int, dilation: int) -> None:
    layer = Convolution(5, 7, kernel, dilation=dilation)
    x, mask = ragged()
    y = layer(x, mask)
    reach = (kernel - 1) * dilation
    for row, length in enumerate(LENGTHS):
        alone = F.pad(x[row, :length].T[None], (reach // 2, reach - reach // 2))
        weight = layer.convolve.weight.squeeze(2)
        expected = F.conv1d(alone, weight, layer.convolve.bias, dilation=dilation)
        torch.testing.assert_close(y[row, :length], expected[0].T, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel", [1, 4, 7])
@torch.no_grad()
def test_one_hot_convolution_equals_conv1d_of_one_hot_bases(kernel: int) -> None:
    layer = OneHotConvolution(6, kernel)
    ids = torch.randint(0, 5, (3, 13), dtype=torch.int32)
    mask = torch.arange(13) < torch.tensor(LENGTHS)[:, None]
    y = layer(ids, mask)
    for row, length in enumerate(LENGTHS):
        bases = F.one_hot(ids[row, :length].long(), 5)[:, :4].float()
        alone = F.pad(bases.T[None], ((kernel - 1) // 2, kernel // 2))
        weight = layer.weight.unflatten(1, (kernel, 4)).transpose(1, 2)
        expected = F.conv1d(alone, weight)[0].T
        torch.testing.assert_close(y[row, :length], expected, atol=1e-5, rtol=1e-5)


def test_normalization_learns_from_real_tokens_only() -> None:
    layer, plain = MaskedBatchNorm(5), nn.BatchNorm1d(5)
    x, mask = ragged()
    expected = plain(x[mask])
    y = layer(x, mask)
    torch.testing.assert_close(y[mask], expected)
    assert (y[~mask] == 0).all()
    torch.testing.assert_close(layer.running_mean, plain.running_mean)
    torch.testing.assert_close(layer.running_var, plain.running_var)
    torch.testing.assert_close(layer.eval()(x, mask)[mask], plain.eval()(x[mask]))
    torch.testing.assert_close(layer(x), plain(x.flatten(0, 1)).view_as(x))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_windows_keep_their_largest_real_value(size: int) -> None:
    x, mask = ragged()
    pooled, real = pool_windows(x, mask, size)
    assert real is not None
    for row, length in enumerate(LENGTHS):
        parts = x[row, :length].split(size)
        expected = torch.stack([part.max(0).values for part in parts])
        torch.testing.assert_close(pooled[row, : len(parts)], expected)
        assert real[row].tolist() == [place < len(parts) for place in range(real.shape[1])]
    if size > 1:
        assert (pooled[~real] == 0).all()
    whole, none = pool_windows(x[:1, :11], None, size)
    torch.testing.assert_close(whole[0], pooled[0, : whole.shape[1]])
    assert none is None


def test_dropout_takes_whole_channels_and_keeps_the_mean() -> None:
    layer, x = ChannelDropout(0.25), torch.ones(200, 6, 50)
    y = layer(x)
    torch.testing.assert_close(y.unique(), torch.tensor([0, 4 / 3]))
    assert torch.equal(y.amax(1), y.amin(1))
    assert y.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(ChannelDropout(0.0)(x), x)
