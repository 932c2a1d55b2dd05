"""``attendna data get``: fetch a public data set as a task folder."""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attendna.cli.options import Force, Json, Out
from attendna.cli.output import print_json, say

if TYPE_CHECKING:
    from attendna.tasks.get import Progress


def data_get(
    name: Annotated[str, typer.Argument(help="A set that `attendna data list` shows.")],
    *,
    out: Out,
    mirror: Annotated[
        Path | None,
        typer.Option("--mirror", help="Read the published files from this folder instead."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Fetch a public data set, check it against its published counts, and make it a task."""
    from attendna.tasks.catalogue import find_entry
    from attendna.tasks.get import get_task

    entry = find_entry(name)
    if entry.name != name:
        say(f"{name} is {entry.name}")
    with _progress_bars() as progress:
        fetched = get_task(entry, out, mirror=mirror, progress=progress, force=force)
    for warning in fetched.warnings:
        say(f"WARNING: {warning}")
    task = fetched.task
    if json:
        print_json({"task": str(task.folder), **task.spec.to_tree(), "warnings": fetched.warnings})
        return
    rows = ", ".join(f"{split} {n:,}" for split, n in task.spec.rows.items())
    say(f"wrote {task.folder}: {task.spec.title}; {rows} rows")


@contextlib.contextmanager
def _progress_bars() -> "Generator[Progress]":
    """A bar a download, on standard error."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from attendna.core.terminal import PlainConsole

    columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *columns,
        console=PlainConsole(stderr=True),
    )

    def progress(url: str) -> _Bar:
        bars.start()  # Not before there is something to show.
        return _Bar(bars, "/".join(url.split("/")[-3:]))

    try:
        yield progress
    finally:
        if bars.live.is_started:
            bars.stop()


class _Bar:
    """A rich bar that moves as pooch wants: ``total`` is set, ``update`` adds."""

    def __init__(self, bars: Any, description: str) -> None:
        self._bars = bars
        self._task = bars.add_task(description, total=None)

    @property
    def total(self) -> int | None:
        """Bytes in all, as far as they are known."""
        return self._bars.tasks[self._task].total

    @total.setter
    def total(self, size: int) -> None:
        self._bars.update(self._task, total=size)

    def update(self, size: int) -> None:
        """Some more bytes have come."""
        self._bars.update(self._task, advance=size)

    def reset(self) -> None:
        """Start again from nothing."""
        self._bars.reset(self._task, total=self.total)

    def close(self) -> None:
        """Leave the bar as it is."""
