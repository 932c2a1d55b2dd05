"""``attendna pretrain``: from genomes to a language model that tells hidden bases."""

from pathlib import Path
from typing import Annotated, Any

import typer

from attendna.cli.options import Force, Json, Out, Set
from attendna.cli.output import console, print_json, say, spell_interval, spell_number


def pretrain(
    config: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The settings.")],
    genome: Annotated[
        list[Path], typer.Option("--genome", help="FASTA or .2bit, whole or in part; repeatable.")
    ],
    out: Out,
    *,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            "--exclude",
            metavar="PATH",
            help="Leave out intervals (BED), or the validation and test rows of a task folder, "
            "wherever their sequences lie.",
        ),
    ] = None,
    assignments: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that --out holds.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Train a language model on genomes, and measure it on chromosomes that are held out.

    Accuracy and perplexity of hidden bases stand beside those of Markov models, which only count. A
    training that was stopped or killed goes on with --resume, and ends with the same weights as if
    it had never stopped. `attendna train --from` starts from what was learned.
    """
    from attendna.training.pretraining.config import PretrainingConfig
    from attendna.training.pretraining.train import pretrain
    from attendna.training.processes import process_rank
    from attendna.training.run import RunFolder

    try:
        settings = PretrainingConfig.read(config, assignments or ())
        made = pretrain(settings, genome, out, exclude=exclude or (), resume=resume, force=force)
    except KeyboardInterrupt:
        if RunFolder(out).config.is_file():
            say("stopped; the same command with --resume goes on")
        raise
    from attendna.evaluation.evaluate import read_metrics

    if settings.trainer.devices * settings.trainer.nodes > 1 and process_rank() > 0:
        # Of several processes the first one measures and speaks.
        return
    rows = read_metrics(made)
    if json:
        print_json(rows)
    else:
        show(rows)


def show(rows: list[dict[str, Any]]) -> None:
    """Print how well hidden bases are told, by the model and by those who only count."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    of_run: dict[str, dict[str, Any]] = {}
    for row in rows:
        of_run.setdefault(row["run"], {})[row["metric"]] = row
    title = f"held out: {rows[0]['n']:,} hidden bases"
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("told by")
    for heading in ("accuracy", "95 % interval", "perplexity", "behind", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, found in of_run.items():
        right, gain = found["masked_accuracy"], found.get("masked_accuracy_gain")
        table.add_row(
            name,
            spell_number(right["value"]),
            spell_interval(right["low"], right["high"], ".3f"),
            spell_number(found["perplexity"]["value"], ".3f"),
            spell_number(gain["value"], ".3f") if gain else "",
            spell_interval(gain["low"], gain["high"], ".3f") if gain else "",
        )
    console().print(table)
