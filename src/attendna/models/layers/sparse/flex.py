"""Block-sparse attention on a GPU, by torch's FlexAttention: one kernel that skips blocks.

Shapes: ``B`` batch, ``H`` heads, ``L`` tokens, ``C`` width of a key, ``V`` width of a value.
"""

from functools import lru_cache
from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from attendna.models.layers.sparse.layout import Layout


def flex_attention_of(
    query: Float[Tensor, "B H L C"],
    key: Float[Tensor, "B H L C"],
    value: Float[Tensor, "B H L V"],
    layout: Layout,
    mask: Bool[Tensor, "B L"] | None = None,
) -> Float[Tensor, "B H L V"]:
    """Attention over what the layout allows; queries come scaled, ``L`` is whole blocks."""
    score: Any = None
    if mask is not None:
        known, least = mask, torch.finfo(query.dtype).min
        # A lambda: what checks the types of functions in tests cannot be compiled.
        score = lambda value, row, head, at, to: torch.where(known[row, to], value, least)  # noqa: ARG005, E731  # pyright: ignore[reportUnknownLambdaType]
    run = _compiled() if query.is_cuda else flex_attention
    read = run(
        query, key, value, score_mod=score, block_mask=block_mask(layout, query.device), scale=1.0
    )
    return cast("Tensor", read)


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return torch.compile(flex_attention, dynamic=False)


@lru_cache(maxsize=64)
def block_mask(layout: Layout, device: torch.device) -> BlockMask:
    """The layout as FlexAttention has it: of every block, how many it reads whole, and which."""
    allowed = layout.allowed()
    counts = allowed.sum(-1, dtype=torch.int32)
    # Those that are read come first, in their order.
    order = torch.argsort((~allowed).to(torch.uint8), dim=-1, stable=True).to(torch.int32)
    table = allowed.to(device)
    size = layout.config.block

    none = torch.zeros_like(counts)
    return BlockMask.from_kv_blocks(
        kv_num_blocks=none[None].to(device),
        kv_indices=order[None].to(device),
        full_kv_num_blocks=counts[None].to(device),
        full_kv_indices=order[None].to(device),
        BLOCK_SIZE=size,
        # Asked only about blocks that are read in part: there are none.
        mask_mod=lambda row, head, at, to: table[head, at // size, to // size],  # noqa: ARG005
        seq_lengths=(layout.count * size, layout.count * size),
    )
