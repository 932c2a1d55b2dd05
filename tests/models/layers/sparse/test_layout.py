"""Which blocks read which."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from attendna.models.layers.sparse.layout import ABSENT, BlockConfig
from attendna.models.layers.sparse.layout import _layout as layouts


def test_every_block_reads_its_window_the_ends_and_as_many_random_blocks_as_asked() -> None:
    config = BlockConfig(block=4, window=3, ends=1, random=3)
    layout = config.layout(4 * 24, heads=8)
    assert (layout.heads, layout.count, layout.reads, layout.full) == (8, 24, 8, False)
    allowed = layout.allowed()
    assert allowed[:, [0, 23]].all()
    assert allowed[:, :, [0, 23]].all()
    for block in range(1, 23):
        certain = {0, 23, block - 1, block, block + 1}
        assert allowed[:, block, sorted(certain)].all()
        assert (allowed[:, block].sum(1) == len(certain) + 3).all()
        absent = (layout.blocks[:, block] == ABSENT).sum(1)
        assert (absent == 8 - len(certain) - 3).all()


def test_random_blocks_come_from_all_that_are_left_about_as_often() -> None:
    """The paper's code drew from nine blocks of twenty-four."""
    config = BlockConfig()
    drawn = torch.zeros(24, 24)
    for layer in range(400):
        drawn += config.layout(64 * 24, heads=8, layer=layer).allowed().float().mean(0) / 400
    certain = (np.abs(np.subtract.outer(np.arange(24), np.arange(24))) <= 1).astype(bool)
    certain[:, [0, 23]] = certain[[0, 23]] = True
    assert (drawn[torch.from_numpy(certain)] > 1 - 1e-5).all()
    for block in range(1, 23):
        left = torch.from_numpy(~certain[block])
        expected = 3 / int(left.sum())
        # 3,200 draws: five standard deviations.
        assert (drawn[block, left] - expected).abs().max() < 5 * np.sqrt(expected / 3200)


def test_random_blocks_cover_every_admissible_one() -> None:
    """Over the layers and heads of Enformer every block draws all blocks it may draw.

    In the paper's code the random blocks of all layers and heads are the same nine of twenty-four.
    """
    drawn = torch.zeros(24, 24, dtype=torch.bool)
    for layer in range(11):
        drawn |= BlockConfig().layout(64 * 24, heads=8, layer=layer).allowed().any(0)
    at_random = torch.zeros(24, dtype=torch.bool)
    for block in range(1, 23):
        certain = {0, 23, block - 1, block, block + 1}
        admissible = [b for b in range(24) if b not in certain]
        assert drawn[block, admissible].all()
        at_random[admissible] = True
    # All but the first and the last, which every block reads anyway.
    assert int(at_random.sum()) == 22


def test_draws_differ_by_head_layer_and_seed_and_never_by_call() -> None:
    first = BlockConfig().layout(64 * 40, heads=4)
    blocks = first.blocks
    assert not (blocks[0] == blocks[1]).all()
    assert not torch.equal(blocks, BlockConfig().layout(64 * 40, 4, layer=1).blocks)
    assert not torch.equal(blocks, BlockConfig(seed=1).layout(64 * 40, 4).blocks)
    layouts.cache_clear()
    assert torch.equal(blocks, BlockConfig().layout(64 * 40, heads=4).blocks)
    # Fixed for all time: weights were trained with these blocks.
    assert blocks[0, 20].tolist() == [0, 4, 17, 19, 20, 21, 28, 39]


@pytest.mark.parametrize("length", [1, 64, 65, 300, 448])
def test_short_sequences_are_read_whole(length: int) -> None:
    layout = BlockConfig().layout(length, heads=2)
    assert layout.count == -(-length // 64)
    assert layout.full
    assert layout.allowed().all()


def test_a_window_has_a_middle() -> None:
    with pytest.raises(ValidationError, match="it must be odd, as 1, 3 or 5"):
        BlockConfig(window=4)
