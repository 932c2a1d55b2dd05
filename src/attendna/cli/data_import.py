"""``attendna data import``: make a task of your own labelled sequences."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say

if TYPE_CHECKING:
    from attendna.tasks.ingest import Imported
    from attendna.tasks.spec import SplitName

Table = Annotated[Path | None, typer.Argument(metavar="FILE", help="A table to be split.")]


def data_import(
    *,
    out: Out,
    file: Table = None,
    train: Annotated[Path | None, typer.Option("--train", help="Rows to train on.")] = None,
    valid: Annotated[Path | None, typer.Option("--valid", help="Rows to validate on.")] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Rows to test on.")] = None,
    positive: Annotated[
        Path | None, typer.Option("--positive", help="FASTA file of the positive class.")
    ] = None,
    negative: Annotated[
        Path | None, typer.Option("--negative", help="FASTA file of the negative class.")
    ] = None,
    sequence_column: Annotated[
        str | None,
        typer.Option("--sequence-column", help="Column of sequences; detected by default."),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column of labels; detected by default.")
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id-column", help="Column of row names; `none` numbers the rows."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", help="Class names in order, e.g. closed,open; default sorted."),
    ] = None,
    letters: Annotated[
        Literal["unknown", "error"],
        typer.Option("--letters", help="Read IUPAC letters such as R as N, or refuse them."),
    ] = "unknown",
    min_length: Annotated[
        int, typer.Option("--min-length", help="Refuse sequences with fewer bases.")
    ] = 1,
    valid_fraction: Annotated[
        float, typer.Option("--valid-fraction", help="Share to validate on, unless given.")
    ] = 0.1,
    test_fraction: Annotated[
        float, typer.Option("--test-fraction", help="Share to test on, unless given.")
    ] = 0.1,
    drop_missing: Annotated[
        bool,
        typer.Option(
            "--drop-missing",
            help="Leave out rows without a sequence, label or id (NA, NaN, None, null, . or "
            "empty), and count them.",
        ),
    ] = False,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Make a task of your own labelled sequences.

    Give one table, or one a split, or two FASTA files. CSV, TSV and Parquet are read, each also
    gzipped. Splits that are not given are made by sequence: identical and reverse-complement
    sequences stay together.
    """
    from attendna.core.config import parse
    from attendna.core.errors import ConfigError
    from attendna.tasks.ingest import ImportOptions, import_fasta_pair, import_tables

    options = parse(
        ImportOptions,
        {
            "sequence_column": sequence_column,
            "label_column": label_column,
            "id_column": id_column,
            "classes": [name.strip() for name in classes.split(",")] if classes else None,
            "letters": letters,
            "min_length": min_length,
            "drop_missing": drop_missing,
            "valid_fraction": valid_fraction,
            "test_fraction": test_fraction,
            "seed": seed,
        },
        "data import",
    )
    splits = _given({"train": train, "valid": valid, "test": test})
    if sum((file is not None, bool(splits), bool(positive or negative))) != 1:
        raise ConfigError(
            "give one of FILE, --train (with --valid, --test), or --positive with --negative",
            "see attendna data import --help",
        )
    if file is not None or splits:
        files = splits if file is None else _given({"train": file})
        imported = import_tables(out, files, options, force=force)
    elif positive is None or negative is None:
        raise ConfigError("--positive and --negative go together", "give both")
    else:
        imported = import_fasta_pair(out, negative, positive, options, force=force)
    tell(imported, json=json)


def _given(paths: "dict[SplitName, Path | None]") -> "dict[SplitName, Path]":
    return {split: path for split, path in paths.items() if path is not None}


def tell(imported: "Imported", *, json: bool) -> None:
    """Say what was made, and what was decided on the way."""
    for note in imported.notes:
        say(note)
    for warning in imported.warnings:
        say(f"WARNING: {warning}")
    task = imported.task
    if json:
        result = {"task": str(task.folder), **task.spec.to_tree()}
        print_json(result | {"decisions": imported.notes, "warnings": imported.warnings})
        return
    rows = ", ".join(f"{split} {n:,}" for split, n in task.spec.rows.items())
    say(f"wrote {task.folder}: {rows} rows")
