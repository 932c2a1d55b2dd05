"""Training speed: the light enhancer model against its published way, batches of similar length
against batches as they come, bfloat16 against float32.

Every rate counts all from letters to the optimizer's step.
"""

import contextlib
import csv
import gzip
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from numpy import ndarray
from rich.table import Table
from torch import Tensor, nn

from attendna.core.config import parse
from attendna.core.memory import keep_freed_memory
from attendna.genome.alphabet import decode
from attendna.genome.sequences import SequenceBatch
from attendna.models.encoder import EncoderConfig
from attendna.models.enhancer_attention import EnhancerAttentionConfig
from attendna.models.model import SequenceModel
from attendna.prediction.device import Precision, autocast, bf16_is_fast, choose_precision
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task
from attendna.tokens.buffer import CodeBuffer, bucketed_batches
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import Tokenizer
from attendna.training.run import RunConfig, available_cores
from attendna.training.train import train
from benchmarks.measure import fastest

K, WIDTH, BATCH = 4, 100, 16
ENCODER_BATCH = 64
SHORTEST = 50
"""The published training leaves shorter sequences out."""


def run(quick: bool) -> list[Table]:
    """One table a comparison."""
    # As training does: for all that is compared.
    keep_freed_memory()
    return [light_model(quick), bucketing(quick), precision(quick)]


# ------------------------------------------------------------------------------- sequences


def lengths_of_enhancers() -> tuple[ndarray, str]:
    """Lengths of the training sequences of human_enhancers_ensembl, or of a curve like theirs."""
    shared = Path(os.environ.get("ATTENDNA_SHARED", Path(__file__).parents[2] / "shared"))
    folder = shared / "data/genomic_benchmarks/intervals/human_enhancers_ensembl/train"
    lengths: list[int] = []
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt") as stream:
            lengths += [int(row["end"]) - int(row["start"]) for row in csv.DictReader(stream)]
    if lengths:
        source = "human_enhancers_ensembl"
    else:
        lengths = np.random.default_rng(1).gamma(4.0, 67.0, 100_000).clip(31, 573).astype(int)
        source = "a gamma distribution"
    kept = np.array([length for length in lengths if length >= SHORTEST])
    said = f"{kept.min()}-{kept.max()} bp, mean {kept.mean():.0f}, lengths of {source}"
    return kept, said


def texts_of(lengths: ndarray, count: int) -> list[str]:
    """Random sequences of lengths drawn from ``lengths``."""
    random = np.random.default_rng(0)
    drawn = random.choice(lengths, count)
    letters = decode(random.integers(0, 4, drawn.sum(), dtype=np.uint8))
    ends = np.cumsum(drawn)
    return [letters[end - length : end] for end, length in zip(ends, drawn, strict=True)]


# ----------------------------------------------------------------- the published way, written out


