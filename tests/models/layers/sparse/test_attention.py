"""Every way of computing block-sparse attention gives what dense attention gives under its mask."""

import pytest
import torch
from torch import Tensor

from attendna.models.layers.sparse import attention
from attendna.models.layers.sparse.attention import (
    block_sparse_attention,
    dense_attention,
    shift_relative,
)
from attendna.models.layers.sparse.chunked import Relative
from attendna.models.layers.sparse.layout import BlockConfig, Layout

BLOCK = 8
HEADS = 2


def drawn(seed: int, *shape: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=random, dtype=torch.float64).requires_grad_()


def plain(
    query: Tensor, key: Tensor, value: Tensor, layout: Layout, mask: Tensor, pair: Relative | None
) -> Tensor:
    """The definition, position by position."""
    length = query.shape[2]
    block = layout.config.block
    allowed = layout.allowed().repeat_interleave(block, 1).repeat_interleave(block, 2)
    allowed = allowed[:, :length, :length][None] & mask[:, None, None]
    scores = query @ key.mT
    if pair is not None:
        places = torch.arange(length)
        rows = places - places[:, None] + length - 1
        scores = scores + torch.einsum("bhlc,hlsc->bhls", pair.query, pair.key[:, rows])
    return scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(-1) @ value


@pytest.mark.parametrize("short", [0, 1000])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("length", [33, 80, 101, 15 * BLOCK + 1])
def test_any_length_and_padding(
    length: int, relative: bool, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "SHORT", short)
    layout = BlockConfig(block=BLOCK, random=1).layout(length, HEADS)
    leaves = [drawn(i, 2, HEADS, length, width) for i, width in enumerate((6, 6, 5))]
    pair = None
    if relative:
        pair = Relative(drawn(3, 2, HEADS, length, 6), drawn(4, HEADS, 2 * length - 1, 6))
        leaves += pair
    known = torch.arange(length) < torch.tensor([[length], [length - 9]])
    read = block_sparse_attention(*leaves[:3], layout, mask=known, relative=pair)
    expected = plain(*leaves[:3], layout, known, pair)
    into = drawn(9, *read.shape).detach() * known[:, None, :, None]
    torch.testing.assert_close(read * into, expected * into, atol=1e-12, rtol=0)
    for one, other in zip(
        torch.autograd.grad(read, leaves, into),
        torch.autograd.grad(expected, leaves, into),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=0)


def test_without_a_mask_the_padding_of_the_last_block_is_not_read() -> None:
    length = 25 * BLOCK - 3
    layout = BlockConfig(block=BLOCK).layout(length, HEADS)
    leaves = [drawn(i, 1, HEADS, length, 4) for i in range(3)]
    known = torch.ones(1, length, dtype=torch.bool)
    read = block_sparse_attention(*leaves, layout)
    torch.testing.assert_close(read, plain(*leaves, layout, known, None), atol=1e-12, rtol=0)


def test_shifting_is_indexing() -> None:
    products = drawn(0, 2, 3, 7, 13)
    places = torch.arange(7)
    rows = (places - places[:, None] + 6).expand(2, 3, 7, 7)
    assert torch.equal(shift_relative(products), products.gather(3, rows))


def test_dense_attention_of_nothing_but_padding_is_finite() -> None:
    leaves = [drawn(i, 1, HEADS, 5, 4) for i in range(3)]
    read = dense_attention(*leaves, mask=torch.zeros(1, 5, dtype=torch.bool))
    assert torch.isfinite(read).all()


def test_another_length_is_refused() -> None:
    layout = BlockConfig(block=BLOCK).layout(80, HEADS)
    leaves = [drawn(i, 1, HEADS, 90, 4) for i in range(3)]
    with pytest.raises(ValueError, match="90 tokens are not 10 blocks of 8"):
        block_sparse_attention(*leaves, layout)


@pytest.mark.parametrize("blocks", [9, 30])
@pytest.mark.parametrize("relative", [False, True])
def test_under_autocast_padded_queries_stay_finite(blocks: int, relative: bool) -> None:
    """A float32 query beside keys in half precision: the least number must be that of the half."""
    length = blocks * BLOCK
    layout = BlockConfig(block=BLOCK, random=1).layout(length, HEADS)
    query, key, value = (drawn(i, 2, HEADS, length, 6).detach().float() for i in range(3))
    far = drawn(4, HEADS, 2 * length - 1, 6).detach().bfloat16()
    pair = Relative(query, far) if relative else None
    known = torch.arange(length) < torch.tensor([[length], [3]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for read in (
            block_sparse_attention(
                query, key.bfloat16(), value.bfloat16(), layout, mask=known, relative=pair
            ),
            dense_attention(query, key.bfloat16(), value.bfloat16(), mask=known, relative=pair),
        ):
            assert read.dtype == torch.bfloat16
            assert read.isfinite().all()
