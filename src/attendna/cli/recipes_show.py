"""``attendna recipes show``: a recipe as it is written."""

from typing import Annotated

import typer

from attendna.cli.options import Json
from attendna.cli.output import print_json

Name = Annotated[str, typer.Argument(metavar="NAME", help="See `recipes list`.")]


def recipes_show(name: Name, *, json: Json = False) -> None:
    """Print a recipe, comments and all."""
    from attendna.core.config import read_yaml
    from attendna.core.recipes import recipe

    path = recipe(name)
    if json:
        print_json(read_yaml(path))
    else:
        typer.echo(path.read_text(encoding="utf-8"), nl=False)
