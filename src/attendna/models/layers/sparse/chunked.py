"""Block-sparse attention as many small dense ones, in memory that grows linearly with length.

The blocks of queries are taken a chunk at a time. What a chunk reads is gathered, which is little
enough to stay in the processor's cache, and is thrown away again; the backward pass gathers it a
second time. So nothing is kept but what went in.

Shapes: ``B`` batch, ``H`` heads, ``L`` tokens (a multiple of ``b``), ``C`` width of a key, ``V``
width of a value, ``b`` tokens of a block, ``n`` blocks, ``m`` blocks that one block reads, ``c``
blocks of a chunk, ``K`` keys that a query reads, ``R`` distances: ``2 L - 1``, from the farthest
key before a query to the farthest after it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from attendna.models.layers.sparse.layout import Layout

CHUNK = 8
"""Blocks of queries computed at a time; measured, see benchmarks/."""


class Relative(NamedTuple):
    """What distance adds to a score: the product of a query and the key of the distance."""

    query: Float[Tensor, "B H L C"]
    key: Float[Tensor, "H R C"]


def chunked_attention(
    query: Float[Tensor, "B H L C"],
    key: Float[Tensor, "B H L C"],
    value: Float[Tensor, "B H L V"],
    layout: Layout,
    *,
    mask: Bool[Tensor, "B L"] | None = None,
    relative: Relative | None = None,
) -> Float[Tensor, "B H L V"]:
    """``softmax(query key^T + relative)`` over what the layout allows, times ``value``.

    Queries come scaled. ``L`` is the layout's number of blocks times their size.
    """
    both = (None, None) if relative is None else relative
    return _ChunkedAttention.apply(query, key, value, *both, mask, layout)


class _ChunkedAttention(torch.autograd.Function):
    """A chunk's gradient is that of its own small graph, built anew in the backward pass."""

    @staticmethod
    def forward(  # noqa: PLR0917  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        relative_query: Tensor | None,
        relative_key: Tensor | None,
        mask: Tensor | None,
        layout: Layout,
    ) -> Tensor:
        inputs = query, key, value, relative_query, relative_key
        ctx.save_for_backward(*inputs, mask)
        ctx.layout = layout
        read = value.new_empty(*query.shape[:-1], value.shape[-1])
        for piece in _pieces(layout, query.shape):
            read[piece.row, piece.head, piece.queries] = _attend(piece.gather(inputs, mask))
        return read

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        *inputs, mask = ctx.saved_tensors
        totals = [None if x is None else torch.zeros_like(x) for x in inputs]
        for piece in _pieces(ctx.layout, inputs[0].shape):
            gathered = piece.gather(inputs, mask)
            leaves = [x.requires_grad_() for x in gathered[:5] if x is not None]
            with torch.enable_grad():
                read = _attend(gathered)
            wanted = gradient[piece.row, piece.head, piece.queries]
            piece.scatter(totals, iter(torch.autograd.grad(read, leaves, wanted)))
        return *totals, None, None


class _Gathered(NamedTuple):
    """What one piece of work reads."""

    query: Float[Tensor, "c b C"]
    key: Float[Tensor, "c K C"]
    value: Float[Tensor, "c K V"]
    relative_query: Float[Tensor, "c b C"] | None
    relative_key: "Float[Tensor, 'c spans C'] | None"
    hidden: Bool[Tensor, "c 1 K"] | None


def _attend(one: _Gathered) -> Float[Tensor, "tokens V"]:
    scores = one.query @ one.key.mT
    if one.relative_query is not None and one.relative_key is not None:
        scores = scores + _by_distance(one.relative_query, one.relative_key)
    if one.hidden is not None:
        # Not minus infinity: a padded query may have nothing but padding to read.
        scores = scores.masked_fill(one.hidden, torch.finfo(scores.dtype).min)
    return (scores.softmax(-1) @ one.value).flatten(0, 1)


