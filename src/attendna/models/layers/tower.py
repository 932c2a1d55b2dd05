"""The convolutions by which Enformer reads bases into bins.

Source: Avsec et al. 2021.

Shapes: ``B`` batch, ``D`` channels, ``S`` places, ``W`` width of the input.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def fast_gelu(x: Tensor) -> Tensor:
    """``x sigmoid(1.702 x)``, the approximation that Enformer was trained with."""
    return x * torch.sigmoid(1.702 * x)


class ConvolutionBlock(nn.Module):
    """Normalization over the batch, activation, convolution."""

    def __init__(self, width: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.convolution = nn.Conv1d(width, outputs, kernel, padding=kernel // 2)

    def forward(self, x: Float[Tensor, "B W S"]) -> Float[Tensor, "B D S"]:
        """As many places as before."""
        return self.convolution(fast_gelu(self.norm(x)))


class AttentionPool(nn.Module):
    """Of two neighboring places one: their average by weights that the channels decide on."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.logits = nn.Linear(width, width, bias=False)
        with torch.no_grad():
            # In the beginning each channel weighs itself, twice as sharply as a softmax would.
            self.logits.weight.copy_(2 * torch.eye(width))

    def forward(self, x: Float[Tensor, "B D S"]) -> Float[Tensor, "B D half"]:
        """Half as many places; a last one without a neighbor stands for itself."""
        # As a convolution: a product of few channels by many places, with its gradient, ends the
        # process in half precision on processors with matrix units.
        logits = F.conv1d(x, self.logits.weight[..., None])
        if x.shape[2] % 2:
            x = F.pad(x, (0, 1))
            logits = F.pad(logits, (0, 1), value=torch.finfo(logits.dtype).min)
        # A softmax over two is a sigmoid of their difference: it needs no third array.
        first, second = x[..., 0::2], x[..., 1::2]
        weight = torch.sigmoid(logits[..., 0::2] - logits[..., 1::2])
        return torch.lerp(second, first, weight)


class Stage(nn.Module):
    """A convolution, a layer of kernel 1 added to it, and pooling by two."""

    def __init__(self, first: nn.Module, width: int) -> None:
        super().__init__()
        self.first = first
        self.residual = ConvolutionBlock(width, width, 1)
        self.pool = AttentionPool(width)

    def forward(self, x: Float[Tensor, "B W S"]) -> Float[Tensor, "B D half"]:
        """Half as many places."""
        x = self.first(x)
        return self.pool(x + self.residual(x))


class Tower(nn.Module):
    """From bases to bins of ``2 ** stages`` of them."""

    def __init__(self, width: int, stages: int, multiple: int) -> None:
        super().__init__()
        widths = tower_widths(width, stages, multiple)
        self.stages = nn.ModuleList(
            [Stage(nn.Conv1d(4, widths[0], 15, padding=7), widths[0])]
            + [Stage(ConvolutionBlock(one, two, 5), two) for one, two in pairwise(widths)]
        )
        self.bin = 2**stages
        """Bases of a bin."""

    def forward(self, x: Float[Tensor, "B 4 W"]) -> Float[Tensor, "B D S"]:
        """Vectors of all bins."""
        for stage in self.stages:
            x = stage(x)
        return x

    @property
    def halo(self) -> int:
        """Bins beside a stretch that its own bins depend on."""
        # Seven bases in the first stage, two places at the resolution of every later one.
        reach = 7 + sum(2 * 2**stage for stage in range(1, len(self.stages)))
        return math.ceil(reach / self.bin)

    def in_tiles(self, x: Float[Tensor, "B 4 W"], bins: int) -> Float[Tensor, "B D S"]:
        """The same as :meth:`forward` without its memory: ``bins`` bins at a time.

        Exact where normalization uses stored means, that is not while it is trained.
        """
        total, beside = x.shape[2] // self.bin, self.halo
        parts: list[Tensor] = []
        for start in range(0, total, bins):
            stop = min(start + bins, total)
            first, last = max(0, start - beside), min(total, stop + beside)
            part = self(x[:, :, first * self.bin : last * self.bin])
            parts.append(part[:, :, start - first : stop - first])
        return torch.cat(parts, dim=2)


def tower_widths(width: int, stages: int, multiple: int) -> list[int]:
    """Channels after each stage: from half of the width up to it, by equal factors."""
    half = width // 2
    grown = [
        round(half * 2 ** (stage / max(1, stages - 2)) / multiple) * multiple
        for stage in range(stages - 1)
    ]
    return [half, *grown]
