"""``attendna recipes copy``: a recipe as a file of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Json
from attendna.cli.output import print_json, say
from attendna.cli.recipes_show import Name


def recipes_copy(
    name: Name,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.yaml", help="Where to write.")],
    *,
    json: Json = False,
) -> None:
    """Copy a recipe into a file, to change it there; a file that exists is never replaced."""
    from os.path import lexists

    from attendna.core.errors import FolderError
    from attendna.core.files import publish_file
    from attendna.core.recipes import recipe

    if lexists(out):
        raise FolderError(f"{out} exists", "choose another --out")
    with publish_file(out) as partial:
        partial.write_bytes(recipe(name).read_bytes())
    if json:
        print_json({"name": name, "out": out})
    say(f"wrote {out}")
