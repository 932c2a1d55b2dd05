"""``attendna interpret embeddings``: how sequences lie in a model's representation."""

from typing import Annotated, Literal

import typer

from attendna.cli.options import Device, Force, Json, Out, Precision, RunFolder, Seed, TaskFolder
from attendna.cli.output import counter, print_json, say, spell_number
from attendna.core.outputs import OutputFolder

EMBEDDINGS = OutputFolder("embeddings")
POINTS_FILE = "points.parquet"
PAGE_FILE = "embeddings.html"


def interpret_embeddings(
    run: RunFolder,
    *,
    task: TaskFolder,
    out: Out,
    split: Annotated[
        Literal["train", "valid", "test"], typer.Option("--split", help="Which rows of the task.")
    ] = "valid",
    projection: Annotated[
        Literal["pca", "umap"], typer.Option("--projection", help="How to come to two dimensions.")
    ] = "pca",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Lay the representations of a task's rows out in two dimensions, by class and GC content.

    Writes points.parquet with a row a sequence, and embeddings.html with the pictures and with how
    much of the space is composition, and how much is class.
    """
    from attendna.core.errors import ConfigError
    from attendna.core.files import publish_folder, refuse_existing
    from attendna.core.parquet import write_parquet

    refuse_existing(out, EMBEDDINGS, force=force)
    import numpy as np

    from attendna.interpret.embedding_space import embedding_space
    from attendna.prediction.backbone import load_backbone
    from attendna.prediction.representations import Reading, Representations
    from attendna.report.embedding_space import EmbeddingPage
    from attendna.tasks.store import open_task

    opened = open_task(task, (split,))
    if opened.spec.paired:
        raise ConfigError(f"{task} has pairs of sequences", "choose a task of single sequences")
    rows, classes = opened.read(split), opened.spec.classes
    labelled = opened.spec.label_kind in ("binary", "multiclass")
    backbone = load_backbone(run, device, precision)
    representations = Representations(backbone, Reading())
    with counter("embedding") as advance:
        vectors = representations.of(rows.sequences, source=opened.path(split), progress=advance)
    space = embedding_space(
        vectors,
        rows.sequences,
        rows.ids,
        rows.labels.astype(np.int64) if labelled else None,
        projection=projection,
        seed=seed,
    )
    numbers, points = space.numbers(), space.to_frame(classes)
    page = EmbeddingPage(run.name, projection, points, numbers, space.explained)
    with publish_folder(out, EMBEDDINGS, force=force) as partial:
        write_parquet(points, partial / POINTS_FILE, precision=backbone.precision)
        page.sheet().write(partial / PAGE_FILE)
    if json:
        print_json(
            {"out": out, "sequences": len(rows), "explained": space.explained, **numbers}
            | {"precision": backbone.precision}
        )
        return
    say(f"wrote {out}: {POINTS_FILE} and {PAGE_FILE} of {len(rows):,} sequences")
    if labelled:
        alike, chance = (spell_number(numbers[key], ".3f") for key in ("alike", "by_chance"))
        say(f"of the nearest neighbors {alike} have the same class, by chance {chance} would")
    told = ", ".join(spell_number(numbers[f"gc_{axis}"], ".3f") for axis in (1, 2))
    say(f"rank correlation of GC content with the two dimensions: {told}")
