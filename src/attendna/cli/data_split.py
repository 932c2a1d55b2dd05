"""``attendna data split``: the same task with other splits."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say


def data_split(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A task folder.")],
    *,
    out: Out,
    by: Annotated[
        Literal["sequence", "locus", "homology", "chromosome"],
        typer.Option(
            "--by",
            help="What stays together: equal sequences; also rows at one locus; also sequences "
            "that share half of their 24-mers; or whole chromosomes.",
        ),
    ],
    flank: Annotated[
        int,
        typer.Option("--flank", help="Rows closer than this many bases are at one locus."),
    ] = 0,
    valid_fraction: Annotated[
        float, typer.Option("--valid-fraction", help="Share to validate on.")
    ] = 0.1,
    test_fraction: Annotated[
        float, typer.Option("--test-fraction", help="Share to test on.")
    ] = 0.1,
    valid_chromosome: Annotated[
        list[str] | None,
        typer.Option("--valid-chromosomes", help="To validate on: chr8,chr9."),
    ] = None,
    test_chromosome: Annotated[
        list[str] | None,
        typer.Option("--test-chromosomes", help="To test on: chr8,chr9."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", help="Deal equal parts, for cross-validation.")
    ] = None,
    fold: Annotated[
        int, typer.Option("--fold", help="The part to test on, from 0; the next one validates.")
    ] = 0,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Deal the rows of a task to splits anew; twins on either strand never cross."""
    from attendna.core.config import parse
    from attendna.tasks.resplit import resplit
    from attendna.tasks.split_rule import SplitRule

    rule = parse(
        SplitRule,
        {
            "split_by": by,
            "flank": flank,
            "valid_fraction": valid_fraction,
            "test_fraction": test_fraction,
            "valid_chromosomes": valid_chromosome or [],
            "test_chromosomes": test_chromosome or [],
            "folds": folds,
            "fold": fold,
            "seed": seed,
        },
        "data split",
    )
    made = resplit(folder, out, rule, force=force)
    spec = made.task.spec
    if json:
        tree = {"task": str(made.task.folder), **spec.to_tree(), "left_out": made.record.left_out}
        print_json(tree | {"chromosomes": made.record.chromosomes})
        return
    say(f"split {spec.splits}")
    if made.record.left_out:
        say(f"left out {made.record.left_out:,} rows with a twin in a later split")
    rows = ", ".join(f"{split} {n:,}" for split, n in spec.rows.items())
    say(f"wrote {made.task.folder}: {rows} rows")
