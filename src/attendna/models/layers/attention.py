"""Self-attention, computed in whichever exact form is fastest where it runs.

Shapes: ``B`` batch, ``H`` heads, ``Q`` queries, ``S`` tokens (keys), ``C`` width of a head, ``D``
width of all heads.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attendna.models.layers.padding import Mask
from attendna.models.layers.positions import Rotation, rotate

# Measured on two x86-64 cores; see benchmarks/. The fused kernel keeps no matrix of scores, but its
# backward on the CPU is slow, in half precision most of all.
FUSED_FROM_FORWARD_ONLY = 256
FUSED_FROM_FLOAT = 257
FUSED_FROM_HALF = 1537


def fused_is_faster(device: str, dtype: torch.dtype, length: int, *, backward: bool) -> bool:
    """Whether torch's fused attention beats two matrix products around a softmax.

    Parameters
    ----------
    length
        Number of keys.
    backward
        Whether gradients will be asked for.
    """
    if device != "cpu":
        return True
    if not backward:
        return length >= FUSED_FROM_FORWARD_ONLY
    half = dtype in (torch.bfloat16, torch.float16)
    return length >= (FUSED_FROM_HALF if half else FUSED_FROM_FLOAT)


def attend(
    query: Float[Tensor, "B H Q C"],
    key: Float[Tensor, "B H S C"],
    value: Float[Tensor, "B H S C"],
    mask: Bool[Tensor, "B S"] | None = None,
) -> Float[Tensor, "B H Q C"]:
    """``softmax(query key^T / sqrt(C)) value`` over the keys that ``mask`` calls real.

    Padded keys get a weight of exactly zero.
    """
    backward = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    if fused_is_faster(query.device.type, query.dtype, key.shape[2], backward=backward):
        allowed = None if mask is None else mask[:, None, None, :]
        return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    # Scaling the queries touches C numbers a row, scaling the scores S.
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return scores.softmax(-1).to(value.dtype) @ value


def head_width(width: int, heads: int) -> int:
    """Channels of each head; a width that does not divide raises ``ValueError``."""
    if width % heads:
        raise ValueError(f"a width of {width} does not divide into {heads} heads")
    return width // heads


class SelfAttention(nn.Module):
    """Every token reads every real token of its sequence, with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)

    def forward(
        self, x: Float[Tensor, "B S D"], mask: Mask = None, rotation: Rotation | None = None
    ) -> Float[Tensor, "B S D"]:
        """The tokens' readings; ``rotation`` turns queries and keys by their positions."""
        batch, length, width = x.shape
        heads = self.project(x).view(batch, length, 3, self.heads, head_width(width, self.heads))
        pair, value = heads.permute(2, 0, 3, 1, 4).split((2, 1))
        query, key = (pair if rotation is None else rotate(pair, rotation)).unbind(0)
        read = attend(query, key, value.squeeze(0), mask)
        return self.merge(read.transpose(1, 2).reshape(batch, length, width))
