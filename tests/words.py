"""Byte-pair encoding written out plainly, to hold ours against, and a small vocabulary."""

import itertools
from collections import Counter
from functools import cache

import numpy as np

from attendna.tokens.bpe import BPEConfig
from attendna.tokens.bpe_vocabulary import BASES, SPECIAL, Vocabulary


def learn(texts: list[str], merges: int) -> list[tuple[str, str]]:
    """The merges, most frequent pair first; of equally frequent ones the one of lower ids."""
    rows = [list(text) for text in texts]
    ids = {word: place for place, word in enumerate((*SPECIAL, *BASES))}
    made: list[tuple[str, str]] = []
    while len(made) < merges:
        counts = Counter(pair for row in rows for pair in itertools.pairwise(row))
        best = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        made.append(best)
        ids.setdefault("".join(best), len(ids))
        rows = [merge(row, best) for row in rows]
    return made


def merge(words: list[str], pair: tuple[str, str]) -> list[str]:
    """Words with a pair made one wherever it stands, from the left."""
    merged: list[str] = []
    for word in words:
        if merged and (merged[-1], word) == pair:
            merged[-1] += word
            # What was just made is closed: AAAA is AA AA, not AAA A.
            merged.append("")
        else:
            if merged and merged[-1] == "":
                merged.pop()
            merged.append(word)
    return [word for word in merged if word]


def spell(text: str, merges: list[tuple[str, str]]) -> list[str]:
    """The words of a text without N."""
    words = list(text)
    for pair in merges:
        words = merge(words, pair)
    return words


@cache
def vocabulary(merges: int = 60) -> Vocabulary:
    """Words of random bases among which some motifs stand often."""
    random = np.random.default_rng(0)
    parts = ["TATAAA", "GGGCGG", "CACGTG", *("".join(random.choice(list(BASES), 5)) for _ in "ab")]
    texts = ["".join(random.choice(parts, 60)) for _ in range(20)]
    return Vocabulary(SPECIAL, BASES, tuple(learn(texts, merges)))


def config(merges: int = 60) -> BPEConfig:
    """Settings of the tokenizer with these words."""
    return BPEConfig(vocabulary=vocabulary(merges).pack())
