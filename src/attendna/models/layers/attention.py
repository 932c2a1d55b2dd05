"""Self-attention, computed in whichever exact form is fastest where it runs.

Shapes: ``B`` batch, ``H`` heads, ``Q`` queries, ``S`` tokens (keys), ``C`` width of a head, ``D``
width of all heads.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from attendna.models.layers.padding import Mask
from attendna.models.layers.positions import Distances, Places, Positions, Rotation, rotate

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
    *,
    bias: Float[Tensor, "B H Q S"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "B H Q C"]:
    """``softmax(scale query key^T + bias) value`` over the keys that ``mask`` calls real.

    Padded keys get a weight of exactly zero. The scale is ``1 / sqrt(C)`` where none is given.
    """
    factor: float = query.shape[-1] ** -0.5 if scale is None else scale
    backward = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    device = query.device.type
    # The fused kernel of the CPU has no gradient of a bias; torch then computes it in plain form.
    fits = bias is None or device != "cpu" or not backward
    if fits and fused_is_faster(device, query.dtype, key.shape[2], backward=backward):
        allowed = None if mask is None else mask[:, None, None, :]
        if bias is not None:
            allowed = bias if allowed is None else bias.masked_fill(~allowed, float("-inf"))
        return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, scale=factor)
    # Scaling the queries touches C numbers a row, scaling the scores S.
    scores = (query * factor) @ key.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return scores.softmax(-1).to(value.dtype) @ value


def head_width(width: int, heads: int) -> int:
    """Channels of each head; a width that does not divide raises ``ValueError``."""
    if width % heads:
        raise ValueError(f"a width of {width} does not divide into {heads} heads")
    return width // heads


class SelfAttention(nn.Module):
    """Every token reads every real token of its sequence, with several heads.

    Parameters
    ----------
    positions
        How the model tells where tokens stand, which may need weights of every layer.
    """

    def __init__(self, width: int, heads: int, positions: Positions | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.distances = None if positions is None else positions.distance_scores(width, heads)

    def forward(
        self,
        x: Float[Tensor, "B S D"],
        mask: Mask = None,
        places: Places = None,
        wanted: Int64[Tensor, "B Q"] | None = None,
    ) -> Float[Tensor, "B Q D"]:
        """The tokens' readings, of all or of those at ``wanted`` alone.

        ``places`` says where they stand, if that matters.
        """
        query, key, value, bias, scale = self._parts(x, places)
        if wanted is not None:
            rows = wanted[:, None, :, None]
            query = query.take_along_dim(rows, 2)
            bias = None if bias is None else bias.take_along_dim(rows, 2)
        read = attend(query, key, value, mask, bias=bias, scale=scale)
        return self.merge(read.transpose(1, 2).flatten(2))

    def weights(
        self,
        x: Float[Tensor, "B S D"],
        mask: Mask = None,
        places: Places = None,
        wanted: Int64[Tensor, "B Q"] | None = None,  # noqa: ARG002 - all are to be looked at
    ) -> Float[Tensor, "B H S S"]:
        """How much of each token (last) every token reads, by each head; to be looked at.

        The fused ways of computing attention never hold these numbers. Takes what ``forward`` does.
        """
        query, key, _, bias, scale = self._parts(x, places)
        factor = query.shape[-1] ** -0.5 if scale is None else scale
        scores = (query * factor) @ key.transpose(-1, -2)
        scores = scores if bias is None else scores + bias
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
        return scores.softmax(-1)

    def _parts(
        self, x: Float[Tensor, "B S D"], places: Places
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None, float | None]:
        """Queries, keys and values of each head, and the bias and scale of their scores."""
        batch, length, width = x.shape
        heads = self.project(x).view(batch, length, 3, self.heads, head_width(width, self.heads))
        pair, value = heads.permute(2, 0, 3, 1, 4).split((2, 1))
        query, key = (rotate(pair, places) if isinstance(places, Rotation) else pair).unbind(0)
        bias, scale = None, None
        if self.distances is not None and isinstance(places, Distances):
            bias, scale = self.distances(query, key, places), self.distances.scale
        return query, key, value.squeeze(0), bias, scale
