"""A small task that can be learned in seconds: a motif lies in the rows of one class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from attendna.tasks.spec import SPLITS, TaskSpec
from attendna.tasks.store import Task, write_task

MOTIFS = ("", "TGACTCAT", "GGGCGGGG", "ATTTGCAT")


def plant(
    folder: Path,
    rows: Sequence[int] = (240, 120, 60),
    lengths: tuple[int, int] = (24, 48),
    classes: tuple[str, ...] = ("background", "bound"),
    seed: int = 0,
) -> Task:
    """Random sequences; those of class ``i`` hold motif ``i``. Classes take turns."""
    generator = np.random.default_rng(seed)
    frames = {}
    for split, count in zip(SPLITS, rows, strict=True):
        labels = np.arange(count) % len(classes)
        sequences = []
        for label in labels:
            length = int(generator.integers(lengths[0], lengths[1] + 1))
            bases = "".join(generator.choice(list("ACGT"), length))
            motif = MOTIFS[label]
            place = int(generator.integers(0, length - len(motif) + 1))
            sequences.append(bases[:place] + motif + bases[place + len(motif) :])
        ids = [f"{split}-{row}" for row in range(count)]
        frames[split] = pl.DataFrame({"id": ids, "sequence": sequences, "label": labels})
    kind = "binary" if len(classes) == 2 else "multiclass"
    spec = TaskSpec(name="planted", label_kind=kind, classes=classes)
    return write_task(folder, spec, frames)


def forget_digests(folder: Path) -> None:
    """Make a task folder one whose tables may be changed, as one written by hand is."""
    card = folder / "task.yaml"
    tree = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump({key: tree[key] for key in tree if key != "sha256"}))