class PublishedModel(nn.Module):
    """[CLS] at the end, one head over all tokens, the output at [CLS] through a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.classifier = nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = torch.cat([x, self.cls.expand(x.shape[0], 1, WIDTH)], dim=1)
        mask = torch.cat([mask, mask.new_ones(x.shape[0], 1)], dim=1)
        scores = self.query(x) @ self.key(x).transpose(1, 2) / WIDTH**0.5
        weights = scores.masked_fill(~mask[:, None, :], float("-inf")).softmax(dim=-1)
        return self.classifier((weights @ self.value(x))[:, -1]).squeeze(1)


def published_training(texts: list[str]) -> Callable[[], None]:
    """An epoch as the paper describes it: k-mers looked up one by one in a Python dictionary,
    vectors stacked item by item, batches of 16 padded to their longest, Adam."""
    torch.manual_seed(0)
    words = ["".join("ACGT"[code >> shift & 3] for shift in (6, 4, 2, 0)) for code in range(4**K)]
    vectors = dict(zip(words, torch.randn(4**K, WIDTH), strict=True))
    labels = torch.arange(len(texts)) % 2
    model = PublishedModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    objective = nn.BCEWithLogitsLoss()

    class Sequences(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
        def __len__(self) -> int:
            return len(texts)

        def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
            text = texts[row]
            kmers = [text[place : place + K] for place in range(len(text) - K + 1)]
            return torch.stack([vectors[kmer] for kmer in kmers]), labels[row]

    def collate(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
        counts = torch.tensor([len(x) for x, _ in items])
        x = nn.utils.rnn.pad_sequence([x for x, _ in items], batch_first=True)
        mask = torch.arange(x.shape[1]) < counts[:, None]
        return x, mask, torch.stack([label for _, label in items]).float()

    loader = torch.utils.data.DataLoader(
        Sequences(), batch_size=BATCH, shuffle=True, collate_fn=collate
    )

    def epoch() -> None:
        for x, mask, target in loader:
            optimizer.zero_grad()
            objective(model(x, mask), target).backward()
            optimizer.step()

    return epoch


# ------------------------------------------------------------------------------- our way


def batches_of(lengths: Tensor, size: int, *, bucketed: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    if bucketed:
        return bucketed_batches(lengths, size, generator)
    return list(torch.randperm(len(lengths), generator=generator).split(size))


def training(
    texts: list[str],
    tokenizer: Tokenizer,
    model: SequenceModel,
    size: int,
    *,
    bucketed: bool = True,
    precision: Precision = "fp32",
) -> Callable[[], None]:
    """An epoch from letters to steps of the optimizer."""
    labels = (torch.arange(len(texts)) % 2).float()[:, None]
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-3, fused=True)

    def epoch() -> None:
        buffer = CodeBuffer(SequenceBatch.from_text(texts))
        for rows in batches_of(buffer.lengths, size, bucketed=bucketed):
            codes, lengths = buffer.gather(rows)
            with autocast(torch.device("cpu"), precision):
                logits = model(tokenizer(codes, lengths))
            loss = F.binary_cross_entropy_with_logits(logits.float(), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def product_training(texts: list[str], size: int, threads: int) -> float:
    """Sequences a second of `attendna train` itself: Lightning, weight averaging and all, without
    the validations."""
    count = len(texts)
    tree = {
        "tokenizer": {"name": "kmer", "k": K},
        "model": "enhancer_attention",
        "strands": "single",
        "trainer": {"epochs": 1, "batch_size": size, "threads": threads, "device": "cpu"},
    }
    ids = [f"train-{row}" for row in range(count)]
    rows = pl.DataFrame({"id": ids, "sequence": texts, "label": np.arange(count) % 2})
    few = {
        split: rows.head(64).with_columns(pl.col("id").str.replace("train", split))
        for split in ("valid", "test")
    }
    with tempfile.TemporaryDirectory() as folder:
        task, run = Path(folder, "task"), Path(folder, "run")
        spec = TaskSpec(name="speed", label_kind="binary", classes=("a", "b"))
        write_task(task, spec, {"train": rows, **few})
        train(parse(RunConfig, tree, "benchmark"), task, run, progress=False)
        return float(pl.read_csv(run / "log.csv")["sequences_per_second"].max())


# -------------------------------------------------------------------------------- tables


def light_model(quick: bool) -> Table:
    """The light enhancer model, as published and as here."""
    lengths, said = lengths_of_enhancers()
    few, many = texts_of(lengths, 320), texts_of(lengths, 8_000 if quick else 32_000)
    tokenizer = KmerConfig(k=K).build()
    published = f"published way, batch {BATCH}"
    table = Table(title=f"Light enhancer model, 4-mers, training; {said}")
    table.add_column("way")
    for threads in thread_counts():
        table.add_column(f"{threads} thread{'s'[: threads - 1]}, sequences/s", justify="right")
        table.add_column("ratio", justify="right")
    rows: dict[str, list[str]] = {}
    for threads in thread_counts():
        with use_threads(threads):
            epochs = {published: (published_training(few), len(few))}
            for size in (BATCH, 64, 256):
                model = EnhancerAttentionConfig().build(tokenizer, 1)
                epoch = training(many, tokenizer, model, size)
                epochs[f"attendna, batch {size}"] = epoch, len(many)
            rates = rates_of(epochs, threads, rounds=2 if quick else 5)
            for size in (BATCH, 256):
                rates[f"attendna train, batch {size}"] = product_training(many, size, threads)
        for name, rate in rates.items():
            ratio = f"{rate / rates[published]:.1f}"
            rows.setdefault(name, [name]).extend([f"{rate:,.0f}", ratio])
    for cells in rows.values():
        table.add_row(*cells)
    return table


def bucketing(quick: bool) -> Table:
    """The encoder on batches of similar length and on batches as they come."""
    lengths, said = lengths_of_enhancers()
    texts = texts_of(lengths, 2_000 if quick else 6_400)
    tokenizer = OneHotConfig().build()
    threads = available_cores()
    with use_threads(threads):
        epochs = {
            name: (encoder_training(texts, tokenizer, bucketed=name == "bucketed"), len(texts))
            for name in ("as they come", "bucketed")
        }
        rates = rates_of(epochs, threads, rounds=1 if quick else 3)
    table = Table(title=f"Encoder, training, batch {ENCODER_BATCH}, {threads} threads; {said}")
    for column in ("batches", "sequences/s", "ratio", "bases that are no padding"):
        table.add_column(column, justify="left" if column == "batches" else "right")
    sizes = torch.tensor([len(text) for text in texts])
    for name, rate in rates.items():
        batches = batches_of(sizes, ENCODER_BATCH, bucketed=name == "bucketed")
        padded = sum(int(sizes[rows].max()) * len(rows) for rows in batches)
        share = int(sizes.sum()) / padded
        table.add_row(name, f"{rate:,.0f}", f"{rate / rates['as they come']:.2f}", f"{share:.2f}")
    return table


def precision(quick: bool) -> Table:
    """The encoder in float32 and with bfloat16 products, at two widths."""
    texts = texts_of(np.array([500]), 256 if quick else 768)
    tokenizer = OneHotConfig().build()
    threads = available_cores()
    device = torch.device("cpu")
    units = "has" if bf16_is_fast(device) else "has no"
    table = Table(
        title=f"Encoder, training, 500 bp, {threads} threads; this processor {units} units for "
        f"bfloat16, so `precision: auto` is {choose_precision('auto', device)}"
    )
    for column in ("width", "float32, sequences/s", "bfloat16, sequences/s", "ratio"):
        table.add_column(column, justify="right")
    for width in (96, 256):
        with use_threads(threads):
            epochs = {
                kind: (encoder_training(texts, tokenizer, width=width, precision=kind), len(texts))
                for kind in get_args(Precision)
            }
            rates = rates_of(epochs, threads, rounds=1 if quick else 3)
        ratio = rates["bf16"] / rates["fp32"]
        table.add_row(f"{width}", f"{rates['fp32']:,.0f}", f"{rates['bf16']:,.0f}", f"{ratio:.2f}")
    return table


def encoder_training(
    texts: list[str],
    tokenizer: Tokenizer,
    *,
    width: int = 96,
    bucketed: bool = True,
    precision: Precision = "fp32",
) -> Callable[[], None]:
    model = EncoderConfig(width=width).build(tokenizer, 1)
    return training(texts, tokenizer, model, ENCODER_BATCH, bucketed=bucketed, precision=precision)


def rates_of(
    epochs: dict[str, tuple[Callable[[], None], int]], threads: int, rounds: int
) -> dict[str, float]:
    """Sequences a second of the fastest of some epochs of each kind, taken in turns."""
    # One thread's own time leaves out what other processes take.
    clock = time.thread_time if threads == 1 else time.perf_counter
    seconds = fastest({name: epoch for name, (epoch, _) in epochs.items()}, rounds, clock)
    return {name: count / seconds[name] for name, (_, count) in epochs.items()}


def thread_counts() -> list[int]:
    """One thread, and all cores."""
    return sorted({1, available_cores()})


@contextlib.contextmanager
def use_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
