"""The weights of attention, dense or block-sparse, to be looked at.

No way of computing attention holds them. Here they are computed anew from queries and keys, the
rows of one block of queries at a time: memory grows linearly with length unless all weights are
asked for.

Shapes: ``H`` heads, ``L`` tokens, ``C`` width of a key, ``r`` queries, ``n`` blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attendna.models.layers.sparse.chunked import Relative
from attendna.models.layers.sparse.layout import Layout

BLOCK = 64
"""Tokens of a block where nothing is sparse."""


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """How much of each token (last) every token reads, by each head, in one sequence.

    Queries come scaled, as :func:`.attention.block_sparse_attention` takes them; without a layout
    everything is read. Rows sum to one.
    """

    query: Float[Tensor, "H L C"]
    key: Float[Tensor, "H L C"]
    layout: Layout | None = None
    relative: Relative | None = None
    """Of a batch of one."""

    @property
    def length(self) -> int:
        """Number of tokens."""
        return self.query.shape[1]

    @property
    def block(self) -> int:
        """Tokens of a block."""
        return BLOCK if self.layout is None else self.layout.config.block

    def rows(self, start: int, stop: int) -> Float[Tensor, "H r L"]:
        """Those of the queries from ``start`` to before ``stop``."""
        queries = torch.arange(start, stop, device=self.query.device)
        keys = torch.arange(self.length, device=self.query.device)
        scores = self.query[:, start:stop] @ self.key.mT
        if self.relative is not None:
            products = self.relative.query[0, :, start:stop] @ self.relative.key.mT
            # Distances begin with that of the farthest key before a query.
            apart = keys - queries[:, None] + self.length - 1
            scores = scores + products.gather(2, apart.expand(len(products), -1, -1))
        if self.layout is not None:
            scores = scores.masked_fill(~self._allowed(self.layout, queries, keys), float("-inf"))
        return scores.softmax(-1)

    def dense(self) -> Float[Tensor, "H L L"]:
        """All of them: for lengths of some thousands."""
        return torch.cat(list(self._blocks()), dim=1)

    def by_block(self) -> Float[Tensor, "H n n"]:
        """How much of each block the tokens of a block read, on average; rows sum to one."""
        missing = -self.length % self.block
        means = torch.stack([rows.mean(1) for rows in self._blocks()], dim=1)
        return F.pad(means, (0, missing)).unflatten(2, (-1, self.block)).sum(-1)

    def read_by(self, readers: Float[Tensor, " L"]) -> Float[Tensor, " L"]:
        """How much of each token these shares of readers read, on average over heads."""
        read = torch.zeros_like(readers)
        for rows, shares in zip(self._blocks(), readers.split(self.block), strict=True):
            read += shares @ rows.mean(0).to(readers.dtype)
        return read

    def _blocks(self) -> Iterator[Float[Tensor, "H r L"]]:
        for start in range(0, self.length, self.block):
            yield self.rows(start, min(start + self.block, self.length))

    @staticmethod
    def _allowed(layout: Layout, queries: Tensor, keys: Tensor) -> Bool[Tensor, "H r L"]:
        size, table = layout.config.block, layout.allowed().to(keys.device)
        return table[:, queries // size][:, :, keys // size]
