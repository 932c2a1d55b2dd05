"""``attendna study list``: the studies that come with attendna."""

from attendna.cli.options import Json
from attendna.cli.output import console, print_json


def study_list(*, json: Json = False) -> None:
    """List the studies that come with attendna, and what each runs."""
    from attendna.studies.study import library, read_study

    rows: list[dict[str, object]] = []
    for name in library():
        study = read_study(name)
        runs = sum(1 for _ in study.rows()) * len(study.seeds)
        rows.append({"name": name, "scale": study.scale, "runs": runs, "title": study.title})
    if json:
        print_json(rows)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("name", "scale", "runs", "title", box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console().print(table)
