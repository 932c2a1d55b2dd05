"""Markov models against counting by hand."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest

from attendna.evaluation.markov import CONCENTRATION, HIGHEST_ORDER, WORD, MarkovModel
from attendna.genome.alphabet import reverse_complement
from attendna.genome.reference import open_reference

RANDOM = np.random.default_rng(0)
# A quarter of all bases is as their left neighbor.
GENOME = RANDOM.integers(0, 4, 3_000, dtype=np.uint8)
GENOME[1::4] = GENOME[0::4]


@pytest.fixture(scope="module")
def model() -> MarkovModel:
    with_gap = GENOME.copy()
    with_gap[1_500:1_520] = 4
    return MarkovModel.of([with_gap[:2_000], with_gap[2_000:]])


@functools.cache
def by_hand(size: int) -> dict[tuple[int, ...], int]:
    """Words of 12 known bases on both strands, cut to their last bases."""
    counts: dict[tuple[int, ...], int] = {}
    for run in (GENOME[:1_500], GENOME[1_520:2_000], GENOME[2_000:]):
        for start in range(run.size - WORD + 1):
            word = run[start : start + WORD]
            for strand in (word, reverse_complement(word.copy())):
                key = tuple(strand[WORD - size :].tolist())
                counts[key] = counts.get(key, 0) + 1
    return counts


def smoothed(context: tuple[int, ...]) -> np.ndarray:
    """The definition, by recursion."""
    below = smoothed(context[1:]) if context else np.full(4, 0.25)
    words = by_hand(len(context) + 1)
    counts = np.array([words.get((*context, base), 0) for base in range(4)])
    return (counts + CONCENTRATION * below) / (counts.sum() + CONCENTRATION)


def test_counts_are_of_both_strands(model: MarkovModel) -> None:
    counts = model._words(2).reshape(4, 4)
    words = by_hand(2)
    for pair in itertools.product(range(4), repeat=2):
        assert counts[pair] == words[pair]
    whole = by_hand(WORD)
    assert int(model.counts.sum()) == sum(whole.values())


def test_probabilities_are_those_of_the_definition(model: MarkovModel) -> None:
    codes = GENOME[None, 100:140]
    hidden = np.zeros_like(codes, dtype=bool)
    hidden[0, 20] = True
    orders = list(model.from_left(codes, hidden))
    assert len(orders) == HIGHEST_ORDER + 1
    for order in range(4):
        context = tuple(codes[0, 20 - order : 20].tolist())
        assert orders[order][0] == pytest.approx(smoothed(context), abs=1e-6)


def test_what_is_hidden_ends_the_context(model: MarkovModel) -> None:
    codes = GENOME[None, 100:140]
    hidden = np.zeros_like(codes, dtype=bool)
    hidden[0, [0, 17, 20]] = True
    blind = [order[2] for order in model.from_left(codes, hidden)]
    told = [order[2] for order in model.from_left(codes, hidden, told=True)]
    # Two bases stand between it and the hidden one before it.
    assert all(np.array_equal(blind[order], blind[2]) for order in range(2, 12))
    assert np.array_equal(told[2], blind[2])
    assert not np.array_equal(told[3], blind[3])
    first = [order[0] for order in model.from_left(codes, hidden)]
    assert all(np.array_equal(order, first[0]) for order in first)
    # The bases that are hidden do not matter.
    others = codes.copy()
    others[hidden] = (others[hidden] + 1) % 4
    for one, other in zip(
        model.from_left(codes, hidden), model.from_left(others, hidden), strict=True
    ):
        assert np.array_equal(one, other)


def test_both_sides_say_more(model: MarkovModel) -> None:
    codes = GENOME[None, 100:140]
    hidden = np.zeros_like(codes, dtype=bool)
    hidden[0, 20] = True
    sides = [side[0] for side in model.from_both_sides(codes, hidden)]
    words = by_hand(3)
    left, right = int(codes[0, 19]), int(codes[0, 21])
    counts = np.array([words.get((left, base, right), 0) for base in range(4)])
    below = smoothed(())
    wanted = (counts + CONCENTRATION * below) / (counts.sum() + CONCENTRATION)
    assert sides[1] == pytest.approx(wanted, abs=1e-6)
    assert sides[0] == pytest.approx(below, abs=1e-6)
    assert all(side.sum() == pytest.approx(1, abs=1e-5) for side in sides)
    # At an edge there is one side only: nothing is taken from the other.
    hidden[0, 39] = True
    ends = [side[1] for side in model.from_both_sides(codes, hidden)]
    assert all(np.array_equal(end, ends[0]) for end in ends)


def test_a_strand_is_as_good_as_the_other(model: MarkovModel) -> None:
    codes = GENOME[None, 100:140]
    opposite = reverse_complement(codes[0].copy())[None]
    hidden = np.zeros_like(codes, dtype=bool)
    hidden[0, 20] = True
    # But for the ends of runs, where a word is counted that is none on the other strand.
    one = list(model.from_both_sides(codes, hidden))
    other = list(model.from_both_sides(opposite, hidden[:, ::-1]))
    for here, there in zip(one, other, strict=True):
        assert here[0] == pytest.approx(there[0, ::-1], abs=0.01)


def test_known_entropy_of_yeast(shared: Path) -> None:
    """Order 5 tells a third of the bases of chromosome IV, having counted the others."""
    genome = open_reference(shared / "genome" / "sacCer3.fa.gz")
    test = genome.sequence("chrIV", 400_000, 500_000).reshape(100, 1_000)
    runs = [
        genome.sequence(name, 0, genome.lengths[name]) for name in genome.contigs if name != "chrIV"
    ]
    model = MarkovModel.of(runs)
    hidden = np.zeros(test.shape, dtype=bool)
    hidden[:, 20::40] = True
    truth = test[hidden]
    bits = [
        -np.log2(order[np.arange(truth.size), truth]).mean()
        for order in model.from_left(test, hidden)
    ]
    assert bits[0] == pytest.approx(1.96, abs=0.01)
    assert bits[5] < bits[2] < bits[0]
    assert 1.88 < bits[5] < 1.95
    sides = [s[np.arange(truth.size), truth] for s in model.from_both_sides(test, hidden)]
    assert -np.log2(sides[5]).mean() < bits[5] - 0.01
