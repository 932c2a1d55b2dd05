"""Pretraining speed: the published size (4 x 512, 8 heads) against the BERT of Hugging Face with as
many weights and its own data path.

Their way: windows as strings of k-mers with spaces, a fast tokenizer, the collator that masks, a
step. Ours: codes from the memory-mapped genome, masked on the device, a step. Both count from bases
to the optimizer's step. A table beside it says what a window costs by its tokens.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.table import Table

from attendna.core.config import parse
from attendna.core.memory import keep_freed_memory
from attendna.genome.alphabet import decode
from attendna.genome.kmers import all_kmers
from attendna.prediction.device import autocast, choose_device, choose_precision, describe
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.module import PretrainingModule
from attendna.training.pretraining.train import Pretraining
from attendna.training.run import available_cores
from attendna.training.schedule import Schedule
from benchmarks.measure import fastest
from benchmarks.training_speed import use_threads

WIDTH, BLOCKS, HEADS, LENGTH, RATE = 512, 4, 8, 1024, 0.3

HIDDEN = 3 * WIDTH
"""Of BERT's feed-forward layer: so it has the weights of our gated one."""


@dataclass(frozen=True)
class Reading:
    """One way to read bases; a step takes ``stride`` times the windows, so that it is of as many
    tokens."""

    name: str
    tokenizer: Mapping[str, Any]
    tell: str
    k: int
    stride: int


class Step(NamedTuple):
    """A step from bases to the optimizer, and what it reads."""

    take: Callable[[], None]
    windows: int
    tokens: int
    weights: int


READINGS = (
    Reading("5-mers, stride 1", {"name": "kmer", "k": 5}, "words", 5, 1),
    Reading("patches of 4", {"name": "patch", "k": 4}, "words", 4, 4),
    Reading("one-hot, windows of 4", {"name": "onehot"}, "bases", 1, 4),
)


def run(quick: bool) -> list[Table]:
    keep_freed_memory()
    windows = 32 if choose_device().type == "cuda" else 2 if quick else 4
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder, use_threads(available_cores()):
        genome = write_genome(Path(folder))
        return [against_bert(genome, windows, rounds), by_reading(genome, windows, rounds)]


def write_genome(folder: Path) -> Path:
    """Two random chromosomes: speed does not depend on what they say."""
    random = np.random.default_rng(0)
    path = folder / "genome.fa"
    sizes = {"chr1": 1 << 20, "chr2": 1 << 16}
    texts = (f">{name}\n{decode(random.integers(0, 4, size, dtype=np.uint8))}\n"
             for name, size in sizes.items())  # fmt: skip
    path.write_text("".join(texts))
    return path


def our_step(genome: Path, reading: Reading, windows: int) -> Step:
    """Codes from the memory-mapped genome, masked on the device."""
    windows *= reading.stride
    tree = {
        "tokenizer": reading.tokenizer,
        "model": {
            "name": "encoder",
            # BERT has no convolution over its tokens.
            "stem": {"name": "embedding", "mix": None} if reading.k > 1 else None,
            "width": WIDTH,
            "blocks": BLOCKS,
            "heads": HEADS,
        },
        "tell": reading.tell,
        "windows": {"length": LENGTH, "held_out": ["chr2"]},
        "masking": {"rate": RATE},
        "trainer": {"batch_size": windows},
    }
    config = parse(PretrainingConfig, tree, "benchmark")
    made = Pretraining(config, [genome])
    device = choose_device()
    precision = choose_precision("auto", device)
    module = PretrainingModule(
        made.model.to(device),
        masking=config.masking,
        contrastive=None,
        optimizer=config.optimizer,
        schedule=Schedule.of_steps(1_000, 1, config.optimizer, 1_000),
        seed=0,
    ).to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    numbers = itertools.count()

    def take() -> None:
        batch = made.batches[next(numbers)]
        moved = batch._replace(codes=batch.codes.to(device), weights=batch.weights.to(device))
        with autocast(device, precision):
            loss = module.training_step(moved, 0)
        finish(optimizer, loss, module.model, device)

    weights = sum(parameter.numel() for parameter in made.model.parameters())
    return Step(take, windows, windows * made.model.tokens(LENGTH), weights)


