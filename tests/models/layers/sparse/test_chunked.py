"""Chunked attention against dense attention under the same mask."""

from typing import Any

import pytest
import torch
from torch import Tensor

from attendna.models.layers.sparse import chunked
from attendna.models.layers.sparse.chunked import Relative, chunked_attention
from attendna.models.layers.sparse.layout import BlockConfig, Layout

BLOCK = 8


def dense(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Layout,
    mask: Tensor | None,
    relative: Relative | None,
) -> Tensor:
    scores = query @ key.mT
    length = query.shape[2]
    if relative is not None:
        places = torch.arange(length)
        rows = places - places[:, None] + length - 1
        scores = scores + torch.einsum("bhlc,hlsc->bhls", relative.query, relative.key[:, rows])
    block = layout.config.block
    allowed = layout.allowed().repeat_interleave(block, 1).repeat_interleave(block, 2)[None]
    if mask is not None:
        allowed = allowed & mask[:, None, None]
    return scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(-1) @ value


def inputs(length: int, dtype: torch.dtype, *, relative: bool) -> tuple[list[Tensor], Any]:
    random = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=dtype, generator=random).requires_grad_()

    leaves = [drawn(2, 2, length, 6), drawn(2, 2, length, 6), drawn(2, 2, length, 5)]
    if not relative:
        return leaves, None
    pair = Relative(drawn(2, 2, length, 6), drawn(2, 2 * length - 1, 6))
    return [*leaves, *pair], pair


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("blocks", [9, 13, 40])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_it_is_dense_attention_under_the_mask_of_the_layout(
    blocks: int, masked: bool, relative: bool, dtype: torch.dtype
) -> None:
    length = blocks * BLOCK
    layout = BlockConfig(block=BLOCK, random=2).layout(length, heads=2)
    assert not layout.full
    leaves, pair = inputs(length, dtype, relative=relative)
    mask = torch.arange(length) < torch.tensor([[length], [length - 11]]) if masked else None
    read = chunked_attention(*leaves[:3], layout, mask=mask, relative=pair)
    expected = dense(*leaves[:3], layout, mask, pair)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(read, expected, atol=tolerance, rtol=tolerance)
    into = torch.randn(read.shape, dtype=dtype, generator=torch.Generator().manual_seed(1))
    for one, other in zip(
        torch.autograd.grad(read, leaves, into),
        torch.autograd.grad(expected, leaves, into),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=10 * tolerance, rtol=10 * tolerance)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_chunk_changes_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = BlockConfig(block=BLOCK).layout(17 * BLOCK, heads=2)
    leaves, pair = inputs(17 * BLOCK, torch.float64, relative=True)
    whole = chunked_attention(*leaves[:3], layout, relative=pair)
    monkeypatch.setattr(chunked, "CHUNK", chunk)
    again = chunked_attention(*leaves[:3], layout, relative=pair)
    torch.testing.assert_close(again, whole, atol=1e-13, rtol=0)


def test_nothing_but_the_inputs_is_kept_for_the_backward_pass() -> None:
    layout = BlockConfig(block=BLOCK).layout(64 * BLOCK, heads=2)
    leaves, pair = inputs(64 * BLOCK, torch.float32, relative=True)
    kept: set[int] = set()

    def pack(x: Tensor) -> Tensor:
        kept.add(x.data_ptr())
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        chunked_attention(*leaves[:3], layout, relative=pair)
    assert kept == {x.data_ptr() for x in leaves}


def test_another_length_is_refused() -> None:
    layout = BlockConfig(block=BLOCK).layout(10 * BLOCK, heads=2)
    leaves, _ = inputs(9 * BLOCK, torch.float32, relative=False)
    with pytest.raises(ValueError, match="72 tokens are not 10 blocks of 8"):
        chunked_attention(*leaves, layout)


def test_dropped_weights_are_the_same_forward_and_backward() -> None:
    layout = BlockConfig(block=4).layout(9 * 4, heads=2)
    assert not layout.full
    random = torch.Generator().manual_seed(0)
    leaves = [
        torch.randn(1, 2, 36, width, dtype=torch.float64, generator=random).requires_grad_()
        for width in (3, 3, 2)
    ]

    def dropped(*inputs: Tensor) -> Tensor:
        torch.manual_seed(5)
        return chunked_attention(*inputs, layout, dropout=0.3)

    with torch.random.fork_rng():
        assert torch.autograd.gradcheck(dropped, leaves)
        assert torch.equal(dropped(*leaves), dropped(*leaves))


