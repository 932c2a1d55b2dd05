"""A verb as a command: what it reads is protected from what it writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from attendna.core.outputs import reading


class VerbCommand(TyperCommand):
    """Runs a verb so that ``--force`` cannot replace a file or folder that it reads."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        given = [value for key, value in ctx.params.items() if key != "out"]
        with reading(*_paths(given)):
            return super().invoke(ctx)


def _paths(value: Any) -> Iterator[Path]:
    """The paths among options; text such as ``HEAD=DIR`` is one where something is there."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, str):
        path = Path(value.rpartition("=")[2])
        # A bare word may be the name of a data set or a build.
        if len(path.parts) > 1 or path.suffix:
            yield path
    elif isinstance(value, list | tuple):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _paths(one)
