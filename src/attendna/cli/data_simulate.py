"""``attendna data simulate``: sequences with planted motif grammars."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say


def data_simulate(
    *,
    out: Out,
    motifs: Annotated[
        list[str] | None,
        typer.Option(
            "--motifs",
            metavar="MOTIF",
            help="WORD or NAME=WORD of IUPAC letters; FILE or FILE:NAME in MEME, JASPAR, HOMER, "
            "HOCOMOCO or TRANSFAC format; again, or after a comma, for each motif of the grammar. "
            "Default: AP1=TGASTCA and GATA=AGATAAG.",
        ),
    ] = None,
    spacing: Annotated[
        str, typer.Option("--spacing", metavar="MIN-MAX", help="Bases between motifs.")
    ] = "5-20",
    order: Annotated[
        Literal["fixed", "any"], typer.Option("--order", help="Order of the motifs.")
    ] = "fixed",
    orientation: Annotated[
        Literal["forward", "either", "together"],
        typer.Option(
            "--orientation",
            help="Motifs as given, each on either strand, or all together on either strand.",
        ),
    ] = "either",
    negatives: Annotated[
        str,
        typer.Option(
            "--negatives",
            help="How negatives lack the grammar, equal shares of: background, shuffled (letters "
            "of motifs), single (one motif only), spacing (other distances).",
        ),
    ] = "shuffled,single",
    chance: Annotated[
        Literal["remove", "keep"],
        typer.Option("--chance", help="Matches of motifs that arise by chance."),
    ] = "remove",
    length: Annotated[int, typer.Option("--length", help="Bases of a sequence.")] = 200,
    train: Annotated[int, typer.Option("--train", help="Sequences to train on.")] = 4_000,
    valid: Annotated[int, typer.Option("--valid", help="Sequences to validate on.")] = 500,
    test: Annotated[int, typer.Option("--test", help="Sequences to test on.")] = 1_000,
    positive_fraction: Annotated[
        float, typer.Option("--positive-fraction", help="Share of sequences with the grammar.")
    ] = 0.5,
    gc: Annotated[float, typer.Option("--gc", help="Share of G and C in the background.")] = 0.41,
    background: Annotated[
        Path | None,
        typer.Option("--background", help="FASTA file whose words the background imitates."),
    ] = None,
    markov_order: Annotated[
        int,
        typer.Option("--markov-order", help="Bases that decide the next one of such a background."),
    ] = 2,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Simulate sequences with a planted grammar of motifs.

    The truth about every base is stored beside the task, so that what a model is said to have
    learned can be scored.
    """
    from attendna.core.config import parse
    from attendna.tasks.simulate import TRUTH, SimulationSettings, read_truth, simulate

    settings: dict[str, object] = {
        "spacing": _range(spacing),
        "order": order,
        "orientation": orientation,
        "negatives": _names(negatives),
        "chance": chance,
        "length": length,
        "train": train,
        "valid": valid,
        "test": test,
        "positive_fraction": positive_fraction,
        "gc": gc,
        "background": None if background is None else str(background),
        "markov_order": markov_order,
        "seed": seed,
    }
    if motifs:
        settings["motifs"] = [name for text in motifs for name in _names(text)]
    task = simulate(out, parse(SimulationSettings, settings, "data simulate"), force=force)
    truth = read_truth(task)
    planted = int((truth["kind"] == "motif").sum())
    if json:
        print_json({"task": task.folder, "rows": task.spec.rows, "planted_motifs": planted})
    else:
        rows = ", ".join(f"{count:,} {split}" for split, count in task.spec.rows.items())
        say(f"{task.spec.title}")
        say(f"wrote {task.folder}: {rows}; {planted:,} planted motifs in {TRUTH}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _range(text: str) -> list[str]:
    """``"5-20"`` as two numbers, ``"5"`` as the same number twice; settings check them."""
    least, _, most = text.partition("-")
    return [least.strip(), (most or least).strip()]
