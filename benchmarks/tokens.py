"""What a sequence costs by the way it is cut into tokens: a training step of the same encoder."""

import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.table import Table

from attendna.models.encoder import EncoderConfig
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig
from attendna.tokens.tokenizer import TokenizerConfig
from attendna.tokens.train_bpe import BPESettings, train_bpe
from benchmarks.bpe import genome
from benchmarks.measure import fastest

LENGTH = 300
BATCH = 16
SIZES = {"4 x 512": {"width": 512, "blocks": 4, "heads": 8}, "2 x 64": {"width": 64, "heads": 4}}
STEMS: dict[str, dict[str, Any]] = {
    "one-hot": {"name": "convolution", "kernel": 25, "pool": 4, "mix": None},
    "5-mer": {"name": "embedding", "mix": None},
    "4-patch": {"name": "embedding", "mix": 7},
    "BPE": {"name": "embedding", "mix": None},
}


def ways(folder: Path) -> dict[str, TokenizerConfig]:
    """The four ways of the six-task study."""
    genome(folder / "genome.fa", 400_000)
    train_bpe([folder / "genome.fa"], folder / "words", BPESettings(vocabulary=4_096))
    return {
        "one-hot": OneHotConfig(),
        "5-mer": KmerConfig(k=5),
        "4-patch": PatchConfig(k=4),
        "BPE": BPEConfig.model_validate({"name": "bpe", "file": str(folder / "words")}),
    }


def step_of(config: TokenizerConfig, stem: dict[str, Any], size: dict[str, Any]) -> Any:
    """A training step on the same codes, and the tokens that attention reads in it."""
    torch.manual_seed(0)
    tokenizer = config.build()
    settings = {"stem": stem, "pooling": "cls", "feed": "reglu", "dropout": 0.0} | size
    model = EncoderConfig.model_validate(settings).build(tokenizer, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    codes = torch.randint(0, 4, (BATCH, LENGTH), dtype=torch.uint8)
    lengths, labels = torch.full((BATCH,), LENGTH), torch.rand(BATCH, 1).round()

    def step() -> None:
        optimizer.zero_grad()
        logits = model(tokenizer(codes, lengths))
        F.binary_cross_entropy_with_logits(logits, labels).backward()
        optimizer.step()

    with torch.no_grad():
        tokens = model.read(tokenizer(codes, lengths))[0].shape[1]
    return step, tokens


def run(quick: bool) -> Table:
    """Milliseconds a sequence."""
    table = Table(title=f"Training the encoder on sequences of {LENGTH} bases, {BATCH} a step")
    table.add_column("tokens")
    table.add_column("attention reads", justify="right")
    sizes = dict(list(SIZES.items())[-1:]) if quick else SIZES
    for name in sizes:
        table.add_column(f"{name}, ms a sequence", justify="right")
        table.add_column("of 5-mer", justify="right")
    with tempfile.TemporaryDirectory() as folder:
        configs = ways(Path(folder))
    rows = {name: [name, ""] for name in configs}
    for size in sizes.values():
        steps = {name: step_of(config, STEMS[name], size) for name, config in configs.items()}
        seconds = fastest({name: step for name, (step, _) in steps.items()}, 3 if quick else 5)
        for name, (_, tokens) in steps.items():
            rows[name][1] = str(tokens)
            share = seconds[name] / seconds["5-mer"]
            rows[name] += [f"{seconds[name] / BATCH * 1e3:.2f}", f"{share:.2f}"]
    for cells in rows.values():
        table.add_row(*cells)
    return table
