"""``attendna embed``: what a model makes of sequences, as vectors."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attendna.cli.options import Device, Force, Json, OptionalSequenceInput, Precision
from attendna.cli.output import counter, print_json, say
from attendna.core.errors import ConfigError

Rows = tuple[tuple[str, ...], dict[str, Any]]
"""Ids, and the sequences that become each column."""


def embed(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run of `pretrain` or `train`, a checkpoint, a file of motifs, or jaspar.",
        ),
    ],
    source: OptionalSequenceInput = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.parquet", help="Where to write.")],
    task: Annotated[
        Path | None, typer.Option("--task", help="A task folder instead of a file.")
    ] = None,
    split: Annotated[
        Literal["train", "valid", "test"], typer.Option("--split", help="Which rows of the task.")
    ] = "train",
    segment: Annotated[
        int | None,
        typer.Option("--segment", min=1, help="Read sequences in segments of so many bases."),
    ] = None,
    join: Annotated[
        Literal["concat", "mean"],
        typer.Option("--join", help="What becomes of the vectors of segments."),
    ] = "concat",
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write the vector of each sequence: its id, and a list of fixed size, the column embedding.

    Of a paired task there are two lists, embedding and embedding_alternative. Of a language model a
    sequence is the mean of its tokens, of a trained model what its head reads; of motifs it is how
    much of each there is in it, in bits.
    """
    if out.suffix != ".parquet":
        raise ConfigError(f"--out {out}: the ending is not known", "use .parquet")
    if (source is None) == (task is None):
        raise ConfigError("sequences are wanted from one place", "give INPUT or --task")
    from attendna.core.files import publish_output, refuse_existing
    from attendna.core.outputs import OutputFile
    from attendna.core.parquet import kind_of, write_parquet
    from attendna.prediction.backbone import load_backbone
    from attendna.prediction.representations import Reading, Representations, to_frame

    output = OutputFile("table of vectors", lambda path: kind_of(path) == "vectors")
    refuse_existing(out, output, force=force)
    backbone = load_backbone(run, device, precision)
    vectors = Representations(backbone, Reading(segment=segment, join=join))
    place = source if task is None else task / f"{split}.parquet"
    ids, columns = (
        _of_file(source, backbone.checkpoint.input.letters)
        if source is not None
        else _of_task(task, split)
    )
    with counter("embedding") as advance:
        found = {
            name: vectors.of(sequences, source=place or "", progress=advance)
            for name, sequences in columns.items()
        }
    frame = to_frame(ids, found)
    with publish_output(out, output, force=force) as partial:
        write_parquet(frame, partial, "vectors", backbone.precision)
    width = next(iter(found.values())).shape[1]
    if json:
        print_json(
            {
                "out": str(out),
                "rows": len(ids),
                "width": width,
                "columns": list(found),
                "precision": backbone.precision,
            }
        )
    else:
        say(f"wrote {out}: {len(ids):,} rows, {width:,} numbers each, in {backbone.precision}")


def _of_file(source: Path, letters: Any) -> Rows:
    from attendna.prediction.sequences import read_sequences

    ids, sequences = read_sequences(source, letters)
    return ids, {"embedding": sequences}


def _of_task(task: Any, split: Any) -> Rows:
    from attendna.tasks.store import open_task

    rows = open_task(task, (split,)).read(split)
    columns = {"embedding": rows.sequences}
    if rows.alternatives is not None:
        columns["embedding_alternative"] = rows.alternatives
    return rows.ids, columns
