"""Block-sparse attention as many small dense ones, in memory that grows linearly with length.

The blocks of queries are taken a chunk at a time, of one head where it is long, of several where
they are short. What a chunk reads is gathered, which is little
enough to stay in the processor's cache, and is thrown away again; the backward pass gathers it a
second time. So nothing is kept but what went in.

Shapes: ``B`` batch, ``H`` heads, ``L`` tokens (a multiple of ``b``), ``C`` width of a key, ``V``
width of a value, ``b`` tokens of a block, ``n`` blocks, ``m`` blocks that one block reads, ``l``
lanes (heads of all sequences of the batch), ``c`` blocks of queries of each, ``K`` keys that a
query reads, ``R`` distances: ``2 L - 1``, from the farthest key before a query to the farthest
after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from attendna.models.layers.sparse.layout import Layout

CHUNK = 24
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
    dropout: float = 0.0,
) -> Float[Tensor, "B H L V"]:
    """``softmax(query key^T + relative)`` over what the layout allows, times ``value``.

    Queries come scaled. ``L`` is the layout's number of blocks times their size. A share
    ``dropout`` of the weights is left out at random, by torch's generator.
    """
    query, key, value, relative = in_one_dtype(query, key, value, relative)
    both = (None, None) if relative is None else relative
    # The draws are made twice, forward and backward, from one number.
    seed = int(torch.randint(2**62, ())) if dropout else 0
    return _ChunkedAttention.apply(query, key, value, *both, mask, layout, _Dropout(dropout, seed))


def in_one_dtype(
    query: Tensor, key: Tensor, value: Tensor, relative: Relative | None
) -> tuple[Tensor, Tensor, Tensor, Relative | None]:
    """The same in one number format: that of autocast where it is on, else the widest of theirs.

    Under autocast a layer's own numbers, such as biases added to queries, are float32 beside
    products in half precision.
    """
    device = query.device.type
    given = query, key, value, *(relative or ())
    if torch.is_autocast_enabled(device):
        wanted = torch.get_autocast_dtype(device)
    else:
        wanted = reduce(torch.promote_types, (x.dtype for x in given))
    query, key, value, *both = (x.to(wanted) for x in given)
    return query, key, value, Relative(*both) if both else None


class _Dropout(NamedTuple):
    share: float
    seed: int

    def generator(self, device: torch.device) -> torch.Generator | None:
        return torch.Generator(device).manual_seed(self.seed) if self.share else None


class _ChunkedAttention(torch.autograd.Function):
    """Weights are computed anew in the backward pass, for nothing of their size is kept.

    Inputs have one dtype. Autocast is off in both passes: the backward pass may run inside or
    outside of it, and must compute the weights as the forward pass did. Scores, softmax and sums
    over blocks are float32 at least.
    """

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
        dropout: _Dropout,
    ) -> Tensor:
        given = query, key, value, relative_query, relative_key
        ctx.save_for_backward(*given, mask)
        ctx.layout, ctx.dropout = layout, dropout
        generator = dropout.generator(query.device)
        read = value.new_empty(*query.shape[:-1], value.shape[-1])
        with torch.autocast(query.device.type, enabled=False):
            inputs = [_factor(x) for x in given]
            for piece in _pieces(layout, query.shape):
                weights, _ = _weights(piece, inputs, mask)
                if generator is not None:
                    weights *= _kept(weights, dropout.share, generator)
                values = piece.read(inputs[2])
                piece.put(read, weights.to(values.dtype) @ values)
        return read

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        *given, mask = ctx.saved_tensors
        with torch.autocast(gradient.device.type, enabled=False):
            inputs = [_factor(x) for x in given]
            totals = _gradients(
                inputs, mask, _factor(gradient.contiguous()), ctx.layout, ctx.dropout
            )
        as_given = [
            None if total is None else total.to(x.dtype)
            for total, x in zip(totals, given, strict=True)
        ]
        return *as_given, None, None, None


def _gradients(
    inputs: Sequence[Any],
    mask: Tensor | None,
    gradient: Float[Tensor, "B H L V"],
    layout: Layout,
    dropout: _Dropout,
) -> list[Any]:
    """Gradients of queries, keys, values, and of what distance adds, from those of what is read."""
    query, key, value, relative_query, relative_key = inputs
    # Many blocks read the same keys: half precision would round their sum at each step.
    totals = [None if x is None else torch.zeros_like(x, dtype=_wide(x.dtype)) for x in inputs]
    of_query, of_key, of_value, of_relative_query, of_relative_key = cast("list[Any]", totals)
    generator, narrow = dropout.generator(gradient.device), gradient.dtype
    for piece in _pieces(layout, query.shape):
        weights, hidden = _weights(piece, inputs, mask)
        wanted = piece.own(gradient)
        of_weights = (wanted @ piece.read(value).mT).to(weights.dtype)
        if generator is None:
            piece.add(of_value, weights.to(narrow).mT @ wanted)
        else:
            kept = _kept(weights, dropout.share, generator)
            piece.add(of_value, (weights * kept).to(narrow).mT @ wanted)
            of_weights *= kept
        of_scores = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        if hidden is not None:
            of_scores.masked_fill_(hidden, 0)
        of_scores = of_scores.to(narrow)
        piece.put(of_query, of_scores @ piece.read(key))
        piece.add(of_key, of_scores.mT @ piece.own(query))
        if relative_query is not None and relative_key is not None:
            of_products = _from_distances(of_scores, piece.size)
            piece.put(of_relative_query, of_products @ piece.far(relative_key))
            piece.add_far(of_relative_key, of_products.mT @ piece.own(relative_query))
    return totals


def _factor(x: Any) -> Any:
    """A factor of matrix products: in float32 on a processor, so that no score is rounded to half
    precision there and all processors give the same."""
    return x if x is None or x.device.type != "cpu" else x.to(_wide(x.dtype))


def _wide(dtype: torch.dtype) -> torch.dtype:
    """Float32 for half precision, else the same."""
    return torch.promote_types(dtype, torch.float32)


def _weights(
    piece: "_Piece", inputs: Sequence[Any], mask: Tensor | None
) -> tuple[Float[Tensor, "c b K"], Bool[Tensor, "c 1 K"] | None]:
    """Attention weights of a piece, and which of its keys are padding."""
    query, key, _, relative_query, relative_key = inputs
    scores = (piece.own(query) @ piece.read(key).mT).to(_wide(query.dtype))
    if relative_query is not None and relative_key is not None:
        products = piece.own(relative_query) @ piece.far(relative_key).mT
        scores += _by_distance(products, piece.size)
    # Not minus infinity: a padded query may have nothing but padding to read.
    least = torch.finfo(scores.dtype).min
    hidden = None
    if mask is not None:
        hidden = ~piece.read_mask(mask)
        scores.masked_fill_(hidden, least)
    by_block = scores.view(len(scores), piece.size, -1, piece.size)
    for block, place in piece.absent:
        by_block[block, :, place] = least
    return scores.softmax(-1), hidden


def _kept(weights: Tensor, share: float, generator: torch.Generator) -> Float[Tensor, "c b K"]:
    """Factors of the weights: 0 for those left out, and more than 1 for the others."""
    drawn = torch.rand(
        weights.shape, generator=generator, dtype=weights.dtype, device=weights.device
    )
    return (drawn >= share) / (1 - share)


def _by_distance(products: Float[Tensor, "c b spans"], size: int) -> Float[Tensor, "c b K"]:
    """Of products with ``2 b - 1`` distances a block, those of each pair's own."""
    apart = products.unflatten(2, (-1, 2 * size - 1))
    # The key at place j of a block lies j - i farther than the block, seen from the query at i:
    # along the skewed view below, a step to the next query is a step back in distance.
    return _skewed(apart, size).flatten(2)


