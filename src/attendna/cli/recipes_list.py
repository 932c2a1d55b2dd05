"""``attendna recipes list``: the settings that come with attendna."""

from attendna.cli.options import Json
from attendna.cli.output import console, print_json


def recipes_list(*, json: Json = False) -> None:
    """List the recipes: their names work wherever a verb takes a file of settings."""
    from attendna.core.recipes import about, recipes

    rows = [{"name": name, "about": about(path)} for name, path in recipes().items()]
    if json:
        print_json(rows)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("name", "about", box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row.values())
    console().print(table)
