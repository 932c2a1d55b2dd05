"""Pretraining speed: the published size (4 x 512, 8 heads) against the BERT of Hugging Face with as
many weights and its own data path.

Their way: windows as strings of k-mers with spaces, or as they are where a byte-pair encoding cuts
them, a fast tokenizer, the collator that masks, a step. Ours: codes from the memory-mapped genome,
or words that were made of it once, masked on the device, a step. Both count from bases to the
optimizer's step. A table beside it says what a window costs by its tokens.
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
from attendna.models.language import LanguageModel
from attendna.prediction.device import autocast, choose_device, choose_precision, describe
from attendna.tokens.train_bpe import BPESettings, train_bpe
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.parts import module_of
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
    """One way to read bases; a step takes ``stride`` times the windows, so that it is of about as
    many tokens."""

    name: str
    tokenizer: Mapping[str, Any]
    tell: str
    k: int | None
    """Bases of a word; none where they vary."""
    stride: int

    def settings(self, folder: Path) -> dict[str, Any]:
        """Of the tokenizer, whose file lies in a folder."""
        tree = dict(self.tokenizer)
        return tree | {"file": str(folder / tree["file"])} if "file" in tree else tree

    def spelled(self, window: str) -> str:
        """A window as their tokenizer reads it."""
        if self.k is None:
            return window
        starts = range(0, LENGTH - self.k + 1, self.stride)
        return " ".join(window[start : start + self.k] for start in starts)


class Step(NamedTuple):
    """A step from bases to the optimizer, and what it reads."""

    take: Callable[[], None]
    windows: int
    tokens: int
    weights: int


READINGS = (
    Reading("5-mers, stride 1", {"name": "kmer", "k": 5}, "words", 5, 1),
    Reading("patches of 4", {"name": "patch", "k": 4}, "words", 4, 4),
    Reading("byte pairs", {"name": "bpe", "file": "words"}, "words", None, 4),
)
ONE_HOT = Reading("one-hot, windows of 4", {"name": "onehot"}, "bases", 1, 4)


def run(quick: bool) -> list[Table]:
    keep_freed_memory()
    windows = 32 if choose_device().type == "cuda" else 2 if quick else 4
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder, use_threads(available_cores()):
        genome = write_genome(Path(folder))
        train_bpe([genome], Path(folder) / "words", BPESettings(vocabulary=4_096))
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
        "tokenizer": reading.settings(genome.parent),
        "model": {
            "name": "encoder",
            # BERT has no convolution over its tokens.
            "stem": {"name": "embedding", "mix": None} if reading is not ONE_HOT else None,
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
    schedule = Schedule.of_steps(1_000, 1, config.optimizer, 1_000)
    module = module_of(made.model.to(device), config, schedule).to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    numbers = itertools.count()

    def take() -> None:
        batch: Any = made.batches[next(numbers)]
        tensors = {name: value.to(device) for name, value in batch._asdict().items()
                   if isinstance(value, torch.Tensor)}  # fmt: skip
        with autocast(device, precision):
            loss = module.training_step(batch._replace(**tensors), 0)
        finish(optimizer, loss, module.model, device)

    weights = sum(parameter.numel() for parameter in made.model.parameters())
    first: Any = made.batches[0]
    tokens = (
        windows * made.model.tokens(LENGTH)
        if isinstance(made.model, LanguageModel)
        else int(first.mask.sum())
    )
    return Step(take, windows, tokens, weights)


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
    from transformers import BertConfig, BertForMaskedLM, DataCollatorForLanguageModeling

    windows *= reading.stride
    tokenizer = their_tokenizer(reading, genome.parent)
    device = choose_device()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
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

    # [CLS] and [SEP] are no words.
    tokens = sum(len(next(rows)["input_ids"]) - 2 for _ in range(windows))
    return Step(take, windows, tokens, sum(p.numel() for p in model.parameters()))


def their_tokenizer(reading: Reading, folder: Path) -> Any:
    """A fast tokenizer of transformers, of all k-mers or of the byte pairs in a folder."""
    from transformers import BertTokenizerFast, PreTrainedTokenizerFast

    if reading.k is None:
        return PreTrainedTokenizerFast.from_pretrained(reading.settings(folder)["file"])
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *all_kmers(reading.k)]
    return BertTokenizerFast(vocab={word: at for at, word in enumerate(words)}, do_lower_case=False)


def rows_of(text: str, reading: Reading, tokenizer: Callable[..., Any]) -> Iterator[Any]:
    """Windows as a data set gives them, each row tokenized."""
    place = 0
    while True:
        window = text[place : place + LENGTH]
        place = (place + LENGTH) % (len(text) - LENGTH)
        yield tokenizer(reading.spelled(window), truncation=True, max_length=LENGTH + 2)


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
    for reading in READINGS:
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
    steps = {reading.name: our_step(genome, reading, windows) for reading in (*READINGS, ONE_HOT)}
    seconds = fastest({name: step.take for name, step in steps.items()}, rounds)
    rates = {name: step.windows / seconds[name] for name, step in steps.items()}
    for name, step in steps.items():
        rate, each = rates[name], step.tokens // step.windows
        ratio = rate / min(rates.values())
        table.add_row(name, f"{each:,}", f"{rate:.2f}", f"{rate * LENGTH:,.0f}", f"{ratio:.2f}")
    return table
