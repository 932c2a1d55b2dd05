"""``attendna data list``: the data sets known by name."""

from typing import TYPE_CHECKING

from attendna.cli.options import Json
from attendna.cli.output import console, print_json

if TYPE_CHECKING:
    from attendna.tasks.catalogue import CatalogueEntry


def data_list(*, json: Json = False) -> None:
    """List the data sets that `data get` and `data show` know by name."""
    from attendna.tasks.catalogue import catalogue

    entries = catalogue().values()
    if json:
        fields = ("name", "title", "collection", "kind", "window", "build", "classes", "licence")
        print_json(
            [{field: getattr(e, field) for field in fields} | {"rows": e.rows} for e in entries]
        )
        return
    from rich.table import Table

    out = console()
    for collection, title in dict.fromkeys(
        (e.name.partition("/")[0], e.collection) for e in entries
    ):
        table = Table(box=None, pad_edge=False, title_justify="left")
        table.add_column(f"{collection}/", no_wrap=True)
        for heading in ("bases", "classes", "train", "valid", "test"):
            table.add_column(heading, justify="right")
        for entry in entries:
            if entry.collection == title:
                table.add_row(*_cells(entry))
        out.print(title, style="bold")
        out.print(table, end="\n\n")
    out.print("* intervals of a genome, not sequences. ** the one after it is fetched instead.")
    out.print(
        "`attendna data get NAME --out DIR` fetches a set, `attendna data show NAME` tells more."
    )


def _cells(entry: "CatalogueEntry") -> list[str]:
    """A row of the table: name, length, classes, and rows of each split."""
    from attendna.tasks.spec import SPLITS

    mark = {"sequences": "", "intervals": " **" if entry.stand_in else " *"}[entry.kind]
    rows = entry.rows
    if not entry.given_splits:
        counts = [f"{sum(rows.values()):,} in all", "", ""]
    else:
        counts = [f"{rows[split]:,}" if split in rows else "" for split in SPLITS]
    length = str(entry.window) if entry.window else "varied"
    return [
        entry.name.partition("/")[2] + mark,
        length,
        str(len(entry.classes)),
        *counts,
    ]