def finish(
    optimizer: Any, loss: torch.Tensor, model: torch.nn.Module, device: torch.device
) -> None:
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()


def bert_step(genome: Path, reading: Reading, windows: int) -> Step:
    """Hugging Face's way."""
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        BertTokenizerFast,
        DataCollatorForLanguageModeling,
    )

    windows *= reading.stride
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *all_kmers(reading.k)]
    tokenizer = BertTokenizerFast(
        vocab={word: at for at, word in enumerate(words)}, do_lower_case=False
    )
    device = choose_device()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=BLOCKS,
        num_attention_heads=HEADS,
        intermediate_size=HIDDEN,
        max_position_embeddings=LENGTH + 2,
    )
    model = BertForMaskedLM(config).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE)
    rows = rows_of(genome.read_text().split("\n")[1], reading, tokenizer)

    def take() -> None:
        inputs = collate([next(rows) for _ in range(windows)])
        loss = model(**{name: value.to(device) for name, value in inputs.items()}).loss
        finish(optimizer, loss, model, device)

    tokens = windows * len(range(0, LENGTH - reading.k + 1, reading.stride))
    return Step(take, windows, tokens, sum(p.numel() for p in model.parameters()))


def rows_of(text: str, reading: Reading, tokenizer: Callable[..., Any]) -> Iterator[Any]:
    """Windows as a data set gives them: words with spaces, each row tokenized."""
    place = 0
    while True:
        window = text[place : place + LENGTH]
        place = (place + LENGTH) % (len(text) - LENGTH)
        starts = range(0, LENGTH - reading.k + 1, reading.stride)
        spaced = " ".join(window[start : start + reading.k] for start in starts)
        yield tokenizer(spaced, truncation=True, max_length=LENGTH + 2)


def against_bert(genome: Path, windows: int, rounds: int) -> Table:
    device = choose_device()
    precision = choose_precision("auto", device)
    table = Table(
        title=f"Pretraining, {BLOCKS} x {WIDTH}, {HEADS} heads, windows of {LENGTH} bp, "
        f"{describe(device)}, {torch.get_num_threads()} threads; ours in {precision}, Hugging Face "
        "as it comes (fp32)"
    )
    for column in ("tokens", "way", "weights", "windows a step", "tokens/s", "ratio"):
        table.add_column(column, justify="left" if column in ("tokens", "way") else "right")
    for reading in READINGS[:2]:
        ways = {
            "BertForMaskedLM": bert_step(genome, reading, windows),
            "attendna": our_step(genome, reading, windows),
        }
        seconds = fastest({name: step.take for name, step in ways.items()}, rounds)
        rates = {name: step.tokens / seconds[name] for name, step in ways.items()}
        for name, step in ways.items():
            ratio = rates[name] / rates["BertForMaskedLM"]
            cells = f"{step.weights:,}", f"{step.windows}", f"{rates[name]:,.0f}", f"{ratio:.2f}"
            table.add_row(reading.name, name, *cells)
    return table


def by_reading(genome: Path, windows: int, rounds: int) -> Table:
    """What a window costs, which the paper only says is less for patches."""
    table = Table(title=f"Pretraining by tokens, {BLOCKS} x {WIDTH}, windows of {LENGTH} bp")
    for column in ("tokens", "a window", "windows/s", "bases/s", "ratio"):
        table.add_column(column, justify="left" if column == "tokens" else "right")
    steps = {reading.name: our_step(genome, reading, windows) for reading in READINGS}
    seconds = fastest({name: step.take for name, step in steps.items()}, rounds)
    rates = {name: step.windows / seconds[name] for name, step in steps.items()}
    for name, step in steps.items():
        rate, each = rates[name], step.tokens // step.windows
        ratio = rate / min(rates.values())
        table.add_row(name, f"{each:,}", f"{rate:.2f}", f"{rate * LENGTH:,.0f}", f"{ratio:.2f}")
    return table
