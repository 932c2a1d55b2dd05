"""The same task with other splits."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import Field

from attendna.core.config import Config, to_yaml
from attendna.core.files import refuse_existing
from attendna.tasks.audit.rows import Rows, read_rows
from attendna.tasks.spec import SPLITS, TASK, SplitName
from attendna.tasks.split_rule import Dealt, SplitRule, deal
from attendna.tasks.store import Task, open_task, write_task

RECORD_FILE = "split.yaml"


class Record(Config):
    """What was split, how, and what was left out."""

    source: str
    rule: SplitRule
    left_out: int
    chromosomes: dict[SplitName, tuple[str, ...]] = Field(
        default_factory=dict[SplitName, tuple[str, ...]]
    )
    """The chromosomes of each split, where whole chromosomes were dealt."""


@dataclass(frozen=True)
class Resplit:
    """The new task and the record of it, which lies in it as ``split.yaml``."""

    task: Task
    record: Record


def resplit(
    folder: str | Path, out: str | Path, rule: SplitRule, *, force: bool = False
) -> Resplit:
    """Deal the rows of all splits of a task anew.

    Raises
    ------
    UserError
        There is no task of classes, ``out`` exists, or the rule does not fit the rows.
    """
    folder, out = Path(folder), Path(out)
    refuse_existing(out, TASK, force=force)
    task = open_task(folder)
    rows = read_rows(folder)
    dealt = deal(rows, rule)
    record = Record(
        source=folder.name,
        rule=rule,
        left_out=dealt.left_out,
        chromosomes=dict(dealt.chromosomes),
    )
    spec = task.spec.replace(rows={}, splits=dealt.describe(rule))

    def record_in(partial: Path) -> None:
        (partial / RECORD_FILE).write_text(to_yaml(record.to_tree()), encoding="utf-8")

    written = write_task(out, spec, frames_of(rows, dealt), force=force, complete=record_in)
    return Resplit(written, record)


def frames_of(rows: Rows, dealt: Dealt) -> dict[SplitName, pl.DataFrame]:
    """The rows of each split as a task folder stores them."""
    if rows.sequences is None:
        raise ValueError("a task has sequences")
    frame = rows.frame.drop("split", strict=False).with_columns(sequence=rows.sequences.to_series())
    return {split: frame.filter(mine) for split in SPLITS if (mine := dealt.splits == split).any()}
