"""The opposite strand of a padded batch, on the device it lies on.

Shapes: ``B`` batch, ``L`` bases.
"""

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from attendna.genome.alphabet import N


def complement(codes: UInt8[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """Complement every base; N stays N."""
    return (codes ^ 3).clamp_(max=int(N))


def reverse_complement(
    codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]
) -> UInt8[Tensor, "B L"]:
    """Every sequence read 5' to 3' on the other strand; padding stays on the right, as N."""
    width = codes.shape[1]
    # Asking a GPU about the lengths would wait for it, so only the CPU takes the short way.
    if codes.device.type == "cpu" and bool((lengths == width).all()):
        return complement(codes.flip(1))
    columns = torch.arange(width, device=codes.device)
    mirrored = lengths[:, None] - 1 - columns
    # Padding points anywhere inside the row and is overwritten afterwards.
    opposite = codes.gather(1, mirrored.clamp(min=0))
    return complement(opposite).masked_fill_(mirrored < 0, int(N))
