"""``attendna profile``: what a model of tracks costs, by length, layers and kind of attention."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import Device, Force, Json, Out, SetTracks, whole_numbers, words
from attendna.cli.output import print_json, say
from attendna.core.outputs import OutputFolder

if TYPE_CHECKING:
    from attendna.training.profile import Cost, Point

SOURCE = "A model's settings (or a recipe) as YAML, or a run of tracks."


PROFILE = OutputFolder("profile")


def profile(
    source: Annotated[Path, typer.Argument(metavar="MODEL", help=SOURCE)],
    out: Out,
    *,
    length: Annotated[
        list[str], typer.Option("--length", metavar="BASES", help="Lengths: 131072,196608,…")
    ],
    layers: Annotated[
        list[str] | None,
        typer.Option("--layers", help="Numbers of layers: 0,2,4; the model's own if none."),
    ] = None,
    attention: Annotated[
        list[str] | None, typer.Option("--attention", help="dense,sparse; both if none.")
    ] = None,
    mode: Annotated[
        list[str] | None, typer.Option("--mode", help="forward,train; both if none.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="SIZE", help="Memory to plan for and stay in: 24GB."),
    ] = None,
    tracks: Annotated[
        list[str] | None,
        typer.Option("--tracks", metavar="HEAD=N", help="Heads of a model in YAML."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Sequences a step.")] = 1,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps that are timed.")] = 3,
    precision: Annotated[str, typer.Option("--precision", help="auto, fp32 or bf16.")] = "auto",
    device: Device = "auto",
    assignments: SetTracks = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Measure peak memory and time of inference and of a training step.

    Every combination is measured in a process of its own, so that their peaks do not mix; one that
    runs out of memory is reported and the others go on. Lists may be written with commas or by
    repeating the option. Writes profile.parquet, profile.csv, profile.json and profile.html.
    """
    from typing import Any, cast

    from attendna.core.delimited import harmless
    from attendna.core.files import publish_folder, refuse_existing
    from attendna.core.parquet import write_parquet

    refuse_existing(out, PROFILE, force=force)
    from attendna.models.track_source import TrackSource
    from attendna.report.profile import ProfilePage
    from attendna.training.plan import parse_bytes
    from attendna.training.profile import ATTENTION, MODES, Sweep, choose
    from attendna.training.profile import profile as measure

    sweep = Sweep(
        whole_numbers(length, "--length"),
        whole_numbers(layers, "--layers"),
        choose(words(attention, "--attention"), ATTENTION, "attention") or ATTENTION,
        choose(words(mode, "--mode"), MODES, "mode") or MODES,
    )
    choose([precision], ("auto", "fp32", "bf16"), "precision")
    opened = TrackSource.open(source, tracks=tracks or (), assignments=assignments or ())
    measured = measure(
        opened,
        sweep,
        memory=parse_bytes(memory) if memory else None,
        device=device,
        precision=cast("Any", precision),
        batch=batch,
        steps=steps,
        progress=_tell,
    )
    page = ProfilePage(measured.facts, measured.rows)
    tree = page.to_tree()
    with publish_folder(out, PROFILE, force=force) as partial:
        write_parquet(measured.rows, partial / "profile.parquet")
        harmless(measured.rows).write_csv(partial / "profile.csv")
        _write_json(partial / "profile.json", tree)
        page.sheet().write(partial / "profile.html")
    if json:
        print_json(tree)
        return
    from attendna.report.template import counted

    for row in tree["plan"]:
        if row["memory"] == measured.facts["memory"]:
            longest = "any length" if row["longest"] is None else f"{row['longest']:,} bp"
            guessed = " (extrapolated)" if row["extrapolated"] else ""
            say(
                f"{row['memory'] / 1e9:.3g} GB hold {longest}{guessed}: {row['mode']}, "
                f"{row['attention']}, {counted(row['layers'], 'layer')}"
            )
    say(f"wrote {out}: profile.html, .parquet, .csv and .json of {measured.rows.height} points")


def _tell(point: "Point", cost: "Cost") -> None:
    from attendna.report.template import counted

    layers = counted(point.layers, "layer")
    what = f"{point.mode}, {point.attention}, {layers}, {point.length:,} bp"
    if cost.peak_bytes is None or cost.seconds is None:
        say(f"{what}: {cost.status} ({cost.reason})")
    else:
        say(f"{what}: {cost.peak_bytes / 1e6:,.0f} MB, {cost.seconds:.3g} s")


def _write_json(path: Path, tree: object) -> None:
    import json

    path.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
