"""``attendna tokens train-dna2vec``: learn k-mer vectors from a genome."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say


def tokens_train_dna2vec(
    *,
    genome: Annotated[Path, typer.Option("--genome", help="A FASTA file, plain or gzipped.")],
    out: Out,
    k_min: Annotated[int, typer.Option("--k-min", help="Bases of the shortest words.")] = 3,
    k_max: Annotated[int, typer.Option("--k-max", help="Bases of the longest words.")] = 8,
    dimensions: Annotated[int, typer.Option("--dimensions", help="Numbers of a vector.")] = 100,
    window: Annotated[
        int, typer.Option("--window", help="Words to either side that a word predicts.")
    ] = 10,
    negative: Annotated[
        int, typer.Option("--negative", help="Random words to tell apart from each of those.")
    ] = 5,
    epochs: Annotated[int, typer.Option("--epochs", help="Times the genome is read.")] = 10,
    min_count: Annotated[
        int, typer.Option("--min-count", help="Words rarer than this get no vector.")
    ] = 5,
    both_strands: Annotated[
        bool,
        typer.Option("--both-strands/--one-strand", help="Read stretches on either strand."),
    ] = True,
    file_format: Annotated[
        Literal["text", "binary"], typer.Option("--format", help="Of word2vec.")
    ] = "text",
    seed: Seed = 0,
    workers: Annotated[
        int,
        typer.Option("--workers", help="Threads; only one gives the same vectors every time."),
    ] = 1,
    force: Force = False,
    json: Json = False,
) -> None:
    """Learn vectors of k-mers from a genome, as dna2vec does.

    They are written in word2vec's format, beside a card that says where they come from.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from attendna.core.config import parse
    from attendna.core.terminal import PlainConsole
    from attendna.tokens.train_dna2vec import Dna2vecSettings, train_dna2vec

    settings = parse(
        Dna2vecSettings,
        {
            "k_min": k_min,
            "k_max": k_max,
            "dimensions": dimensions,
            "window": window,
            "negative": negative,
            "epochs": epochs,
            "min_count": min_count,
            "both_strands": both_strands,
            "seed": seed,
            "workers": workers,
        },
        "tokens train-dna2vec",
    )
    console = PlainConsole(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[bases]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        row = bar.add_task("counting words", total=None, bases="")

        def show(done: int, total: int) -> None:
            read = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} Mbases"
            bar.update(row, description="learning", completed=done, total=total, bases=read)

        card = train_dna2vec(
            genome, out, settings, file_format=file_format, force=force, progress=show
        )
    if json:
        print_json({"folder": out} | card.to_tree())
    else:
        words = ", ".join(f"{count:,} {k}-mers" for k, count in card.words.items())
        say(f"wrote {out}: vectors of {words}")
        say(f"from {card.bases:,} bases of {card.genome} in {card.seconds:,.0f} s")
