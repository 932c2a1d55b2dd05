"""``attendna tokens neighbors``: which words lie beside each other among k-mer vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import Json, Seed, whole_numbers
from attendna.cli.output import console, print_json

if TYPE_CHECKING:
    from attendna.tokens.neighbors import Agreement

_LONGEST = 8
"""Bases of the longest words that are compared."""


def tokens_neighbors(
    vectors: Annotated[
        Path, typer.Argument(help="Vectors of word2vec, or of `tokens train-dna2vec`.")
    ],
    *,
    words: Annotated[
        list[str] | None, typer.Option("--word", metavar="GATAAG", help="Show its neighbors.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", help="Compare with other vectors, or a table kmer1, kmer2 of neighbors."
        ),
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option("--k", help="Only words of so many bases, 1 to 8, are compared: 3,4."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="Neighbors of each word.")] = 10,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Show the nearest neighbors of words, or how two sources agree on them."""
    from attendna.core.errors import ConfigError

    if bool(words) == bool(against):
        raise ConfigError("give words or something to compare with", "add --word or --against")
    if against is None:
        _show(vectors, words or [], count, json=json)
        return
    found = _compare(vectors, against, whole_numbers(sizes, "--k"), seed)
    if json:
        from dataclasses import asdict

        print_json([asdict(one) for one in found])
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        "k", "words", "same nearest (95 %)", "in 10", "chance", "rank", "shared", "theirs",
        "random", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
        caption="rank: median place of their nearest; shared: bases in order that a word "
        "shares with its nearest here, with theirs, with one at random", caption_justify="left",
    )  # fmt: skip
    for one in found:
        table.add_row(
            str(one.k), f"{one.words:,}", f"{one.same:.3f} ({one.low:.3f} to {one.high:.3f})",
            f"{one.close:.3f}", f"{one.by_chance:.4f}", f"{one.rank:,.0f}",
            f"{one.similarity:.2f}", f"{one.their_similarity:.2f}", f"{one.random_similarity:.2f}",
        )  # fmt: skip
    console().print(table)


def _show(vectors: Path, words: list[str], count: int, *, json: bool) -> None:
    import numpy as np

    from attendna.core.errors import ConfigError
    from attendna.genome.kmers import number_word, word_number
    from attendna.tokens.dna2vec import read_vectors
    from attendna.tokens.neighbors import nearest

    shown: dict[str, dict[str, float]] = {}
    for word in (word.upper() for word in words):
        if set(word) - set("ACGT") or not 1 <= len(word) <= _LONGEST:
            raise ConfigError(
                f"--word {word}: no word of 1 to {_LONGEST} bases", "write A, C, G and T"
            )
        found = read_vectors(vectors, len(word))
        if word in found.missing:
            raise ConfigError(f"--word {word}: {vectors} has no vector of it", "give another")
        close, cosines = nearest(found, np.array([word_number(word)]), count)
        shown[word] = {
            number_word(int(other), len(word)): float(cosine)
            for other, cosine in zip(close[0], cosines[0], strict=True)
            if np.isfinite(cosine)
        }
    if json:
        print_json(shown)
        return
    for word, others in shown.items():
        told = "  ".join(f"{other} {cosine:.3f}" for other, cosine in others.items())
        typer.echo(f"{word}: {told}")


def _compare(vectors: Path, against: Path, sizes: list[int], seed: int) -> list["Agreement"]:
    import numpy as np

    from attendna.core.errors import ConfigError
    from attendna.core.formats import ending_of
    from attendna.tokens.dna2vec import read_vectors
    from attendna.tokens.neighbors import agreement, own_pairs, read_pairs

    if wrong := [k for k in sizes if not 1 <= k <= _LONGEST]:
        raise ConfigError(f"--k {wrong[0]}: words have 1 to {_LONGEST} bases", "correct it")
    if ending_of(against) == ".csv":
        pairs = read_pairs(against)
    elif sizes:
        pairs = {k: own_pairs(read_vectors(against, k)) for k in sizes}
    else:
        raise ConfigError(
            f"{against} may hold words of several lengths", "say which to compare: --k 6"
        )
    if missing := set(sizes) - set(pairs):
        raise ConfigError(f"{against} has no {min(missing)}-mers", "choose another --k")
    return [
        agreement(read_vectors(vectors, k), pairs[k], np.random.default_rng(seed))
        for k in sizes or pairs
    ]
