"""``attendna interpret embeddings``: how sequences lie in a model's representation."""

from typing import Annotated, Literal

import typer

from attendna.cli.options import (
    Device,
    Force,
    Json,
    Out,
    Precision,
    RunFolder,
    Seed,
    Source,
    SplitOption,
)
from attendna.cli.output import counter, print_json, say, spell_number
from attendna.core.outputs import OutputFolder

EMBEDDINGS = OutputFolder("embeddings")
POINTS_FILE = "points.parquet"
PAGE_FILE = "embeddings.html"


def interpret_embeddings(
    run: RunFolder,
    source: Source,
    *,
    out: Out,
    split: SplitOption = "test",
    projection: Annotated[
        Literal["pca", "umap"], typer.Option("--projection", help="How to come to two dimensions.")
    ] = "pca",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Lay representations out in two dimensions, by GC content and, of a task, by class.

    Writes points.parquet with a row a sequence, and embeddings.html with the pictures and with how
    much of the space is composition, and how much is class.
    """
    from attendna.core.files import publish_folder, refuse_existing
    from attendna.core.parquet import write_parquet

    refuse_existing(out, EMBEDDINGS, force=force)
    from attendna.interpret.embedding_space import embedding_space
    from attendna.prediction.backbone import load_backbone
    from attendna.prediction.representations import Reading, Representations
    from attendna.prediction.sequences import read_input
    from attendna.report.embedding_space import EmbeddingPage

    backbone = load_backbone(run, device, precision)
    given = read_input(source, backbone.checkpoint.input.letters, split=split)
    given.refuse_pairs()
    representations = Representations(backbone, Reading())
    with counter("embedding") as advance:
        vectors = representations.of(given.sequences, source=given.source, progress=advance)
    space = embedding_space(
        vectors,
        given.sequences,
        given.ids,
        given.labels,
        projection=projection,
        seed=seed,
    )
    numbers, points = space.numbers(), space.to_frame(given.classes)
    page = EmbeddingPage(run.name, projection, points, numbers, space.explained)
    with publish_folder(out, EMBEDDINGS, force=force) as partial:
        write_parquet(points, partial / POINTS_FILE, precision=backbone.precision)
        page.sheet().write(partial / PAGE_FILE)
    if json:
        print_json(
            {"out": out, "sequences": len(given.ids), "explained": space.explained, **numbers}
            | {"precision": backbone.precision}
        )
        return
    say(f"wrote {out}: {POINTS_FILE} and {PAGE_FILE} of {len(given.ids):,} sequences")
    if given.labels is not None:
        alike, chance = (spell_number(numbers[key], ".3f") for key in ("alike", "by_chance"))
        say(f"of the nearest neighbors {alike} have the same class, by chance {chance} would")
    told = ", ".join(spell_number(numbers[f"gc_{axis}"], ".3f") for axis in (1, 2))
    say(f"rank correlation of GC content with the two dimensions: {told}")
