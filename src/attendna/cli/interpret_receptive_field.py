"""``attendna interpret receptive-field``: change single bases and see which bins know of it."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import LARGEST_SEED, Device, Force, Json, Out, Seed, SetTracks
from attendna.cli.output import counter, print_json, say, spell_number
from attendna.core.outputs import OutputFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attendna.models.track_model import TrackModel
    from attendna.models.track_source import TrackSource

SOURCE = "A run of tracks, or with --random-weights a model's settings as YAML."


RECEPTIVE_FIELD = OutputFolder("receptive field")


def interpret_receptive_field(
    source: Annotated[Path, typer.Argument(metavar="MODEL", help=SOURCE)],
    out: Out,
    *,
    length: Annotated[
        int | None,
        typer.Option("--length", min=1, help="Bases of the windows; those of training if none."),
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="Head to look at; the first if none.")
    ] = None,
    positions: Annotated[
        int, typer.Option("--positions", min=1, help="Equally spaced bases to change.")
    ] = 9,
    sequences: Annotated[
        int, typer.Option("--sequences", min=1, help="Random windows to average over.")
    ] = 100,
    random_weights: Annotated[
        int | None,
        typer.Option(
            "--random-weights",
            min=0,
            max=LARGEST_SEED,
            metavar="SEED",
            help="Draw fresh weights by this seed.",
        ),
    ] = None,
    tracks: Annotated[
        list[str] | None,
        typer.Option("--tracks", metavar="HEAD=N", help="Heads of a model in YAML."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Windows at a time.")] = 4,
    seed: Seed = 0,
    device: Device = "auto",
    assignments: SetTracks = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Replace one base of random windows by a random other one, and measure what every bin does.

    Writes receptive_field.parquet and .csv with a row a position and bin, .json with the summary,
    and a page. Random weights are drawn as for training, except that layers which begin at zero
    (Enformer's attention outputs) are drawn as any linear layer: with zeros no bin knows another.
    """
    from attendna.core.delimited import harmless
    from attendna.core.files import publish_folder, refuse_existing
    from attendna.core.parquet import write_parquet

    refuse_existing(out, RECEPTIVE_FIELD, force=force)
    from attendna.interpret.receptive_field import receptive_field
    from attendna.models.track_source import TrackSource
    from attendna.prediction.device import choose_device
    from attendna.report.receptive_field import ReceptiveFieldPage
    from attendna.report.template import counted

    opened = TrackSource.open(source, tracks=tracks or (), assignments=assignments or ())
    model, weights = _model(opened, source, random_weights)
    with counter("changing bases of") as advance:
        found = receptive_field(
            model.to(choose_device(device)),
            _length(opened, source, length),
            opened.choose_head(head),
            positions=positions,
            sequences=sequences,
            batch=batch,
            seed=seed,
            progress=advance,
        )
    rows, summary = found.to_frame(), found.summary() | {"weights": weights, "seed": seed}
    page = ReceptiveFieldPage(opened.name, weights, summary, rows, found.by_distance())
    with publish_folder(out, RECEPTIVE_FIELD, force=force) as partial:
        write_parquet(rows, partial / "receptive_field.parquet")
        harmless(rows).write_csv(partial / "receptive_field.csv")
        _write_json(partial / "receptive_field.json", summary)
        page.sheet().write(partial / "receptive_field.html")
    if json:
        print_json(summary)
        return
    ratio, error = found.balance()
    if math.isfinite(ratio):
        spread = f" (standard error {error:.3f})" if math.isfinite(error) else ""
        say(f"left over right {ratio:.3f}{spread}, over {counted(sequences, 'sequence')}")
    if not found.resolved.all():
        hidden = int((~found.resolved).sum())
        say(
            f"{hidden} of {len(found.positions)} positions are not resolved: their effects on far "
            f"bins are within rounding ({spell_number(found.noise, '.2g')})"
        )
    say(f"wrote {out}: receptive_field.html, .parquet, .csv and .json")


def _model(
    opened: "TrackSource", source: Path, random_weights: int | None
) -> tuple["TrackModel", str]:
    from attendna.core.errors import ConfigError

    if random_weights is not None:
        return opened.with_random_weights(random_weights), f"drawn at random, seed {random_weights}"
    if opened.trained is None:
        raise ConfigError(
            f"{source} describes a model that has no weights",
            "name a run, or draw them by --random-weights SEED",
        )
    return opened.trained, f"trained, {source}"


def _length(opened: "TrackSource", source: Path, length: int | None) -> int:
    from attendna.core.errors import ConfigError

    wanted = length or opened.window
    if wanted is None:
        raise ConfigError(f"{source} names no window", "give --length BASES")
    return wanted


def _write_json(path: Path, tree: "Mapping[str, object]") -> None:
    import json

    text = json.dumps({k: None if v != v else v for k, v in tree.items()}, indent=2)  # noqa: PLR0124 - not a number
    path.write_text(text + "\n", encoding="utf-8")
