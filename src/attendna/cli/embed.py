"""``attendna embed``: what a model makes of sequences, as vectors."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attendna.cli.options import Device, Force, Json, Precision, Source, SplitOption
from attendna.cli.output import counter, print_json, say
from attendna.core.errors import ConfigError


def embed(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run of `pretrain` or `train`, a checkpoint, a file of motifs, or jaspar.",
        ),
    ],
    source: Source,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.parquet", help="Where to write.")],
    split: SplitOption = "test",
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
    from attendna.core.files import publish_output, refuse_existing
    from attendna.core.outputs import OutputFile
    from attendna.core.parquet import kind_of, write_parquet
    from attendna.prediction.backbone import load_backbone
    from attendna.prediction.representations import Reading, Representations, to_frame
    from attendna.prediction.sequences import read_input

    output = OutputFile("table of vectors", lambda path: kind_of(path) == "vectors")
    refuse_existing(out, output, force=force)
    backbone = load_backbone(run, device, precision)
    vectors = Representations(backbone, Reading(segment=segment, join=join))
    given = read_input(source, backbone.checkpoint.input.letters, split=split)
    columns = {"embedding": given.sequences}
    if given.alternatives is not None:
        columns["embedding_alternative"] = given.alternatives
    with counter("embedding") as advance:
        found = {
            name: vectors.of(sequences, source=given.source, progress=advance)
            for name, sequences in columns.items()
        }
    frame = to_frame(given.ids, found)
    with publish_output(out, output, force=force) as partial:
        write_parquet(frame, partial, "vectors", backbone.precision)
    width = next(iter(found.values())).shape[1]
    if json:
        print_json(
            {
                "out": str(out),
                "rows": len(given.ids),
                "width": width,
                "columns": list(found),
                "precision": backbone.precision,
            }
        )
    else:
        say(
            f"wrote {out}: {len(given.ids):,} rows, {width:,} numbers each, in {backbone.precision}"
        )
