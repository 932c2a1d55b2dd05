"""``attendna data clean``: the leak-free version of a data set."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say


def data_clean(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A task folder, or a folder SPLIT/CLASS.csv.gz of intervals."
        ),
    ],
    *,
    out: Out,
    flank: Annotated[
        int,
        typer.Option("--flank", min=0, help="Rows closer than this many bases share a split."),
    ] = 0,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Keep each row once, keep together what belongs together, and split again.

    cleaned.json in the new folder says of every row that was left out or moved where it was.
    """
    from attendna.tasks.audit.clean import clean

    record = clean(folder, out, flank=flank, seed=seed, force=force).record
    if json:
        print_json({"out": out, **record.model_dump()})
        return
    counts = ", ".join(
        f"{split} {record.before[split]:,} to {rows:,}" for split, rows in record.after.items()
    )
    say(
        f"wrote {out}: {counts} rows; left out {record.duplicates:,} duplicates and "
        f"{record.contradictory:,} contradictory rows; {record.moved:,} rows moved, in "
        f"{record.groups:,} groups that share nothing"
    )
