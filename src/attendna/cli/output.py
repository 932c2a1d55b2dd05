"""What a verb prints: results on standard output, everything else on standard error."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, cast

import typer

from attendna.core.errors import printable

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a log."""

if TYPE_CHECKING:
    from attendna.core.terminal import PlainConsole


def print_json(value: Any) -> None:
    """Print a result for machines; a number that is not defined becomes null."""
    typer.echo(json.dumps(_defined(value), indent=2, allow_nan=False, default=str))


def say(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    typer.echo(printable(line), err=True)


def console() -> "PlainConsole":
    """A rich console on standard output, for tables."""
    from attendna.core.terminal import PlainConsole

    return PlainConsole()


@contextlib.contextmanager
def counter(title: str) -> Generator[Callable[[int], None], None, None]:
    """Show on standard error how many sequences are done; gives what to call with more of them.

    Where standard error is no terminal, as in the log of a cluster, a line is printed now and then.
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from attendna.core.terminal import PlainConsole

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:,.0f} sequences"),
        TimeElapsedColumn(),
    )
    console = PlainConsole(stderr=True)
    if not console.is_terminal:
        yield _in_lines(title)
        return
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task(title, total=None)
        yield lambda rows: bar.advance(shown, rows)


def _in_lines(title: str) -> Callable[[int], None]:
    """Counts sequences, and prints how many there are when some time has passed."""
    began = printed = time.monotonic()
    done = 0

    def advance(rows: int) -> None:
        nonlocal done, printed
        done += rows
        now = time.monotonic()
        if now - printed >= LINE_EVERY:
            printed = now
            say(f"{title}: {done:,} sequences in {now - began:,.0f} s")

    return advance


def spell_number(value: float, form: str = ".4f") -> str:
    """A number for a table; a dash where it is not defined."""
    return "-" if math.isnan(value) else format(value, form)


def spell_interval(low: float, high: float, form: str = ".4f") -> str:
    """The ends of an interval for a table; a dash where there is none."""
    return "-" if math.isnan(low) else f"{low:{form}} to {high:{form}}"


def _defined(value: Any) -> Any:
    """The same tree with NaN and infinities replaced: JSON has no word for them."""
    if isinstance(value, dict):
        return {str(key): _defined(inner) for key, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_defined(inner) for inner in cast("list[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
