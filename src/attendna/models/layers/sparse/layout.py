"""Which blocks of keys every block of queries reads.

After Zaheer et al. 2020, "Big Bird": a window of neighboring blocks, the first and the last block,
which also read everything, and random blocks, drawn for every head from all blocks that are left.

Shapes: ``H`` heads, ``n`` blocks, ``m`` blocks that one block reads.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Int64
from numpy import ndarray
from pydantic import Field, model_validator
from torch import Tensor

from attendna.core.config import Config

ABSENT = -1


class BlockConfig(Config):
    """Settings of block-sparse attention; the defaults are those of S-Enformer."""

    block: int = Field(default=64, ge=1)
    """Tokens of a block."""
    window: int = Field(default=3, ge=1)
    """Neighboring blocks that are read, the block itself in their middle."""
    ends: int = Field(default=1, ge=0)
    """Blocks at either end that are read by all and read all."""
    random: int = Field(default=3, ge=0)
    """Random blocks for every block and head."""
    seed: int = Field(default=0, ge=0)
    """Of the random blocks, which are the same in training and ever after."""

    @model_validator(mode="after")
    def _odd(self) -> "BlockConfig":
        if self.window % 2 == 0:
            raise ValueError(
                f"window={self.window} has no middle block: it must be odd, as 1, 3 or 5"
            )
        return self

    def layout(self, length: int, heads: int, layer: int = 0) -> "Layout":
        """The layout for a number of tokens; ``layer`` tells the draws of layers apart."""
        count = -(-length // self.block)
        return _layout(self, count, heads, layer)  # pyright: ignore[reportArgumentType]


class Layout:
    """Blocks of keys that each block of queries reads, in every head."""

    def __init__(self, blocks: Int64[ndarray, "H n m"], config: BlockConfig) -> None:
        self.config = config
        self.heads, self.count, self.reads = blocks.shape
        self.ends = min(config.ends, self.count)
        self.blocks: Int64[Tensor, "H n m"] = torch.from_numpy(blocks)
        """Numbers of the blocks; :data:`ABSENT` where a block reads fewer than others. The rows of
        the blocks at the ends, which read everything, are not used."""
        self.full = bool(self.allowed().all())
        """Whether every block reads every other, so that nothing is sparse."""

    def global_blocks(self) -> list[int]:
        """Numbers of the blocks that read everything."""
        first = list(range(self.ends))
        return first + [b for b in range(self.count - self.ends, self.count) if b not in first]

    def allowed(self) -> Bool[Tensor, "H n n"]:
        """Which block reads which, as a dense table."""
        table = torch.zeros(self.heads, self.count, self.count + 1, dtype=torch.bool)
        table.scatter_(2, torch.where(self.blocks < 0, self.count, self.blocks), value=True)
        table = table[:, :, :-1].clone()
        table[:, self.global_blocks()] = True
        return table


@lru_cache(maxsize=64)
def _layout(config: BlockConfig, count: int, heads: int, layer: int) -> Layout:
    places = np.arange(count)
    near = np.abs(places[:, None] - places) <= config.window // 2
    at_ends = (places < config.ends) | (places >= count - config.ends)
    certain = near | at_ends
    wanted = np.minimum(certain.sum(1) + config.random, count)
    # Philox is counter-based and its numbers are fixed for all time, unlike those of `choice`.
    bits = np.random.Philox(key=[config.seed, layer])
    rows = np.empty((heads, count, int(wanted.max())), dtype=np.int64)
    for head in range(heads):
        # The blocks with the smallest numbers are drawn; the certain ones come before all.
        order = (bits.random_raw(count * count) >> np.uint64(1)).reshape(count, count) + 1
        order[certain] = 0
        drawn = np.argsort(order, axis=1, kind="stable")[:, : rows.shape[2]]
        kept = np.arange(rows.shape[2]) < wanted[:, None]
        rows[head] = np.sort(np.where(kept, drawn, count), axis=1)
    rows[rows == count] = ABSENT
    return Layout(rows, config)
