"""The card of a task of tracks, for ``attendna data show``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attendna.cli.output import console, print_json

if TYPE_CHECKING:
    from collections import Counter

    from attendna.report.sheet import Sheet
    from attendna.tasks.audit.audit import Audit
    from attendna.tasks.spec import SplitName
    from attendna.tasks.tracks import TrackTask


def show_tracks(folder: Path, *, json: bool, draw: bool) -> "Sheet | None":
    """Show the splits of a task of tracks, and its tracks by their type.

    Parameters
    ----------
    draw
        Also make the page.
    """
    from attendna.tasks.audit.audit import audit, read_audit
    from attendna.tasks.tracks import open_track_task

    task = open_track_task(folder)
    splits = {split: _describe(task, split) for split in task.splits}
    assays = _assays(task)
    audited = read_audit(folder) or (audit(folder) if draw else None)
    if json:
        verdict = {"audit": audited.level if audited else None}
        print_json(task.spec.to_tree() | {"split": splits, "assays": assays} | verdict)
    else:
        _print_tracks(task, splits, assays)
        tell_audit(audited, folder)
    if not draw or audited is None:
        return None
    from attendna.report.data_card import count_chromosomes
    from attendna.report.task_page import TrackTaskPage

    chromosomes: dict[SplitName, Counter[str]] = {
        split: count_chromosomes(task.read(split).frame) for split in task.splits
    }
    return TrackTaskPage(task.spec, audited, assays, chromosomes).sheet()


def tell_audit(audited: "Audit | None", folder: Path) -> None:
    """Say what the audit of a folder found, or how to get one."""
    out = console()
    if audited is None:
        out.print(f"audit: none yet; attendna data audit {folder}", markup=False, soft_wrap=True)
        return
    out.print(f"audit: {audited.level}", style="bold" if audited.level == "clean" else "bold red")
    for split in audited.splits:
        for finding in split.findings:
            out.print(f"{split.split}: {finding}", markup=False, soft_wrap=True)


def _print_tracks(
    task: "TrackTask", splits: dict[str, dict[str, Any]], assays: dict[str, int]
) -> None:
    from rich.table import Table

    spec, out = task.spec, console()
    shape = (
        f"{spec.window:,} a record; {spec.bins:,} bins of {spec.bin_size} in the middle, "
        f"{spec.crop:,} at either end without targets"
    )
    tracks = f"{spec.tracks:,}: " + ", ".join(f"{name} {n:,}" for name, n in assays.items())
    out.print(spec.name, style="bold")
    for label, text in (
        ("title", spec.title),
        ("bases", shape),
        ("tracks", tracks),
        ("build", spec.build),
        ("splits", spec.splits),
        ("licence", spec.licence),
        ("citation", spec.citation),
        *(("note", note) for note in spec.notes),
    ):
        if text:
            out.print(f"{label}: {text}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("split", "records", "chromosomes", "N", "masked values"):
        table.add_column(heading, justify="left" if heading == "split" else "right")
    for split, told in splits.items():
        table.add_row(
            split,
            f"{told['records']:,}",
            "unknown" if told["chromosomes"] is None else f"{told['chromosomes']:,}",
            f"{told['unknown']:.2%}",
            f"{told['masked']:.2%}",
        )
    out.print(table)


def _describe(task: "TrackTask", split: Any) -> dict[str, Any]:
    part = task.read(split)
    records, spec, frame = len(part), task.spec, part.frame
    return {
        "records": records,
        "chromosomes": None if frame["chrom"].has_nulls() else frame["chrom"].n_unique(),
        "unknown": int(frame["unknown"].sum()) / (records * spec.window),
        "masked": int(frame["masked"].sum()) / (records * spec.bins * spec.tracks),
    }


def _assays(task: "TrackTask") -> dict[str, int]:
    """How many tracks there are of each type, in the usual order."""
    from attendna.tasks.track_targets import ASSAYS

    counts = {name: int((task.targets["assay"] == name).sum()) for name in ASSAYS}
    return {name: count for name, count in counts.items() if count}
