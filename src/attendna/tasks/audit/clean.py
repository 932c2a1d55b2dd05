"""The leak-free version of a data set.

What belongs together is kept together and split again; or the splits stay as they are, and training
does without what the others hold, as is often published.

Shapes: ``n`` rows.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Shaped
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config
from attendna.core.errors import ConfigError, DataError
from attendna.core.files import publish_folder, refuse_existing
from attendna.core.outputs import OutputFolder
from attendna.tasks.audit.related import group_related
from attendna.tasks.audit.rows import Rows, read_rows
from attendna.tasks.audit.sieve import LEFT_OUT, Sieve, leave_out
from attendna.tasks.spec import SPLITS, TASK, SplitName
from attendna.tasks.splits import split_groups
from attendna.tasks.store import SPEC_FILE, open_task, write_task

INTERVALS = OutputFolder("intervals", added=("audit.json",))
RECORD_FILE = "cleaned.json"

_DUPLICATE, _CONTRADICTORY = "duplicate", "contradictory"


class Record(Config):
    """What cleaning did."""

    source: str
    kept_splits: bool
    before: dict[SplitName, int]
    after: dict[SplitName, int]
    duplicates: int
    """Rows left out because the same row stands before them."""
    contradictory: int
    """Rows left out because their twin has another class."""
    left_out: dict[str, dict[SplitName, int]] = Field(
        default_factory=dict[str, dict[SplitName, int]]
    )
    """Rows left out of each split, by the reason."""
    groups: int
    """Groups of rows that must share a split; 0 where the splits were kept."""
    moved: int
    """Rows kept in another split than before."""
    flank: int
    seed: int
    sieve: Sieve

    def told(self) -> Iterator[str]:
        """What was left out, reason by reason; the test split is named by itself."""
        for reason, splits in self.left_out.items():
            counts = ", ".join(f"{n:,} of {split}" for split, n in splits.items())
            yield f"cleaned: left out {counts} ({reason})"
        if self.sieve.also_test:
            yield "cleaned: the test split was sifted as the others were, and is not the original"


@dataclass(frozen=True)
class Cleaned:
    """A cleaned folder and the record of it."""

    folder: Path
    record: Record


def clean(
    folder: str | Path,
    out: str | Path,
    *,
    flank: int = 0,
    seed: int = 0,
    keep_splits: bool = False,
    sieve: Sieve | None = None,
    force: bool = False,
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
    keep_splits
        Leave rows in their splits. Only those are left out of training that validation or test
        hold, and those of validation that test holds, on either strand.
    sieve
        What rows must be to stay, which is seen to after that.

    Raises
    ------
    UserError
        There is no data set, nothing is left of a split, or ``out`` exists.
    """
    folder, out, sieve = Path(folder), Path(out), sieve or Sieve(seed=seed)
    of_task = (folder / SPEC_FILE).is_file()
    refuse_existing(out, TASK if of_task else INTERVALS, force=force)
    if keep_splits and flank:
        raise ConfigError("a flank moves rows, and the splits are kept", "give one of them")
    rows = read_rows(folder)
    old = rows.frame["split"].to_numpy().astype(object)
    splits, why = old.copy(), np.full(old.size, "", dtype=object)
    groups = 0
    if keep_splits:
        _without_held_out(rows, splits, why)
    else:
        groups = _deal_anew(rows, splits, why, flank=flank, seed=seed)
    dealt = splits.copy()
    sieve.sift(rows, splits, why)
    for split in rows.splits:
        if split in (old if keep_splits else dealt) and split not in splits:
            raise DataError(folder, f"nothing is left of the {split} split", "ask for less")
    record = Record(
        source=folder.name,
        kept_splits=keep_splits,
        before={split: int((old == split).sum()) for split in rows.splits},
        after={split: int((splits == split).sum()) for split in rows.splits},
        duplicates=int((why == _DUPLICATE).sum()),
        contradictory=int((why == _CONTRADICTORY).sum()),
        left_out=_counted(np.where(dealt == LEFT_OUT, old, dealt), why),
        groups=groups,
        moved=int(((old != splits) & (splits != LEFT_OUT)).sum()),
        flank=flank,
        seed=seed,
        sieve=sieve,
    )
    kept = np.flatnonzero(splits != LEFT_OUT)
    story = _Story(record, _changes(rows, splits, why))
    write = _write_task if of_task else _write_intervals
    write(folder, out, rows.take(kept), splits[kept], story, force=force)
    return Cleaned(out, record)


@dataclass(frozen=True, eq=False)
class _Story:
    record: Record
    changes: list[dict[str, Any]]

    def write(self, folder: Path) -> None:
        tree = self.record.model_dump() | {"rows": self.changes}
        (folder / RECORD_FILE).write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")


def _without_held_out(
    rows: Rows, splits: Shaped[ndarray, " n"], why: Shaped[ndarray, " n"]
) -> None:
    """Leave out of each split what a later one holds."""
    for place, split in enumerate(SPLITS):
        for later in SPLITS[place + 1 :]:
            held = np.isin(rows.identity, rows.identity[rows.inside(later)])
            leave_out(rows.inside(split) & held, f"in {later}", splits, why)


def _deal_anew(
    rows: Rows,
    splits: Shaped[ndarray, " n"],
    why: Shaped[ndarray, " n"],
    *,
    flank: int,
    seed: int,
) -> int:
    """Keep twins once, deal what belongs together to one split; gives the number of groups."""
    clash = _contradictory(rows)
    leave_out(clash, _CONTRADICTORY, splits, why)
    leave_out(~_first_of_twins(rows, ~clash), _DUPLICATE, splits, why)
    kept = np.flatnonzero(splits != LEFT_OUT)
    part = rows.take(kept)
    groups = group_related(part, flank=flank)
    shares: dict[SplitName, float] = {s: float(rows.inside(s).sum()) for s in rows.splits}
    splits[kept] = split_groups(groups, part.labels, shares, seed)
    return int(np.unique(groups).size)


def _counted(
    were: Shaped[ndarray, " n"], why: Shaped[ndarray, " n"]
) -> dict[str, dict[SplitName, int]]:
    """Rows left out of each split they were in, by the reason."""
    counts = Counter((reason, split) for reason, split in zip(why, were, strict=True) if reason)
    return {
        reason: {split: n for split in SPLITS if (n := counts[reason, split])}
        for reason in dict.fromkeys(reason for reason, _ in counts)
    }


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
    rows: Rows, splits: Shaped[ndarray, " n"], why: Shaped[ndarray, " n"]
) -> list[dict[str, Any]]:
    """Every row that is not where it was."""
    names = rows.frame["id"].to_list() if "id" in rows.frame.columns else range(rows.labels.size)
    changes: list[dict[str, Any]] = []
    for name, was, now, reason in zip(names, rows.frame["split"], splits, why, strict=True):
        if now == LEFT_OUT:
            changes.append({"id": name, "from": was, "to": None, "why": reason})
        elif now != was:
            changes.append({"id": name, "from": was, "to": now})
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
    record, how = story.record, task.spec.splits
    if not record.kept_splits:
        how = f"cleaned and split again by attendna (seed {record.seed}); was: {how}"
    notes = [*task.spec.notes, *record.told()]
    version = f"{task.spec.version}-clean"
    spec = task.spec.replace(rows={}, window=None, splits=how, version=version, notes=notes)
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
    with publish_folder(out, INTERVALS, force=force) as partial:
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
