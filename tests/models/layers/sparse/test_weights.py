"""Weights computed a block at a time are those of attention written out under its mask."""

import pytest
import torch
from torch import Tensor

from attendna.models.layers.sparse import attention
from attendna.models.layers.sparse.attention import block_sparse_attention
from attendna.models.layers.sparse.chunked import Relative
from attendna.models.layers.sparse.layout import BlockConfig, Layout
from attendna.models.layers.sparse.weights import AttentionWeights

BLOCK, HEADS, WIDTH = 8, 3, 5


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(length: int, *, relative: bool, sparse: bool = True) -> AttentionWeights:
    query, key = (drawn(seed, HEADS, length, WIDTH) for seed in (0, 1))
    layout = BlockConfig(block=BLOCK, random=1).layout(length, HEADS) if sparse else None
    pair = None
    if relative:
        far = drawn(3, HEADS, 2 * length - 1, WIDTH)
        pair = Relative(drawn(2, 1, HEADS, length, WIDTH), far)
    return AttentionWeights(query, key, layout, pair)


def written_out(of: AttentionWeights) -> Tensor:
    """Position by position."""
    length = of.length
    weights = torch.zeros(HEADS, length, length, dtype=torch.float64)
    for head in range(HEADS):
        for i in range(length):
            read = [j for j in range(length) if allows(of.layout, head, i, j)]
            scores = [float(of.query[head, i] @ of.key[head, j]) for j in read]
            if of.relative is not None:
                query, keys = of.relative.query[0, head, i], of.relative.key[head]
                more = [float(query @ keys[j - i + length - 1]) for j in read]
                scores = [a + b for a, b in zip(scores, more, strict=True)]
            weights[head, i, read] = torch.tensor(scores, dtype=torch.float64).softmax(0)
    return weights


def allows(layout: Layout | None, head: int, i: int, j: int) -> bool:
    if layout is None:
        return True
    own, other, last = i // BLOCK, j // BLOCK, layout.count - 1
    if {own, other} & {0, last}:
        return True
    return other in layout.blocks[head, own].tolist()


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_they_are_those_written_out(sparse: bool, relative: bool) -> None:
    of = made(61, relative=relative, sparse=sparse)
    expected = written_out(of)
    assert (of.dense() - expected).abs().max() < 1e-12
    assert (of.rows(13, 30) - expected[:, 13:30]).abs().max() < 1e-12
    assert ((expected == 0).any()) == sparse
    readers = torch.linspace(0, 1, 61, dtype=torch.float64)
    assert (of.read_by(readers) - readers @ expected.mean(0)).abs().max() < 1e-12


@pytest.mark.parametrize("length", [61, 64])
def test_blocks_hold_the_sums_of_their_keys_and_the_means_of_their_queries(length: int) -> None:
    of = made(length, relative=True)
    blocks, dense = of.by_block(), of.dense()
    assert blocks.shape == (HEADS, 8, 8)
    assert (blocks.sum(-1) - 1).abs().max() < 1e-12
    for a in range(8):
        for b in range(8):
            part = dense[:, a * BLOCK : (a + 1) * BLOCK, b * BLOCK : (b + 1) * BLOCK]
            assert (blocks[:, a, b] - part.sum(2).mean(1)).abs().max() < 1e-12
    assert ((blocks > 0) == of.layout.allowed()).all()


@pytest.mark.parametrize("short", [0, 1000])
def test_what_attention_reads_is_what_they_say(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "SHORT", short)
    of = made(101, relative=True)
    value = drawn(5, 1, HEADS, 101, 4)
    read = block_sparse_attention(
        of.query[None], of.key[None], value, of.layout, relative=of.relative
    )
    assert (of.dense() @ value[0] - read[0]).abs().max() < 1e-12
