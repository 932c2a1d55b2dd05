"""A shuffle keeps every dinucleotide, and draws every order that does, equally often."""

from collections import Counter
from itertools import pairwise, permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.negatives.shuffle import shuffle_dinucleotides


def steps(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(text))


@given(st.lists(st.text("ACGTN", min_size=1, max_size=60), max_size=12), st.integers(0, 1000))
def test_every_dinucleotide_is_kept(texts: list[str], seed: int) -> None:
    batch = SequenceBatch.from_text(texts)
    shuffled = shuffle_dinucleotides(batch, np.random.default_rng(seed)).to_text()
    assert len(shuffled) == len(texts)
    for before, after in zip(texts, shuffled, strict=True):
        assert steps(before) == steps(after)
        assert Counter(before) == Counter(after)
        assert (before[0], before[-1]) == (after[0], after[-1])


def test_every_order_is_as_likely() -> None:
    text = "ACATAGACTA"
    inner = {
        order
        for middle in permutations(text[1:-1])
        if steps(order := text[0] + "".join(middle) + text[-1]) == steps(text)
    }
    draws = 4_000
    batch = SequenceBatch.from_text([text] * draws)
    seen = Counter(shuffle_dinucleotides(batch, np.random.default_rng(0)).to_text())
    assert set(seen) == inner
    # Walks of the same letters by different copies of a step are one order, so that orders are
    # equally likely, too.
    assert stats.chisquare([seen[order] for order in sorted(inner)]).pvalue > 0.001


def test_long_sequences_lose_their_order() -> None:
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ACGT"), 2_000))
    after = shuffle_dinucleotides(SequenceBatch.from_text([text]), random).to_text()[0]
    same = np.mean([a == b for a, b in zip(text, after, strict=True)])
    assert 0.2 < same < 0.3


def test_a_seed_gives_the_same_shuffle() -> None:
    batch = SequenceBatch.from_text(["ACGTTGCAACGT" * 4] * 3)
    one, two = (shuffle_dinucleotides(batch, np.random.default_rng(7)) for _ in range(2))
    assert one.to_text() == two.to_text()
    assert len(set(one.to_text())) == 3
