"""Block-sparse attention against dense attention, Hugging Face's BigBird and dense with a mask.

Eight heads of 64, blocks of 64, a window of three, the first and last block, three random ones.
Times are taken in turns in one process; memory is what a process of its own needs beyond inputs.
"""

import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.table import Table
from torch import Tensor

from attendna.models.layers.sparse.attention import block_sparse_attention
from attendna.models.layers.sparse.layout import BlockConfig
from benchmarks.measure import fastest

HEADS, WIDTH = 8, 64
LENGTHS = (576, 1_536, 3_072, 6_144, 12_288, 24_576)
MOST_MASKED = 6_144
"""Tokens beyond which the mask alone is gigabytes."""

MOST_BIGBIRD = 12_288
"""Tokens beyond which BigBird needs more than 20 GB."""

KINDS = ("dense", "attendna", "BigBird", "masked dense")


def leaves(length: int, dtype: torch.dtype, *, backward: bool) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [
        torch.randn(1, HEADS, length, WIDTH, generator=random).to(dtype).requires_grad_(backward)
        for _ in range(3)
    ]


def attention(kind: str, length: int, inputs: list[Tensor]) -> Callable[[], Tensor]:
    """A call that computes attention in one of the ways."""
    query, key, value = inputs
    layout = BlockConfig().layout(length, HEADS)
    scale = WIDTH**-0.5
    if kind == "dense":
        return lambda: F.scaled_dot_product_attention(query, key, value)
    if kind == "attendna":
        return lambda: block_sparse_attention(query * scale, key, value, layout)
    if kind == "masked dense":
        allowed = layout.allowed().repeat_interleave(64, 1).repeat_interleave(64, 2)[None]
        return lambda: F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    return _bigbird(length, query)


def _bigbird(length: int, query: Tensor) -> Callable[[], Tensor]:
    from transformers import BigBirdConfig, BigBirdModel
    from transformers.models.big_bird.modeling_big_bird import BigBirdBlockSparseAttention

    config = BigBirdConfig(
        hidden_size=HEADS * WIDTH,
        num_attention_heads=HEADS,
        block_size=64,
        num_random_blocks=3,
        max_position_embeddings=length,
    )
    layer = BigBirdBlockSparseAttention(config, seed=0).train()
    # Only attention is compared: what comes before it does nothing.
    layer.query = layer.key = layer.value = torch.nn.Identity()
    mask = torch.ones(1, length, dtype=query.dtype)
    blocked, band, from_mask, to_mask = BigBirdModel.create_masks_for_block_sparse_attn(mask, 64)
    states = query.detach().transpose(1, 2).flatten(2).requires_grad_(query.requires_grad)
    return lambda: layer(
        states,
        band_mask=band,
        from_mask=from_mask,
        to_mask=to_mask,
        from_blocked_mask=blocked,
        to_blocked_mask=blocked,
    )[0]


def kinds(length: int) -> list[str]:
    most = {"BigBird": MOST_BIGBIRD, "masked dense": MOST_MASKED}
    # BigBird itself refuses what is shorter than all its blocks together.
    least = {"BigBird": 1_024}
    return [k for k in KINDS if least.get(k, 0) <= length <= most.get(k, 1 << 30)]


def run(quick: bool) -> Iterator[Table]:
    """Seconds and ratios of every way, then its memory."""
    lengths = LENGTHS[:4] if quick else LENGTHS
    for dtype in (torch.float32, torch.bfloat16):
        for backward in (False, True):
            yield _speed(lengths, dtype, backward=backward, rounds=2 if quick else 3)
    yield _memory(lengths)


def _speed(lengths: tuple[int, ...], dtype: torch.dtype, *, backward: bool, rounds: int) -> Table:
    name = str(dtype).removeprefix("torch.")
    what = "forward and backward" if backward else "forward"
    table = Table(title=f"{what}, {name}: milliseconds, and how many times as fast as dense")
    table.add_column("tokens", justify="right")
    for kind in KINDS:
        table.add_column(kind, justify="right")
    for length in lengths:
        calls: dict[str, Callable[[], object]] = {}
        for kind in kinds(length):
            calls[kind] = _step(attention(kind, length, leaves(length, dtype, backward=backward)))
        seconds = fastest(calls, rounds)
        dense = seconds["dense"]
        cells = [
            f"{1e3 * seconds[k]:,.0f} ({dense / seconds[k]:.2f}x)" if k in seconds else ""
            for k in KINDS
        ]
        table.add_row(f"{length:,}", *cells)
    return table


def _step(call: Callable[[], Tensor]) -> Callable[[], object]:
    def step() -> None:
        read = call()
        if read.requires_grad:
            read.backward(torch.ones_like(read))

    return step


def _memory(lengths: tuple[int, ...]) -> Table:
    table = Table(title="forward and backward, float32: MB beyond inputs and their gradients")
    table.add_column("tokens", justify="right")
    for kind in KINDS:
        table.add_column(kind, justify="right")
    context = multiprocessing.get_context("spawn")
    for length in lengths:
        cells: dict[str, str] = {}
        for kind in kinds(length):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                cells[kind] = f"{pool.submit(_peak, kind, length).result() / 1e6:,.0f}"
        table.add_row(f"{length:,}", *(cells.get(kind, "") for kind in KINDS))
    return table


def _peak(kind: str, length: int) -> int:
    """Bytes that a step needs beyond its inputs, their gradients and what it was loaded with."""
    torch.set_num_threads(1)
    small = leaves(1_024, torch.float32, backward=True)
    _step(attention(kind, 1_024, small))()
    inputs = leaves(length, torch.float32, backward=True)
    step = _step(attention(kind, length, inputs))
    for leaf in inputs:
        leaf.grad = torch.zeros_like(leaf)
    held = _resident()
    with _Watch() as watch:
        step()
    return max(watch.most, 0) - held


class _Watch:
    """The greatest resident memory while it is open, looked at every half millisecond."""

    def __enter__(self) -> "_Watch":
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.is_set():
            self.most = max(self.most, _resident())
            time.sleep(0.0005)


def _resident() -> int:
    if not Path("/proc/self/statm").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
