"""``attendna data show``: the card of a data set, by name or as a task folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attendna.cli.options import Force, Json
from attendna.cli.output import console, print_json, say
from attendna.cli.show_tracks import show_tracks, tell_audit

if TYPE_CHECKING:
    from attendna.report.data_card import DataCard
    from attendna.report.sheet import Sheet
    from attendna.tasks.audit.audit import Audit
    from attendna.tasks.catalogue import CatalogueEntry
    from attendna.tasks.store import Task

EXAMPLES = 2
"""Rows of each class that are shown."""

SHOWN_BASES = 60

SHOWN_NAMES = 12
"""Names of classes or tracks that are written out."""

_OF_TRACKS = {"multilabel": "positive tracks a row", "regression": "known tracks a row"}


def data_show(
    name: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A known set or a task folder.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Draw a task folder's card as a page."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Show what a data set holds, where it is from, and under which terms.

    The page draws chromosomes, lengths and GC content too, and shows the audit; a folder that has
    not been audited is audited for it.
    """
    from attendna.core.files import publish_output, refuse_existing
    from attendna.core.outputs import PAGE

    if out is not None:
        refuse_existing(out, PAGE, force=force)
    if Path(name).is_dir():
        from attendna.tasks.store import open_task
        from attendna.tasks.tracks import is_track_task

        if is_track_task(name):
            sheet = show_tracks(Path(name), json=json, draw=out is not None)
        else:
            sheet = _show_task(open_task(name), json=json, draw=out is not None)
        if out is not None and sheet is not None:
            with publish_output(out, PAGE, force=force) as partial:
                sheet.write(partial)
            say(f"wrote {out}")
    else:
        from attendna.core.errors import ConfigError
        from attendna.tasks.catalogue import find_entry

        entry = find_entry(name)
        if out is not None:
            raise ConfigError(
                f"{entry.name} is not on this machine, so there is nothing to draw",
                f"get it first: attendna data get {entry.name} --out DIR",
            )
        _show_entry(entry, json=json)


def _show_entry(entry: "CatalogueEntry", *, json: bool) -> None:
    files = {
        key: {
            "url": entry.address(file),
            "mirror": entry.mirror_path(file),
            **file.model_dump(exclude={"path"}, exclude_none=True),
        }
        for key, file in entry.files.items()
    }
    if json:
        print_json(entry.to_tree() | {"files": files})
        return
    _print_heading(entry)
    for key, file in files.items():
        rows = f"{key}: {file['rows']:,} rows, {file['url']}"
        console().print(rows, markup=False, soft_wrap=True)


def _show_task(task: "Task", *, json: bool, draw: bool) -> "Sheet | None":
    from attendna.report.data_card import describe
    from attendna.tasks.audit.audit import audit, read_audit

    card = describe(task)
    audited = read_audit(task.folder) or (audit(task.folder) if draw else None)
    splits: dict[str, dict[str, Any]] = {
        name: {
            "rows": part.n,
            "classes": dict(zip(task.spec.classes, part.counts, strict=True)),
            "bases": _spread(part.lengths),
            "gc": _spread(part.gc),
            "unknown": part.unknown,
            "chromosomes": dict(part.chromosomes),
        }
        for name, part in card.splits.items()
    }
    shared = {f"{a} and {b}": n for (a, b), n in card.shared.items()}
    examples = _examples(task)
    if json:
        verdict = {"audit": audited.level if audited else None}
        found = {"splits": splits, "shared": shared, "examples": examples}
        print_json(task.spec.to_tree() | found | verdict)
    else:
        _print_task(task, splits, shared, examples)
        tell_audit(audited, task.folder)
    return _draw(task, card, audited, examples) if draw and audited else None


def _draw(
    task: "Task", card: "DataCard", audited: "Audit", examples: list[dict[str, str]]
) -> "Sheet":
    from attendna.report.task_page import Example, TaskPage

    shown = tuple(Example(row["id"], row["class"], row["sequence"]) for row in examples)
    return TaskPage(task.spec, card, audited, shown).sheet()


