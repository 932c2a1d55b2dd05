"""Motifs: words, drawing and matching."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendna.core.errors import ConfigError, DataError
from attendna.genome.alphabet import decode, encode
from attendna.genome.motif import IUPAC, Motif, choose_motif, named_apart


@settings(max_examples=20)
@given(st.text("".join(IUPAC), min_size=1, max_size=8).filter(lambda word: set(word) != {"N"}))
def test_a_word_is_matched_by_its_spellings_only(word: str) -> None:
    motif = Motif.from_consensus("motif", word.lower())
    codes = np.random.default_rng(0).integers(0, 4, (200, len(word)), dtype=np.uint8)
    expected = [
        all(base in IUPAC[letter] for base, letter in zip(decode(row), word, strict=True))
        for row in codes
    ]
    assert motif.matches(codes)[:, 0].tolist() == expected
    drawn = motif.sample(50, np.random.default_rng(1))
    assert motif.matches(drawn).all()


@pytest.mark.parametrize("word", ["", "N", "NNN", "ACXT", "A-C"])
def test_a_word_that_says_nothing_or_is_none_is_refused(word: str) -> None:
    with pytest.raises(ConfigError):
        Motif.from_consensus("motif", word)


def test_instances_follow_the_probabilities() -> None:
    motif = Motif("motif", np.array([[0.7, 0.1, 0.1, 0.1], [0, 0.5, 0.5, 0]]))
    drawn = motif.sample(20_000, np.random.default_rng(0))
    shares = np.stack([(drawn == base).mean(axis=0) for base in range(4)], axis=1)
    assert np.abs(shares - motif.probabilities).max() < 0.015


def test_scores_are_log_odds_summed_over_the_motif() -> None:
    motif = Motif("motif", np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]]))
    scores = motif.scores(np.stack([encode("ACGT")]))[0]
    assert scores.tolist() == [1, 1, -np.inf]
    assert motif.scores(np.stack([encode("A")])).shape == (1, 0)


def test_nine_of_ten_instances_match() -> None:
    rows = np.random.default_rng(3).dirichlet(np.full(4, 0.5), size=12)
    motif = Motif("motif", rows)
    drawn = motif.sample(10_000, np.random.default_rng(4))
    assert 0.88 < motif.matches(drawn).mean() < 0.92
    random = np.random.default_rng(5).integers(0, 4, (10_000, 12), dtype=np.uint8)
    assert motif.matches(random).mean() < 0.02


def test_the_reverse_complement_matches_the_other_strand() -> None:
    motif = Motif.from_consensus("motif", "AGATAAG")
    assert motif.reverse_complement().consensus == "CTTATCT"
    assert motif.reverse_complement().matches(np.stack([encode("CTTATCT")])).all()


def test_a_motif_is_chosen_by_either_word_of_its_name() -> None:
    motifs = [Motif.from_consensus(name, "ACGT") for name in ("MA0001.1 ONE", "MA0002.1 TWO")]
    for name in ("MA0001.1", "ONE", "MA0001.1 ONE"):
        assert choose_motif("motifs.jaspar", motifs, name) is motifs[0]
    with pytest.raises(DataError, match="no motif THREE"):
        choose_motif("motifs.jaspar", motifs, "THREE")


def test_shuffled_columns_are_the_same_in_another_order() -> None:
    motif = Motif.from_consensus("motif", "ACGTRYSWKMN")
    shuffled = motif.shuffled(np.random.default_rng(0))
    assert shuffled.name == "motif"
    assert shuffled.consensus != motif.consensus
    as_rows = [sorted(map(tuple, one.probabilities.tolist())) for one in (motif, shuffled)]
    assert as_rows[0] == as_rows[1]


def test_those_of_one_name_are_numbered() -> None:
    motifs = [Motif.from_consensus(name, "ACGT") for name in ("a", "b", "a")]
    assert [motif.name for motif in named_apart(motifs)] == ["a.1", "b", "a.2"]
