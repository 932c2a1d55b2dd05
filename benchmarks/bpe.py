"""What a sequence's byte-pair encoding costs, against plain ``tokenizers`` one by one."""

import os
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import numpy as np
from rich.table import Table

from attendna.genome.alphabet import decode
from attendna.genome.sequences import SequenceBatch
from attendna.tokens.bpe import BPEConfig, BPETokenizer
from attendna.tokens.bpe_store import store_of
from attendna.tokens.buffer import CodeBuffer, bucketed_batches
from attendna.tokens.train_bpe import BPESettings, train_bpe
from benchmarks.measure import fastest

LENGTH = 300


def genome(path: Path, bases: int) -> np.ndarray:
    """Random bases with repeats of many sizes, written as FASTA; gives their codes."""
    random = np.random.default_rng(0)
    repeats = [random.integers(0, 4, size, dtype=np.uint8) for size in random.integers(6, 60, 5000)]
    parts = [
        part
        for choice in random.integers(0, len(repeats), bases // 50)
        for part in (repeats[choice], random.integers(0, 4, 17, dtype=np.uint8))
    ]
    codes = np.concatenate(parts)
    path.write_text(f">genome\n{decode(codes)}\n")
    return codes


def functions(
    folder: Path, count: int, *, quick: bool
) -> dict[str, tuple[int, Callable[[], object]]]:
    """What to time by its name, and how many sequences it encodes."""
    from tokenizers import Tokenizer

    codes = genome(folder / "genome.fa", 400_000 if quick else 4_000_000)
    settings = BPESettings(vocabulary=2_048 if quick else 16_384)
    train_bpe([folder / "genome.fa"], folder / "words", settings)
    plain = Tokenizer.from_file(str(folder / "words" / "tokenizer.json"))
    config = BPEConfig.model_validate({"name": "bpe", "file": str(folder / "words")})
    starts = np.random.default_rng(1).integers(0, len(codes) - LENGTH, count)
    batch = SequenceBatch.cut(codes, starts, starts + LENGTH)
    texts = batch.to_text()
    few = texts[: count // 8]

    def fresh() -> BPETokenizer:
        store_of.cache_clear()
        return config.build()

    def from_disk() -> None:
        fresh().read_ahead(batch, both_strands=False)

    held = fresh()
    held.read_ahead(batch, both_strands=False)
    buffer = CodeBuffer(batch)

    def look_up(size: int) -> Callable[[], object]:
        rows = cycle(bucketed_batches(buffer.lengths, size))
        return lambda: [held(*buffer.gather(next(rows))) for _ in range(count // size)]

    return {
        "tokenizers, one by one": (
            len(few),
            lambda: [plain.encode(text, add_special_tokens=False).ids for text in few],
        ),
        "attendna, the first time": (count, lambda: held.store.encode(batch)),
        "attendna, from disk": (count, from_disk),
        "attendna, batches of 64": (count, look_up(64)),
        "attendna, batches of 512": (count, look_up(512)),
    }


def run(quick: bool) -> Table:
    """Microseconds a sequence; batches include gathering the bases."""
    count = 2_048 if quick else 16_384
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATTENDNA_CACHE"] = folder
        timed = functions(Path(folder), count, quick=quick)
        seconds = fastest({name: call for name, (_, call) in timed.items()}, rounds=3)
    cost = {name: seconds[name] / done * 1e6 for name, (done, _) in timed.items()}
    table = Table(title=f"Byte-pair encoding of {count:,} sequences of {LENGTH} bases")
    table.add_column("way")
    table.add_column("μs a sequence", justify="right")
    table.add_column("times as fast", justify="right")
    for name, micros in cost.items():
        faster = cost["tokenizers, one by one"] / micros
        table.add_row(name, f"{micros:,.1f}", f"{faster:,.1f}")
    return table