def _by_distance(
    query: Float[Tensor, "c b C"], key: "Float[Tensor, 'c spans C']"
) -> Float[Tensor, "c b K"]:
    """Products with the key of each pair's distance; ``key`` holds ``2 b - 1`` for each block."""
    size = query.shape[1]
    products = (query @ key.mT).unflatten(2, (-1, 2 * size - 1))
    places = torch.arange(size, device=query.device)
    # The key at place j of a block lies j - i farther than the block, seen from the query at i.
    index = (places - places[:, None] + size - 1)[None, :, None]
    shape = *products.shape[:3], size
    return products.gather(3, index.expand(shape)).flatten(2)


class _Piece(NamedTuple):
    """Some blocks of queries of one head of one sequence, and what they read."""

    row: int
    head: int
    first: int
    """Number of the first block of queries."""
    blocks: Int64[Tensor, "c m"]
    absent: Bool[Tensor, "c m"] | None
    size: int

    @property
    def queries(self) -> slice:
        return slice(self.first * self.size, (self.first + len(self.blocks)) * self.size)

    def gather(self, inputs: Any, mask: Tensor | None) -> _Gathered:
        """The small tensors of this piece, and which of its keys are hidden."""
        query, key, value, relative_query, relative_key = inputs
        count, reads = self.blocks.shape
        flat = self.blocks.flatten()

        def own(x: Tensor) -> Tensor:
            return x[self.row, self.head, self.queries].detach().unflatten(0, (count, self.size))

        def read(x: Tensor) -> Tensor:
            blocks = x[self.row, self.head].detach().view(-1, self.size * x.shape[-1])
            return blocks.index_select(0, flat).view(count, reads * self.size, x.shape[-1])

        hidden = None
        if mask is not None:
            hidden = ~mask[self.row].view(-1, self.size)[self.blocks].view(count, 1, -1)
        if self.absent is not None:
            absent = self.absent[:, :, None].expand(-1, -1, self.size).reshape(count, 1, -1)
            hidden = absent if hidden is None else hidden | absent
        own_relative = None if relative_query is None else own(relative_query)
        distances = None
        if relative_key is not None:
            distances = relative_key[self.head].detach().index_select(0, self._distances(query))
            distances = distances.view(count, -1, relative_key.shape[-1])
        return _Gathered(own(query), read(key), read(value), own_relative, distances, hidden)

    def scatter(self, totals: "list[Tensor | None]", gradients: Iterator[Tensor]) -> None:
        """Add the gradients of what was gathered to those of the whole."""
        query, key, value, relative_query, relative_key = totals
        flat = self.blocks.flatten()
        for place, total in enumerate((query, key, value, relative_query)):
            if total is None:
                continue
            gradient, of_head = next(gradients), total[self.row, self.head]
            if place in (1, 2):
                width = self.size * total.shape[-1]
                of_head.view(-1, width).index_add_(0, flat, gradient.reshape(-1, width))
            else:
                of_head[self.queries] += gradient.flatten(0, 1)
        if relative_key is not None and query is not None:
            relative_key[self.head].index_add_(
                0, self._distances(query), next(gradients).flatten(0, 1)
            )

    def _distances(self, query: Tensor) -> Int64[Tensor, " rows"]:
        """Rows of the relative keys that the blocks' distances need, ``2 b - 1`` a block."""
        own = torch.arange(self.first, self.first + len(self.blocks), device=self.blocks.device)
        nearest = (self.blocks - own[:, None]) * self.size + query.shape[2] - 1
        spread = torch.arange(1 - self.size, self.size, device=self.blocks.device)
        return (nearest[:, :, None] + spread).flatten()


def _pieces(layout: Layout, shape: torch.Size) -> Iterator[_Piece]:
    """All work there is: chunks of blocks that read a few blocks, then blocks that read all."""
    batch, heads, length = shape[:3]
    size, ends, count = layout.config.block, layout.ends, layout.count
    if length != count * size:
        raise ValueError(f"{length} tokens are not {count} blocks of {size}")
    everything = torch.arange(count)[None]
    for row in range(batch):
        for head in range(heads):
            for first in range(ends, count - ends, CHUNK):
                blocks = layout.blocks[head, first : min(first + CHUNK, count - ends)]
                absent = blocks < 0
                some = bool(absent.any())
                yield _Piece(row, head, first, blocks.clamp(min=0), absent if some else None, size)
            for block in layout.global_blocks():
                yield _Piece(row, head, block, everything, None, size)
