"""Which words lie beside each other among k-mer vectors, and whether another source agrees.

Vectors learned twice differ in every number and yet say the same where the same words are
neighbors, so neighbors are what is compared.

Source: Ng 2017, "dna2vec", who shows that nearest neighbors align better than words at random. The
score of an alignment there counts matches and charges nothing else: it is the length of the longest
common subsequence.

Shapes: ``V`` ids of the tokenizer, ``D`` numbers of a vector, ``Q`` words that are asked for, ``n``
words in all, ``P`` pairs, ``k`` bases of a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64, UInt8
from numpy import ndarray
from scipy import stats

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import parse_delimited
from attendna.core.errors import DataError
from attendna.genome.kmers import word_number
from attendna.tokens.dna2vec import KmerVectors

CLOSE = 10
"""How many neighbors of a word are its close ones."""

_BLOCK = 512
"""Words whose similarities to all others are held at a time: 134 MB of 8-mers."""


@dataclass(frozen=True)
class Agreement:
    """How two sources agree on the nearest neighbors of words of one length."""

    k: int
    words: int
    """Words of which both sources name a neighbor."""
    same: float
    """Share of words whose nearest neighbor is the same in both."""
    low: float
    high: float
    """Its 95 % interval over words (Wilson)."""
    close: float
    """Share of words whose neighbor in the other source is among the ten closest here."""
    by_chance: float
    """That share, were neighbors drawn at random."""
    rank: float
    """Median place of the other source's neighbor here; 1 is the nearest."""
    similarity: float
    """Bases in order that a word shares with its nearest neighbor here, on average."""
    their_similarity: float
    """The same with the other source's neighbor."""
    random_similarity: float
    """The same with a word at random."""


def nearest(
    vectors: KmerVectors, words: Int64[ndarray, " Q"], count: int
) -> tuple[Int64[ndarray, "Q count"], Float32[ndarray, "Q count"]]:
    """The words closest to each of these by cosine, the nearest first, and the cosines.

    Words are numbers in lexical order. No word is its own neighbor, and words without a vector are
    nobody's; their cosine is minus infinity.
    """
    found = [
        (order := np.argsort(-cosines, axis=1, kind="stable")[:, :count],
         np.take_along_axis(cosines, order, axis=1))
        for _, cosines in _cosines(vectors, words)
    ]  # fmt: skip
    return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])


def ranks(
    vectors: KmerVectors, words: Int64[ndarray, " P"], others: Int64[ndarray, " P"]
) -> Int64[ndarray, " P"]:
    """The place of the second word of each pair among the neighbors of the first, from 1 on."""
    found: list[Int64[ndarray, " _"]] = []
    for rows, cosines in _cosines(vectors, words):
        theirs = np.take_along_axis(cosines, others[rows, None], axis=1)
        found.append(1 + (cosines > theirs).sum(axis=1))
    return np.concatenate(found)


def _cosines(
    vectors: KmerVectors, words: Int64[ndarray, " Q"]
) -> Iterator[tuple[slice, Float32[ndarray, "q n"]]]:
    """Of a block of words at a time, the cosine with every word."""
    matrix = vectors.matrix[: 4**vectors.k]
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = matrix / np.maximum(lengths, np.finfo(np.float32).tiny)
    for start in range(0, len(words), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(words)))
        cosines = unit[words[rows]] @ unit.T
        cosines[:, lengths[:, 0] == 0] = -np.inf
        cosines[np.arange(len(cosines)), words[rows]] = -np.inf
        yield rows, cosines


def own_pairs(vectors: KmerVectors) -> Int64[ndarray, "P 2"]:
    """Every word that has a vector, and its nearest neighbor."""
    there = np.setdiff1d(np.arange(4**vectors.k), [word_number(word) for word in vectors.missing])
    return np.stack([there, nearest(vectors, there, 1)[0][:, 0]], axis=1)


