"""Block-sparse attention, computed the fastest exact way for the device and the length.

Where every block reads every other, nothing is sparse and torch's own attention does it. Short
sequences go through it, too, under a mask: what is skipped there costs more than it saves. On CUDA
FlexAttention skips blocks inside one kernel. Everything else is :mod:`.chunked`.

Shapes: ``B`` batch, ``H`` heads, ``L`` tokens, ``C`` width of a key, ``V`` width of a value, ``R``
distances, ``2 L - 1``.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attendna.models.layers.relative import shift_relative
from attendna.models.layers.sparse.chunked import Relative, chunked_attention, in_one_dtype
from attendna.models.layers.sparse.flex import flex_attention_of
from attendna.models.layers.sparse.layout import Layout

SHORT = 20
"""Blocks up to which dense attention under a mask is faster on a processor; measured, see
``python -m benchmarks attention``."""


def block_sparse_attention(
    query: Float[Tensor, "B H L C"],
    key: Float[Tensor, "B H L C"],
    value: Float[Tensor, "B H L V"],
    layout: Layout,
    *,
    mask: Bool[Tensor, "B L"] | None = None,
    relative: Relative | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "B H L V"]:
    """``softmax(query key^T + relative)`` over what the layout allows, times ``value``.

    Queries come scaled. ``L`` may be any length of ``layout.count`` blocks, of which the last may
    be part: what is missing of it is padding. Padded queries give numbers that mean nothing.

    Raises
    ------
    ValueError
        The layout is of another length.
    """
    query, key, value, relative = in_one_dtype(query, key, value, relative)
    length = query.shape[2]
    if -(-length // layout.config.block) != layout.count:
        raise ValueError(f"{length} tokens are not {layout.count} blocks of {layout.config.block}")
    if layout.full or (layout.count <= SHORT and query.device.type == "cpu"):
        bias = None if layout.full else _bias(layout, length, query.dtype, query.device)
        return dense_attention(
            query, key, value, bias=bias, mask=mask, relative=relative, dropout=dropout
        )
    padding = layout.count * layout.config.block - length
    if padding:
        if mask is None:
            mask = torch.ones(query.shape[0], length, dtype=torch.bool, device=query.device)
        mask = F.pad(mask, (0, padding))
        query, key, value = (F.pad(x, (0, 0, 0, padding)) for x in (query, key, value))
        if relative is not None:
            # Distances beyond those of the length are only ever between padding.
            relative = Relative(
                F.pad(relative.query, (0, 0, 0, padding)),
                F.pad(relative.key, (0, 0, padding, padding)),
            )
    query, key, value = (x.contiguous() for x in (query, key, value))
    if query.device.type == "cuda" and relative is None and not dropout:
        read = flex_attention_of(query, key, value, layout, mask)
    else:
        if relative is not None:
            relative = Relative(relative.query.contiguous(), relative.key.contiguous())
        read = chunked_attention(
            query, key, value, layout, mask=mask, relative=relative, dropout=dropout
        )
    return read[:, :, :length]


def dense_attention(
    query: Float[Tensor, "B H L C"],
    key: Float[Tensor, "B H L C"],
    value: Float[Tensor, "B H L V"],
    *,
    bias: Float[Tensor, "1 H L L"] | None = None,
    mask: Bool[Tensor, "B L"] | None = None,
    relative: Relative | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "B H L V"]:
    """``softmax(query key^T + relative + bias) value`` by torch's function; queries come scaled."""
    query, key, value, relative = in_one_dtype(query, key, value, relative)
    if relative is not None:
        apart = shift_relative(relative.query @ relative.key.mT)
        bias = apart if bias is None else apart + bias
    if mask is not None:
        if bias is None:
            bias = query.new_zeros(1, 1, 1, query.shape[2])
        # Not minus infinity: a padded query may have nothing but padding to read.
        bias = bias.masked_fill(~mask[:, None, None], torch.finfo(query.dtype).min)
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, dropout_p=dropout, scale=1.0
    )


@lru_cache(maxsize=16)
def _bias(
    layout: Layout, length: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "1 H L L"]:
    """Zero where the layout allows, and the least number elsewhere."""
    size = layout.config.block
    table = layout.allowed().repeat_interleave(size, 1).repeat_interleave(size, 2)
    hidden = ~table[:, :length, :length]
    return (
        torch.zeros(hidden.shape, dtype=dtype)
        .masked_fill(hidden, torch.finfo(dtype).min)[None]
        .to(device)
    )
