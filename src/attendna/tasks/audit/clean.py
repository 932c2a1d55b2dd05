"""The leak-free version of a data set: what belongs together is kept together, and split again.

Shapes: ``n`` rows.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64
from numpy import ndarray

from attendna.core.config import Config
from attendna.core.files import publish_folder, refuse_existing
from attendna.tasks.audit.related import group_related
from attendna.tasks.audit.rows import Rows, read_rows
from attendna.tasks.spec import SPLITS, SplitName
from attendna.tasks.splits import split_groups
from attendna.tasks.store import SPEC_FILE, open_task, write_task

RECORD_FILE = "cleaned.json"


class Record(Config):
    """What cleaning did."""

    source: str
    before: dict[SplitName, int]
    after: dict[SplitName, int]
    duplicates: int
    """Rows left out because the same row stands before them."""
    contradictory: int
    """Rows left out because their twin has another class."""
    groups: int
    """Groups of rows that must share a split."""
    moved: int
    """Rows kept in another split than before."""
    flank: int
    seed: int


@dataclass(frozen=True)
class Cleaned:
    """A cleaned folder and the record of it."""

    folder: Path
    record: Record


def clean(
    folder: str | Path, out: str | Path, *, flank: int = 0, seed: int = 0, force: bool = False
) -> Cleaned:
    """Write the version of a data set whose splits share nothing.

    Twins are kept once, and not at all where their classes contradict each other; twins of which
    different numbers were measured are all kept, in one split. Rows whose places overlap, or that
    share half of their 24-mers, go to one split. The splits keep their shares of the rows. The
    folder is of the same kind as the one that is read, with ``cleaned.json`` in it, which says of
    every row left out or moved where it was.

    Parameters
    ----------
    flank
        Rows closer to each other than this go to one split, too; at least the context a model adds
        to a row.

    Raises
    ------
    UserError
        There is no data set, or ``out`` exists.
    """
    folder, out = Path(folder), Path(out)
    refuse_existing(out, force=force)
    rows = read_rows(folder)
    clash = _contradictory(rows)
    kept = np.flatnonzero(~clash & _first_of_twins(rows, ~clash))
    part = rows.take(kept)
    groups = group_related(part, flank=flank)
    before: dict[SplitName, int] = {s: int(rows.inside(s).sum()) for s in rows.splits}
    shares: dict[SplitName, float] = {split: float(n) for split, n in before.items()}
    dealt = split_groups(groups, part.labels, shares, seed)
    old = part.frame["split"].to_numpy()
    record = Record(
        source=folder.name,
        before=before,
        after={split: int((dealt == split).sum()) for split in before},
        duplicates=int((~clash).sum()) - kept.size,
        contradictory=int(clash.sum()),
        groups=int(np.unique(groups).size),
        moved=int((old != dealt).sum()),
        flank=flank,
        seed=seed,
    )
    changes = _changes(rows, kept, dealt, clash)
    write = _write_task if (folder / SPEC_FILE).is_file() else _write_intervals
    write(folder, out, part, dealt, _Story(record, changes), force=force)
    return Cleaned(out, record)


@dataclass(frozen=True, eq=False)
class _Story:
    record: Record
    changes: list[dict[str, Any]]

    def write(self, folder: Path) -> None:
        tree = self.record.model_dump() | {"rows": self.changes}
        (folder / RECORD_FILE).write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")


def _contradictory(rows: Rows) -> Bool[ndarray, " n"]:
    """Rows of which a twin, in any split, has another class."""
    classes = pl.DataFrame({"twin": rows.identity, "label": rows.labels})
    return classes.select(pl.col("label").n_unique().over("twin") > 1).to_series().to_numpy()


def _first_of_twins(rows: Rows, among: Bool[ndarray, " n"]) -> Bool[ndarray, " n"]:
    if rows.tracks:
        measured = np.ascontiguousarray(rows.values).view(f"V{4 * len(rows.tracks)}").reshape(-1)
        number = np.unique(measured, return_inverse=True)[1].reshape(-1)
        pairs = np.stack([rows.identity, number], axis=1)
        twins = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    else:
        twins = np.where(among, rows.identity, -1)
    return pl.Series(twins).is_first_distinct().to_numpy() & among


def _changes(
    rows: Rows, kept: Int64[ndarray, " _"], dealt: ndarray, clash: Bool[ndarray, " n"]
) -> list[dict[str, Any]]:
    """Every row that is not where it was."""
    names = rows.frame["id"].to_list() if "id" in rows.frame.columns else range(rows.labels.size)
    was = rows.frame["split"].to_list()
    now: dict[int, str] = dict(zip(kept.tolist(), dealt.tolist(), strict=True))
    changes: list[dict[str, Any]] = []
    for place, (name, split) in enumerate(zip(names, was, strict=True)):
        if place not in now:
            why = "contradictory" if clash[place] else "duplicate"
            changes.append({"id": name, "from": split, "to": None, "why": why})
        elif now[place] != split:
            changes.append({"id": name, "from": split, "to": now[place]})
    return changes


def _write_task(
    folder: Path, out: Path, rows: Rows, dealt: ndarray, story: _Story, *, force: bool
) -> None:
    task = open_task(folder)
    if rows.sequences is None:
        raise ValueError("a task has sequences")
    frame = rows.frame.drop("split").with_columns(sequence=rows.sequences.to_series())
    frames: dict[SplitName, pl.DataFrame] = {
        split: frame.filter(dealt == split) for split in SPLITS if (dealt == split).any()
    }
    how = f"cleaned and split again by attendna (seed {story.record.seed}); was: {task.spec.splits}"
    spec = task.spec.replace(rows={}, splits=how, version=f"{task.spec.version}-clean")
    write_task(out, spec, frames, force=force, complete=story.write)


def _write_intervals(
    folder: Path,  # noqa: ARG001 - as for a task
    out: Path,
    rows: Rows,
    dealt: ndarray,
    story: _Story,
    *,
    force: bool,
) -> None:
    with publish_folder(out, force=force) as partial:
        for split in SPLITS:
            for number, name in enumerate(rows.classes):
                mine = (dealt == split) & (rows.labels == number)
                if not mine.any():
                    continue
                table = rows.frame.filter(mine).select(
                    "id", pl.col("chrom").alias("region"), "start", "end", "strand"
                )
                path = partial / split / f"{name}.csv.gz"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(gzip.compress(table.write_csv().encode(), mtime=0))
        story.write(partial)
