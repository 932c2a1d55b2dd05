"""Convolutions over tokens held as [batch, tokens, channels], blind to padding.

Shapes: ``B`` batch, ``S`` tokens, ``S2`` windows of tokens, ``D`` width in, ``E`` width out.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int32
from torch import Tensor, nn

from attendna.genome.alphabet import N
from attendna.models.layers.padding import Mask, hide_padding


def _channels_last(x: Float[Tensor, "B S D"]) -> Float[Tensor, "B D 1 S"]:
    """The same memory seen as an image of height 1 with its channels last.

    torch's two-dimensional kernels take that layout without a copy, and on a CPU are 1.4 to 3 times
    as fast as the one-dimensional ones.
    """
    return x.transpose(1, 2).unsqueeze(2)


def _tokens_of(image: Float[Tensor, "B D 1 S"]) -> Float[Tensor, "B S D"]:
    """The way back."""
    return image.squeeze(2).transpose(1, 2)


class Convolution(nn.Module):
    """A convolution that keeps the number of tokens; beyond the sequence's ends it reads zeros."""

    def __init__(
        self, width: int, out: int, kernel: int, *, dilation: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.convolve = nn.Conv2d(width, out, (1, kernel), dilation=(1, dilation), bias=bias)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B S E"]:
        """Convolved tokens; what padding holds does not matter."""
        before = (self.kernel - 1) * self.dilation // 2
        after = (self.kernel - 1) * self.dilation - before
        x = F.pad(hide_padding(x, mask), (0, 0, before, after))
        return _tokens_of(self.convolve(_channels_last(x)))


class OneHotConvolution(nn.Module):
    """A convolution without bias over one-hot bases, where N is all zeros; it keeps their number.

    Computed as one matrix product over every base's window, which with four input channels is the
    fastest form on a CPU.
    """

    def __init__(self, out: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        # Drawn as nn.Conv1d draws its weights.
        bound = (4 * kernel) ** -0.5
        self.weight = nn.Parameter(torch.empty(out, 4 * kernel).uniform_(-bound, bound))
        self.register_buffer("one_hot", torch.eye(5, 4), persistent=False)
        self.one_hot: Tensor

    def forward(self, ids: Int32[Tensor, "B S"], mask: Mask = None) -> Float[Tensor, "B S E"]:
        """Convolved bases."""
        if mask is not None:
            ids = ids.masked_fill(~mask, int(N))
        before = (self.kernel - 1) // 2
        ids = F.pad(ids, (before, self.kernel - 1 - before), value=int(N))
        windows = self.one_hot[ids.long()].flatten(1).unfold(1, 4 * self.kernel, 4)
        return F.linear(windows, self.weight)


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalization whose statistics come from real tokens only."""

    def forward(self, input: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B S D"]:  # noqa: A002 - torch's name
        """Normalized tokens; padding comes out as zeros."""
        flat = input.flatten(0, 1)
        if mask is None or not self.training:
            return hide_padding(super().forward(flat).view_as(input), mask)
        places = mask.flatten().nonzero().squeeze(1)
        real = super().forward(flat.index_select(0, places))
        return torch.zeros_like(flat, dtype=real.dtype).index_copy(0, places, real).view_as(input)


def pool_windows(
    x: Float[Tensor, "B S D"], mask: Mask, size: int
) -> tuple[Float[Tensor, "B S2 D"], Bool[Tensor, "B S2"] | None]:
    """The largest value of each channel in every ``size`` tokens, and which windows hold any.

    A last window that is cut short counts.
    """
    if size == 1:
        return x, mask
    if mask is not None:
        x = x.masked_fill(~mask[..., None], float("-inf"))
        mask = F.pad(mask, (0, -x.shape[1] % size)).unflatten(1, (-1, size)).any(2)
    x = F.max_pool2d(_channels_last(x), (1, size), ceil_mode=True)
    return hide_padding(_tokens_of(x), mask), mask


class ChannelDropout(nn.Module):
    """Drops whole channels of a sequence, so that no neighbor can give away what is missing."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """``x`` with the share of channels set to zero and the others scaled up, in training."""
        if not self.training or self.share == 0:
            return x
        keep = x.new_empty(x.shape[0], 1, x.shape[2]).bernoulli_(1 - self.share)
        return x * keep.div_(1 - self.share)
