"""Options that several verbs share, so that they read and behave the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]

Force = Annotated[bool, typer.Option("--force", help="Replace what --out names if it exists.")]

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, e.g. model.width=64."),
]

Out = Annotated[Path, typer.Option("--out", help="Where to write; must not exist.")]

TaskFolder = Annotated[Path, typer.Option("--task", help="A task folder, as `data get` makes.")]

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as `train` makes.")]
