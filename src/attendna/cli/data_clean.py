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
    keep_splits: Annotated[
        bool,
        typer.Option(
            "--keep-splits",
            help="Leave rows in their splits; training does without what the others hold.",
        ),
    ] = False,
    min_length: Annotated[
        int | None, typer.Option("--min-length", min=1, help="Leave out rows of fewer bases.")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option("--max-length", min=1, help="Leave out rows of more bases.")
    ] = None,
    acgt: Annotated[
        bool, typer.Option("--acgt", help="Leave out rows with other letters than A, C, G, T.")
    ] = False,
    balance: Annotated[
        bool, typer.Option("--balance", help="Draw as many rows of each class, split by split.")
    ] = False,
    also_test: Annotated[
        bool, typer.Option("--also-test", help="Do so to the test split, too; the task says it.")
    ] = False,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Keep each row once, keep together what belongs together, and split again.

    Length, letters and balance are seen to after that, in training and validation alone.
    cleaned.json in the new folder says of every row that was left out or moved where it was.
    """
    from attendna.core.errors import ConfigError
    from attendna.tasks.audit.clean import clean
    from attendna.tasks.audit.sieve import Sieve

    sieve = Sieve(
        min_length=min_length,
        max_length=max_length,
        acgt=acgt,
        balance=balance,
        also_test=also_test,
        seed=seed,
    )
    if also_test and sieve.keeps_all:
        raise ConfigError("--also-test alone changes nothing", "say what rows must be, as --acgt")
    cleaned = clean(
        folder, out, flank=flank, seed=seed, keep_splits=keep_splits, sieve=sieve, force=force
    )
    record = cleaned.record
    if json:
        print_json({"out": out, **record.model_dump()})
        return
    counts = ", ".join(
        f"{split} {record.before[split]:,} to {rows:,}" for split, rows in record.after.items()
    )
    say(f"wrote {out}: {counts} rows")
    if not keep_splits:
        say(f"{record.moved:,} rows moved, in {record.groups:,} groups that share nothing")
    for line in record.told():
        say(line)