def _print_task(
    task: "Task",
    splits: dict[str, dict[str, Any]],
    shared: dict[str, int],
    examples: list[dict[str, str]],
) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    named = _has_classes(task)
    headings = task.spec.classes if named else (_OF_TRACKS[task.spec.label_kind],)
    for heading in ("split", "rows", *headings, "bases", "GC", "N"):
        table.add_column(heading, justify="left" if heading == "split" else "right")
    for name, part in splits.items():
        table.add_row(
            name,
            f"{part['rows']:,}",
            *(
                (f"{n:,}" for n in part["classes"].values())
                if named
                else (f"{sum(part['classes'].values()) / part['rows']:.2f}",)
            ),
            _tell_spread(part["bases"], "{:.0f}"),
            _tell_spread(part["gc"], "{:.2f}"),
            f"{part['unknown']:.2%}",
        )
    _print_heading(task.spec)
    out = console()
    out.print(table)
    out.print("bases and GC: least, median, most")
    for pair, n in shared.items():
        if n:
            out.print(f"{n:,} rows have a sequence in {pair}, on either strand", style="bold red")
    for example in examples:
        letters = example["sequence"]
        cut = letters[:SHOWN_BASES] + "…" * (len(letters) > SHOWN_BASES)
        out.print(f"{example['class']}: {cut} ({example['id']})", markup=False, soft_wrap=True)


def _print_heading(about: Any) -> None:
    """What catalogue entries and task specs both say of themselves."""
    out = console()
    out.print(about.name, style="bold")
    for label, text in (
        ("title", about.title),
        ("classes", _tell_names(about.classes)),
        ("bases", about.window),
        ("build", about.build),
        ("splits", about.splits),
        ("licence", about.licence),
        ("citation", about.citation),
        *(("note", note) for note in about.notes),
    ):
        if text:
            out.print(f"{label}: {text}", markup=False, soft_wrap=True)


def _tell_names(names: Sequence[str]) -> str:
    """Names of classes; of many tracks, their number and the first few."""
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names)
    return f"{len(names):,} tracks: {', '.join(names[:SHOWN_NAMES])}, …"


def _has_classes(task: "Task") -> bool:
    return task.spec.label_kind not in _OF_TRACKS


def _spread(values: Any) -> list[float]:
    """Least, median and most of the values that are known."""
    import numpy as np

    known = values[~np.isnan(values)]
    return [float(f(known)) for f in (np.min, np.median, np.max)] if known.size else []


def _tell_spread(spread: Any, form: str) -> str:
    told = [form.format(value) for value in spread]
    return told[0] if len(set(told)) == 1 else " ".join(told)


def _examples(task: "Task") -> list[dict[str, str]]:
    """The first rows of each class, of the first split there is; without classes, the first."""
    split = task.read(task.splits[0])
    if not _has_classes(task):
        return [
            {"class": _tell_label(task, row), "id": row["id"], "sequence": row["sequence"]}
            for row in split.frame.head(EXAMPLES).iter_rows(named=True)
        ]
    return [
        {
            "class": name,
            "id": split.ids[row],
            "sequence": split.frame["sequence"][int(row)],
        }
        for label, name in enumerate(task.spec.classes)
        for row in (split.labels == label).nonzero()[0][:EXAMPLES].tolist()
    ]


def _tell_label(task: "Task", row: dict[str, Any]) -> str:
    """Names of the positive tracks of a row, or its values."""
    if task.spec.label_kind == "multilabel":
        return _tell_names([task.spec.classes[track] for track in row["label"]])
    values = row["label"][:SHOWN_NAMES]
    told = ["unknown" if value is None else f"{value:.3g}" for value in values]
    return ", ".join([*told, "…"] if len(row["label"]) > SHOWN_NAMES else told)