def read_pairs(path: str | Path) -> dict[int, Int64[ndarray, "P 2"]]:
    """Words and their nearest neighbors from a table, by the length of the words.

    Read are the columns ``kmer1`` and ``kmer2``; where there is a column ``relation``, only its
    rows ``nearest_neighbor``.

    Raises
    ------
    DataError
        It is no such table.
    """
    path = Path(path)
    table = parse_delimited(path, plain_text(path, read_content(path)), ",")
    table = table.with_row_index("row", offset=1)
    for column in ("kmer1", "kmer2"):
        if column not in table.columns:
            raise DataError(path, f"there is no column {column}", "name its columns kmer1, kmer2")
    if "relation" in table.columns:
        table = table.filter(pl.col("relation") == "nearest_neighbor")
    # Drawn with replacement, short words stand there many times.
    table = table.drop_nulls(["kmer1", "kmer2"]).unique(["kmer1", "kmer2"], maintain_order=True)
    sizes = table.select(k=pl.col("kmer1").str.len_chars(), other=pl.col("kmer2").str.len_chars())
    bad = (sizes["k"] != sizes["other"]) | ~table["kmer1"].str.contains("^[ACGT]+$")
    bad |= ~table["kmer2"].str.contains("^[ACGT]+$")
    if table.is_empty() or bad.any():
        row = None if table.is_empty() else int(table["row"].filter(bad)[0])
        raise DataError(path, "two words of A, C, G, T and of one length are needed a row",
                        "mend the table", row=row)  # fmt: skip
    grouped = table.with_columns(k=sizes["k"]).partition_by("k", as_dict=True)
    return {
        int(key[0]): np.array(
            [
                [word_number(one), word_number(other)]
                for one, other in part.select("kmer1", "kmer2").rows()
            ]
        )
        for key, part in sorted(grouped.items())
    }


def agreement(
    vectors: KmerVectors, pairs: Int64[ndarray, "P 2"], generator: np.random.Generator
) -> Agreement:
    """How the vectors agree with another source's words and neighbors.

    Pairs of which a word has no vector here are left out.

    Raises
    ------
    ValueError
        No pair is left.
    """
    k = vectors.k
    there = ~np.isin(pairs, [word_number(word) for word in vectors.missing]).any(axis=1)
    words, theirs = pairs[there].T
    if not len(words):
        raise ValueError(f"no {k}-mer of the other source has a vector")
    place = ranks(vectors, words, theirs)
    ours = nearest(vectors, words, 1)[0][:, 0]
    others = 4**k - 1 - len(vectors.missing)
    same = stats.binomtest(int((place == 1).sum()), len(words))
    ends = same.proportion_ci(method="wilson")
    return Agreement(
        k=k,
        words=len(words),
        same=float(same.statistic),
        low=float(ends.low),
        high=float(ends.high),
        close=float((place <= CLOSE).mean()),
        by_chance=min(1.0, CLOSE / others),
        rank=float(np.median(place)),
        similarity=float(shared_bases(words, ours, k).mean()),
        their_similarity=float(shared_bases(words, theirs, k).mean()),
        random_similarity=float(shared_bases(words, generator.permutation(words), k).mean()),
    )


def shared_bases(
    words: Int64[ndarray, " P"], others: Int64[ndarray, " P"], k: int
) -> Int64[ndarray, " P"]:
    """The length of the longest common subsequence of each pair of words."""
    one, other = _bases(words, k), _bases(others, k)
    best = np.zeros((k + 1, k + 1, len(words)), dtype=np.int64)
    for i in range(k):
        for j in range(k):
            longer = best[i, j] + (one[:, i] == other[:, j])
            best[i + 1, j + 1] = np.maximum(np.maximum(best[i, j + 1], best[i + 1, j]), longer)
    return best[k, k]


def _bases(words: Int64[ndarray, " P"], k: int) -> UInt8[ndarray, "P k"]:
    return (words[:, None] >> 2 * np.arange(k)[::-1] & 3).astype(np.uint8)
