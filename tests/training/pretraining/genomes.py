"""Small genomes in which there is something to learn: a periodic one, and one without structure."""

from pathlib import Path
from typing import Any

import numpy as np
from tests.genome.genome_files import write_genome

from attendna.genome.alphabet import decode

SMALL: dict[str, Any] = {
    "tokenizer": "onehot",
    "model": {"name": "encoder", "stem": "embedding", "width": 16, "blocks": 1, "heads": 2},
    "windows": {"length": 64, "held_out": ["chr2"]},
    "masking": {"rate": 0.15},
    "optimizer": {"learning_rate": 0.01, "warmup": 0.1},
    "trainer": {
        "batch_size": 8,
        "max_steps": 12,
        "validations": 3,
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
    },
}
"""Settings of a pretraining that takes seconds."""


def settings(**changes: Any) -> dict[str, Any]:
    """The small settings with some keys of their sections changed."""
    tree = {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}
    for key, value in changes.items():
        mergeable = isinstance(value, dict) and isinstance(tree.get(key), dict)
        tree[key] = tree[key] | value if mergeable else value
    return tree


def patterned(folder: Path, *, lower: bool = False, kind: str = "fa") -> Path:
    """A genome of three chromosomes that repeat a pattern of 7 bases, with gaps of N."""
    random = np.random.default_rng(0)
    contigs = {}
    for name, size in (("chr1", 6_000), ("chr2", 1_500), ("chr3", 3_000)):
        codes = np.tile(np.array([0, 1, 1, 3, 2, 0, 2], np.uint8), size // 7 + 1)[:size]
        noise = random.random(size) < 0.1
        codes[noise] = random.integers(0, 4, int(noise.sum()))
        letters = decode(codes)
        letters = "N" * 40 + letters[40:500] + "N" * 10 + letters[510:]
        contigs[name] = (
            letters[:1000] + letters[1000:1200].lower() + letters[1200:] if lower else letters
        )
    folder.mkdir(parents=True, exist_ok=True)
    return write_genome(folder, contigs, kind)