def _from_distances(scores: Float[Tensor, "c b K"], size: int) -> Float[Tensor, "c b spans"]:
    """The transpose of :func:`_by_distance`."""
    blocks = scores.shape[2] // size
    products = scores.new_zeros(*scores.shape[:2], blocks, 2 * size - 1)
    _skewed(products, size).copy_(scores.unflatten(2, (blocks, size)))
    return products.flatten(2)


def _skewed(apart: Float[Tensor, "c b m span"], size: int) -> Float[Tensor, "c b m b"]:
    """A view in which query i begins at distance ``b - 1 - i``."""
    count, _, blocks, _ = apart.shape
    rows = apart.stride(1)
    return apart.as_strided(
        (count, size, blocks, size),
        (apart.stride(0), rows - 1, apart.stride(2), 1),
        apart.storage_offset() + size - 1,
    )


@dataclass(frozen=True, eq=False)
class _Piece:
    """Some blocks of queries of some lanes, and the blocks they read."""

    heads: int
    lanes: slice
    first: int
    """Number of the first block of queries."""
    blocks: Int64[Tensor, "l c m"]
    size: int
    length: int
    absent: tuple[tuple[int, int], ...] = ()
    """Places of ``blocks``, as blocks of the piece and what they read, that hold none."""
    all: bool = False
    """Whether everything is read, in its order."""

    def own(self, x: Float[Tensor, "B H L C"]) -> Float[Tensor, "lc b C"]:
        """The queries' part of a tensor."""
        return self._own(x).reshape(-1, self.size, x.shape[-1])

    def put(self, x: Float[Tensor, "B H L C"], part: Float[Tensor, "lc b C"]) -> None:
        """Write the queries' part of a tensor."""
        self._own(x).copy_(part.view(self.blocks.shape[0], -1, x.shape[-1]))

    def read(self, x: Float[Tensor, "B H L C"]) -> Float[Tensor, "lc K C"]:
        """What the queries read of a tensor."""
        if self.all:
            return x.view(-1, *x.shape[2:])[self.lanes]
        blocks = x.view(-1, self.size * x.shape[-1]).index_select(0, self._places)
        return blocks.view(-1, self.blocks.shape[2] * self.size, x.shape[-1])

    def add(self, total: Float[Tensor, "B H L C"], part: Float[Tensor, "lc K C"]) -> None:
        """Add to what was read; the inverse of :meth:`read`."""
        part = part.to(total.dtype)
        if self.all:
            total.view(-1, *total.shape[2:])[self.lanes] += part
            return
        width = self.size * total.shape[-1]
        total.view(-1, width).index_add_(0, self._places, part.reshape(-1, width))

    def read_mask(self, mask: Bool[Tensor, "B L"]) -> Bool[Tensor, "lc 1 K"]:
        """Which keys that the queries read are there."""
        row = self._lane // self.heads
        if self.all:
            return mask[row, None]
        blocks = mask.view(len(mask), -1, self.size)[row[:, None, None], self.blocks]
        return blocks.view(-1, 1, self.blocks.shape[2] * self.size)

    def far(self, key: Float[Tensor, "H R C"]) -> Float[Tensor, "lc spans C"]:
        """Keys of the distances between the queries' blocks and those they read."""
        keys = key.view(-1, key.shape[-1]).index_select(0, self._distances)
        return keys.view(self.blocks.shape[0] * self.blocks.shape[1], -1, key.shape[-1])

    def add_far(self, total: Float[Tensor, "H R C"], part: Float[Tensor, "lc spans C"]) -> None:
        """Add to the keys of distances; the inverse of :meth:`far`."""
        part = part.flatten(0, 1).to(total.dtype)
        total.view(-1, total.shape[-1]).index_add_(0, self._distances, part)

    def _own(self, x: Float[Tensor, "B H L C"]) -> Float[Tensor, "l tokens C"]:
        queries = slice(self.first * self.size, (self.first + self.blocks.shape[1]) * self.size)
        return x.view(-1, *x.shape[2:])[self.lanes, queries]

    @cached_property
    def _lane(self) -> Int64[Tensor, " l"]:
        return torch.arange(self.lanes.start, self.lanes.stop, device=self.blocks.device)

    @cached_property
    def _places(self) -> Int64[Tensor, " reads"]:
        """Blocks that are read, counted through all lanes."""
        count = self.length // self.size
        return (self.blocks + self._lane[:, None, None] * count).flatten()

    @cached_property
    def _distances(self) -> Int64[Tensor, " rows"]:
        """Rows of the relative keys that the blocks' distances need, ``2 b - 1`` a block."""
        device = self.blocks.device
        own = torch.arange(self.first, self.first + self.blocks.shape[1], device=device)
        middle = (self.blocks - own[:, None]) * self.size + self.length - 1
        middle = middle + (self._lane % self.heads)[:, None, None] * (2 * self.length - 1)
        spread = torch.arange(1 - self.size, self.size, device=device)
        return (middle[..., None] + spread).flatten()


