"""``attendna tokens train-bpe``: learn the words of a byte-pair encoding from genomes."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say


def tokens_train_bpe(
    *,
    genome: Annotated[
        list[Path],
        typer.Option(
            "--genome", help="A FASTA file, plain or gzipped, or a .2bit file; again for more."
        ),
    ],
    out: Out,
    vocabulary: Annotated[
        int, typer.Option("--vocabulary", help="Words in all, 5 special ones included.")
    ] = 16_384,
    bases: Annotated[
        int, typer.Option("--bases", help="Bases to learn from at most, drawn at random.")
    ] = 20_000_000,
    min_count: Annotated[
        int, typer.Option("--min-count", help="Pairs rarer than this make no word.")
    ] = 2,
    both_strands: Annotated[
        bool,
        typer.Option("--both-strands/--one-strand", help="Read stretches on either strand."),
    ] = True,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Learn the words of a byte-pair encoding from genomes.

    They are written as tokenizer.json, which Hugging Face tokenizers and transformers read, too,
    beside a card that says where they come from.
    """
    from attendna.core.config import parse
    from attendna.core.terminal import PlainConsole
    from attendna.tokens.train_bpe import BPESettings, train_bpe

    settings = parse(
        BPESettings,
        {
            "vocabulary": vocabulary,
            "bases": bases,
            "min_count": min_count,
            "both_strands": both_strands,
            "seed": seed,
        },
        "tokens train-bpe",
    )
    console = PlainConsole(stderr=True)
    if console.is_terminal:
        with console.status("learning words"):
            card = train_bpe(genome, out, settings, force=force)
    else:
        card = train_bpe(genome, out, settings, force=force)
    if json:
        print_json({"folder": out} | card.to_tree())
        return
    say(f"wrote {out}: {card.words:,} words, of {card.bases_a_word:.2f} bases in the mean")
    names = ", ".join(one.name for one in card.genomes)
    say(f"from {card.bases_read:,} bases of {names} in {card.seconds:,.0f} s")
    if card.words < vocabulary:
        say(f"no more words stand in it {min_count} times; {vocabulary:,} were asked for")
