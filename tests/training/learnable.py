"""Small tasks of every kind that representations can tell apart."""

from pathlib import Path

import numpy as np
import polars as pl
from tests.planted import MOTIFS

from attendna.tasks.spec import SPLITS, LabelKind, TaskSpec
from attendna.tasks.store import Task, write_task


def learnable(
    folder: Path,
    kind: LabelKind,
    classes: tuple[str, ...],
    *,
    paired: bool = False,
    rows: tuple[int, ...] = (160, 80, 60),
) -> Task:
    """Labels follow a motif that a sequence, or of a pair the alternative alone, may hold."""
    random = np.random.default_rng(0)
    frames: dict[str, pl.DataFrame] = {}
    for split, count in zip(SPLITS, rows, strict=True):
        held = np.arange(count) % 2
        plain = ["".join(random.choice(list("ACGT"), 40)) for _ in held]
        planted = [
            text[:16] + MOTIFS[1] + text[24:] if there else text
            for text, there in zip(plain, held, strict=True)
        ]
        columns: dict[str, object] = {"id": [f"{split}-{row}" for row in range(count)]}
        columns |= {"sequence": plain, "alternative": planted} if paired else {"sequence": planted}
        if kind == "multilabel":
            lists = [[0] if there else [1] for there in held.tolist()]
            columns["label"] = pl.Series(lists, dtype=pl.List(pl.UInt16))
        elif kind == "regression":
            noise = 0.1 * random.normal(size=(count, len(classes)))
            columns["label"] = (held[:, None] + noise).tolist()
        else:
            columns["label"] = held
        frames[split] = pl.DataFrame(columns)
    spec = TaskSpec(name="learnable", label_kind=kind, classes=classes, paired=paired)
    return write_task(folder, spec, frames)
