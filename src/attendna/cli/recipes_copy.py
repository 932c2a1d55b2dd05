"""``attendna recipes copy``: a recipe as a file of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Force, Json
from attendna.cli.output import print_json, say
from attendna.cli.recipes_show import Name


def recipes_copy(
    name: Name,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.yaml", help="Where to write.")],
    *,
    force: Force = False,
    json: Json = False,
) -> None:
    """Copy a recipe into a file, to change it there."""
    from attendna.core.files import publish_file
    from attendna.core.recipes import recipe

    with publish_file(out, force=force) as partial:
        partial.write_bytes(recipe(name).read_bytes())
    if json:
        print_json({"name": name, "out": out})
    say(f"wrote {out}")