def _pieces(layout: Layout, shape: torch.Size) -> Iterator[_Piece]:
    """All work there is: chunks of blocks that read a few blocks, then blocks that read all."""
    batch, heads, length = shape[:3]
    size, ends, count = layout.config.block, layout.ends, layout.count
    if length != count * size:
        raise ValueError(f"{length} tokens are not {count} blocks of {size}")
    inner = count - 2 * ends
    for lanes in _slices(0, batch * heads, max(1, CHUNK // max(1, inner))):
        of_head = torch.arange(lanes.start, lanes.stop) % heads
        for chunk in _slices(ends, count - ends, CHUNK):
            blocks = layout.blocks[of_head, chunk]
            absent = tuple(map(tuple, (blocks.flatten(0, 1) < 0).nonzero().tolist()))
            yield _Piece(heads, lanes, chunk.start, blocks.clamp(min=0), size, length, absent)
    everything = torch.arange(count)
    for lanes in _slices(0, batch * heads, max(1, CHUNK * 8 // count)):
        for block in layout.global_blocks():
            blocks = everything.expand(lanes.stop - lanes.start, 1, -1)
            yield _Piece(heads, lanes, block, blocks, size, length, all=True)


def _slices(start: int, stop: int, most: int) -> Iterator[slice]:
    """Cut a range into slices of about one size, none larger than ``most``."""
    parts = -(-(stop - start) // most)
    for part in range(parts):
        yield slice(
            start + (stop - start) * part // parts, start + (stop - start) * (part + 1) // parts
        )
