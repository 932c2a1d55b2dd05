"""Training speed at the published size (4 x 512, 8 heads, [CLS]) against the ``BertModel`` of
Hugging Face with as many weights and its own data path.

Their way: sequences as strings of k-mers with spaces, a fast tokenizer row by row, the collator
that pads, BertModel with its pooler and a linear layer, AdamW. Ours: codes from the buffer,
tokenized on the device. Both count from letters to the optimizer's step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.table import Table

from attendna.core.memory import keep_freed_memory
from attendna.genome.kmers import all_kmers
from attendna.models.encoder import EncoderConfig
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.patch import PatchConfig
from attendna.tokens.tokenizer import Tokenizer
from attendna.training.run import available_cores
from benchmarks.training_speed import rates_of, texts_of, training, use_threads

WIDTH, BLOCKS, HEADS, LENGTH = 512, 4, 8, 300

HIDDEN = 3 * WIDTH
"""Of BERT's feed-forward layer: so it has the weights of our gated one."""

READINGS: dict[str, tuple[Tokenizer, int, int]] = {
    "5-mers": (KmerConfig(k=5).build(), 5, 1),
    "patches of 4": (PatchConfig(k=4).build(), 4, 4),
}
"""Tokenizer, bases of a word, bases between words."""


def run(quick: bool) -> Table:
    keep_freed_memory()
    batch, threads = 8 if quick else 32, available_cores()
    texts = texts_of(np.array([LENGTH]), batch)
    table = Table(
        title=f"Training, {BLOCKS} x {WIDTH}, {HEADS} heads, {LENGTH} bp, batch {batch}, "
        f"{threads} threads, fp32"
    )
    for column in ("tokens", "way", "weights", "sequences/s", "ratio"):
        table.add_column(column, justify="left" if column in ("tokens", "way") else "right")
    with use_threads(threads):
        for name, (tokenizer, k, stride) in READINGS.items():
            ways = {
                "BertModel": their_training(texts, k, stride),
                "attendna": our_training(texts, tokenizer),
            }
            epochs = {way: (epoch, batch) for way, (epoch, _) in ways.items()}
            rates = rates_of(epochs, threads, rounds=2 if quick else 5)
            for way, (_, weights) in ways.items():
                ratio = rates[way] / rates["BertModel"]
                table.add_row(name, way, f"{weights:,}", f"{rates[way]:,.1f}", f"{ratio:.2f}")
    return table


def our_training(texts: list[str], tokenizer: Tokenizer) -> tuple[Callable[[], None], int]:
    """A pass over the sequences, and the weights that learn."""
    settings = {"width": WIDTH, "blocks": BLOCKS, "heads": HEADS, "pooling": "cls"}
    # BERT has no convolution over its tokens.
    stem = {"name": "embedding", "mix": None}
    model = EncoderConfig.model_validate(settings | {"stem": stem}).build(tokenizer, 1).train()
    return training(texts, tokenizer, model, len(texts)), model.parameter_count()


def their_training(texts: list[str], k: int, stride: int) -> tuple[Callable[[], None], int]:
    """The same in the way of Hugging Face."""
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertTokenizerFast,
        DataCollatorWithPadding,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *all_kmers(k)]
    tokenizer = BertTokenizerFast(
        vocab={word: at for at, word in enumerate(words)}, do_lower_case=False
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=BLOCKS,
        num_attention_heads=HEADS,
        intermediate_size=HIDDEN,
    )
    model = BertForSequenceClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    class Sequences(torch.utils.data.Dataset[dict[str, Any]]):
        def __len__(self) -> int:
            return len(texts)

        def __getitem__(self, row: int) -> dict[str, Any]:
            starts = range(0, LENGTH - k + 1, stride)
            spaced = " ".join(texts[row][start : start + k] for start in starts)
            return {**tokenizer(spaced, truncation=True, max_length=512), "labels": row % 2}

    loader = torch.utils.data.DataLoader(
        Sequences(), batch_size=len(texts), shuffle=True,
        collate_fn=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip

    def epoch() -> None:
        for batch in loader:
            optimizer.zero_grad()
            model(**batch).loss.backward()
            optimizer.step()

    return epoch, sum(parameter.numel() for parameter in model.parameters())
