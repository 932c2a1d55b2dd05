"""How fast letters, codes and batches are, against a plain memory copy of as many bytes."""

import time
from collections.abc import Callable

import numpy as np
from rich.table import Table

from attendna.genome import alphabet
from attendna.genome.sequences import SequenceBatch
from benchmarks.measure import fastest

SIZES = (4_000_000, 64_000_000)
"""Bases: what stays in the cache of a server, and what does not."""


def functions(size: int) -> dict[str, tuple[str, Callable[[], object]]]:
    """What to time by its name, each with what it writes for a base."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, size, dtype=np.uint8)
    codes[size // 3 : size // 3 + 1_000] = alphabet.N
    text = alphabet.decode(codes)
    raw = text.encode()
    packed = alphabet.pack(codes)
    lengths = random.integers(31, 574, size // 303)
    bounds = np.cumsum(np.concatenate([[0], lengths]))
    batch = SequenceBatch(codes[: bounds[-1]], bounds)
    column = batch.to_series()
    shuffled = random.permutation(len(batch))
    target = np.zeros(size, dtype=np.uint8)
    return {
        "memory copy": ("1 byte", lambda: np.copyto(target, codes)),
        "memory copy, new memory": ("1 byte", codes.copy),
        "encode bytes": ("1 byte", lambda: alphabet.encode(raw)),
        "encode text": ("1 byte", lambda: alphabet.encode(text)),
        "decode": ("2 bytes", lambda: alphabet.decode(codes)),
        "complement": ("1 byte", lambda: alphabet.complement(codes)),
        "reverse complement": ("1 byte", lambda: alphabet.reverse_complement(codes)),
        "one-hot": ("4 bytes", lambda: alphabet.one_hot(codes)),
        "pack to 2 bits": ("1/4 byte", lambda: alphabet.pack(codes)),
        "unpack from 2 bits": ("1 byte", lambda: alphabet.unpack(packed)),
        "batch: from a Polars column": ("1 byte", lambda: SequenceBatch.from_text(column)),
        "batch: to a Polars column": ("2 bytes", batch.to_series),
        "batch: take in random order": ("1 byte", lambda: batch.take(shuffled)),
        "batch: padded": ("2 bytes", batch.padded),
        "batch: reverse complement": ("2 bytes", batch.reverse_complement),
    }


def run(quick: bool) -> Table:
    """Mbases/s of one thread, and the share of a memory copy's speed."""
    table = Table(title="Letters and codes, one thread; batches of 31-573 bases")
    table.add_column("function")
    table.add_column("writes a base")
    rows: dict[str, list[str]] = {}
    for size in SIZES[: 1 if quick else None]:
        table.add_column(f"{size // 1_000_000} Mbases, Mbases/s", justify="right")
        table.add_column("of copy", justify="right")
        timed = functions(size)
        seconds = fastest(
            {name: function for name, (_, function) in timed.items()},
            rounds=5,
            clock=time.thread_time,
        )
        for name, (written, _) in timed.items():
            share = seconds["memory copy"] / seconds[name]
            cells = rows.setdefault(name, [name, written])
            cells += [f"{size / seconds[name] / 1e6:,.0f}", f"{share:.2f}"]
    for cells in rows.values():
        table.add_row(*cells)
    return table
