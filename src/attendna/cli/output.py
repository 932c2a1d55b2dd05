"""What a verb prints: results on standard output, everything else on standard error."""

import json
import math
from typing import TYPE_CHECKING, Any, cast

import typer

if TYPE_CHECKING:
    from rich.console import Console


def print_json(value: Any) -> None:
    """Print a result for machines; a number that is not defined becomes null."""
    typer.echo(json.dumps(_defined(value), indent=2, allow_nan=False, default=str))


def say(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    typer.echo(line, err=True)


def console() -> "Console":
    """A rich console on standard output, for tables."""
    from rich.console import Console

    return Console(highlight=False)


def _defined(value: Any) -> Any:
    """The same tree with NaN and infinities replaced: JSON has no word for them."""
    if isinstance(value, dict):
        return {str(key): _defined(inner) for key, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_defined(inner) for inner in cast("list[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