def test_dropout_keeps_the_mean() -> None:
    layout = BlockConfig(block=4).layout(9 * 4, heads=2)
    leaves, _ = inputs(36, torch.float64, relative=False)
    whole = chunked_attention(*leaves, layout)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reads = [chunked_attention(*leaves, layout, dropout=0.2) for _ in range(400)]
    assert not torch.equal(reads[0], reads[1])
    torch.testing.assert_close(torch.stack(reads).mean(0), whole, atol=0.15, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_that_of_its_inputs_and_outputs_only(dtype: torch.dtype) -> None:
    """Sums over many tokens are not rounded on the way."""
    layout = BlockConfig(block=BLOCK, random=2).layout(40 * BLOCK, heads=2)
    leaves, _ = inputs(40 * BLOCK, torch.float32, relative=False)
    rounded = [leaf.detach().to(dtype).requires_grad_() for leaf in leaves]
    exact = [leaf.detach().float().requires_grad_() for leaf in rounded]
    into = torch.randn(2, 2, 40 * BLOCK, 5, generator=torch.Generator().manual_seed(1)).to(dtype)
    read, expected = (chunked_attention(*part, layout) for part in (rounded, exact))
    assert read.dtype == dtype
    precision = torch.finfo(dtype).eps
    torch.testing.assert_close(read.float(), expected, atol=precision, rtol=precision)
    for one, other in zip(
        torch.autograd.grad(read, rounded, into),
        torch.autograd.grad(expected, exact, into.float()),
        strict=True,
    ):
        assert one.dtype == dtype
        torch.testing.assert_close(one.float(), other, atol=4 * precision, rtol=4 * precision)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("backward_inside", [False, True])
def test_under_autocast_its_gradients_are_those_of_single_precision(
    backward_inside: bool, relative: bool, dropout: float
) -> None:
    """Float32 queries, as biases make them, beside keys and values in half precision."""
    layout = BlockConfig(block=BLOCK, random=2).layout(40 * BLOCK, heads=2)
    leaves, _ = inputs(40 * BLOCK, torch.float32, relative=relative)
    into = torch.randn(2, 2, 40 * BLOCK, 5, generator=torch.Generator().manual_seed(1))

    def gradients(enabled: bool) -> tuple[Tensor, ...]:
        torch.manual_seed(5)
        autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled)
        with autocast:
            query, key, value, *rest = leaves
            if enabled:
                key, value = key.bfloat16(), value.bfloat16()
            distance = Relative(*rest) if rest else None
            read = chunked_attention(query, key, value, layout, relative=distance, dropout=dropout)
            assert read.dtype == (torch.bfloat16 if enabled else torch.float32)
            if backward_inside:
                return torch.autograd.grad(read, leaves, into.to(read.dtype))
        return torch.autograd.grad(read, leaves, into.to(read.dtype))

    with torch.random.fork_rng():
        for one, other in zip(gradients(True), gradients(False), strict=True):
            assert one.dtype == torch.float32
            assert (one - other).norm() / other.norm() < 0.02


@pytest.mark.parametrize("relative", [False, True])
def test_products_in_half_precision_keep_their_sums_in_single(
    relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where the factors of products are not widened."""
    layout = BlockConfig(block=BLOCK, random=2).layout(40 * BLOCK, heads=2)
    leaves, _ = inputs(40 * BLOCK, torch.float32, relative=relative)
    into = torch.randn(2, 2, 40 * BLOCK, 5, generator=torch.Generator().manual_seed(1))

    def gradients(dtype: torch.dtype) -> tuple[Tensor, ...]:
        given = [leaf.detach().to(dtype).requires_grad_() for leaf in leaves]
        pair = Relative(*given[3:]) if relative else None
        read = chunked_attention(*given[:3], layout, relative=pair, dropout=0.0)
        return torch.autograd.grad(read, given, into.to(dtype))

    exact = gradients(torch.float32)
    monkeypatch.setattr(chunked, "_factor", lambda x: x)
    for one, other in zip(gradients(torch.bfloat16), exact, strict=True):
        assert one.dtype == torch.bfloat16
        assert (one.float() - other).norm() / other.norm() < 0.03
