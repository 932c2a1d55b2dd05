"""``attendna interpret attention``: where a model looks, token by token and base by base."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attendna.cli.first_sequences import first_sequences
from attendna.cli.options import Device, Force, Json, Out, RunFolder, Source, SplitOption
from attendna.cli.output import counter, print_json, say, spell_number
from attendna.core.outputs import OutputFolder

if TYPE_CHECKING:
    from attendna.interpret.attention_profiles import AttentionProfiles
    from attendna.report.attention import AttentionPage

ATTENTION = OutputFolder("attention")
PAGE_FILE = "attention.html"
MUTATED, PLANTED = "mutating bases (rank correlation)", "planted motifs (AUROC)"


def interpret_attention(
    run: RunFolder,
    source: Source,
    *,
    out: Out,
    split: SplitOption = "test",
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Sequences to take from the start of INPUT.")
    ] = 100,
    maps: Annotated[
        int, typer.Option("--maps", min=0, help="Sequences of which whole maps are kept.")
    ] = 4,
    mutate: Annotated[
        int,
        typer.Option("--mutate", min=0, help="Sequences whose bases are mutated to compare."),
    ] = 4,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="truth.parquet of `data simulate`, to score against."),
    ] = None,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Measure which tokens every layer and head reads, and what of it reaches the prediction.

    Writes profiles.parquet with a row a base (its share in the last layer, and in the rollout over
    all layers), maps.npz with the weights of the first sequences, and attention.html. Attention is
    not attribution: how well it agrees with mutating bases is told beside it. Of a run of tracks
    the predicted bins are the readers, sequences are windows of it, and no base is mutated.
    """
    from attendna.core.files import publish_folder, refuse_existing

    refuse_existing(out, ATTENTION, force=force)
    from attendna.interpret.attention_profiles import attention_profiles
    from attendna.interpret.track_attention import track_attention_profiles
    from attendna.interpret.truth import read_truth
    from attendna.models.header import is_of_tracks
    from attendna.models.track_checkpoint import load_tracks
    from attendna.prediction.device import choose_device
    from attendna.prediction.predictor import Predictor

    # Differences between small weights: bf16 would round them away.
    predictor = None if is_of_tracks(run) else Predictor.load(run, device, precision="fp32")
    letters = "unknown" if predictor is None else predictor.checkpoint.input.letters
    given = first_sequences(source, letters, split, limit)
    ids, sequences = given.ids, given.sequences
    known = None if truth is None else read_truth(truth, ids, int(sequences.lengths.max()))
    with counter("looking") as advance:
        settings: dict[str, Any] = {"maps": maps, "source": given.source, "progress": advance}
        if predictor is None:
            model = load_tracks(run)[1].to(choose_device(device))
            found = track_attention_profiles(model, sequences, ids, **settings)
        else:
            found = attention_profiles(predictor, sequences, ids, **settings)
    scores: dict[str, dict[str, float]] = {}
    if predictor is None:
        say("a model of tracks: no base is mutated, and what its attention is worth is not told")
    elif mutate:
        scores[MUTATED] = found.agreement(predictor, mutate)
    if known is not None:
        scores[PLANTED] = found.found(known)
    with publish_folder(out, ATTENTION, force=force) as partial:
        found.write(partial)
        page(found, scores, run.name).sheet().write(partial / PAGE_FILE)
    if json:
        print_json({"out": out, "sequences": len(ids), "scores": scores, "precision": "fp32"})
        return
    say(f"wrote {out}: profiles.parquet, maps.npz and {PAGE_FILE} of {len(ids)} sequences")
    for what, each in scores.items():
        told = ", ".join(f"{way} {spell_number(value, '.3f')}" for way, value in each.items())
        say(f"agreement with {what}: {told}")


def page(
    found: "AttentionProfiles", scores: dict[str, dict[str, float]], run: str
) -> "AttentionPage":
    """Profiles as their page shows them."""
    from attendna.interpret.attention_profiles import WAYS
    from attendna.report.attention import AttentionPage, MapPart

    parts: list[Any] = []
    for name, networks in zip(found.ids, found.maps, strict=False):
        for number, one in enumerate(networks):
            starts, ends = one.spans.T
            middles = (starts + ends - 1) / 2
            middles[ends == starts] = -1
            several = f", network {number + 1}" if len(networks) > 1 else ""
            parts.append(MapPart(f"{name}{several}", one.layers, middles))
    means = {way: found.mean(way) for way in WAYS}
    return AttentionPage(run, len(found.ids), means, scores, parts)
