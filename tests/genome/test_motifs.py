"""Motifs: words, files, drawing and matching."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendna.core.errors import ConfigError, DataError
from attendna.genome.alphabet import decode, encode
from attendna.genome.motifs import IUPAC, Motif, choose_motif, named_apart, read_motifs

JASPAR = """\
>MA0001.1 ONE
A  [ 8  0  1 ]
C  [ 0 10  1 ]
G  [ 2  0  1 ]
T  [ 0  0  1 ]

>MA0002.1\tTWO
0 10
0 0
10 0
0 0
"""
MEME = """\
MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA0001.1 ONE
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0
 0.8 0.0 0.2 0.0
 0.0 1.0 0.0 0.0
URL http://example.org

MOTIF two
letter-probability matrix: alength= 4 w= 1 nsites= 20 E= 0
 0.1 0.2 0.3 0.4
"""


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


def test_jaspar_counts_become_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "motifs.jaspar"
    path.write_text(JASPAR)
    one, two = read_motifs(path)
    assert one.name == "MA0001.1 ONE"
    expected = [[0.8, 0, 0.2, 0], [0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]]
    assert np.allclose(one.probabilities, expected)
    assert (two.name, two.consensus) == ("MA0002.1 TWO", "GA")


def test_meme_probabilities_are_read(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    path.write_text(MEME)
    one, two = read_motifs(path)
    assert one.name == "MA0001.1 ONE"
    assert np.allclose(one.probabilities, [[0.8, 0, 0.2, 0], [0, 1, 0, 0]])
    assert np.allclose(two.probabilities, [[0.1, 0.2, 0.3, 0.4]])


def test_a_motif_is_chosen_by_either_word_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "motifs.jaspar"
    path.write_text(JASPAR)
    motifs = read_motifs(path)
    for name in ("MA0001.1", "ONE", "MA0001.1 ONE"):
        assert choose_motif(path, motifs, name) is motifs[0]
    with pytest.raises(DataError, match="no motif THREE"):
        choose_motif(path, motifs, "THREE")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("hello\n", "neither"),
        ("MEME version 4\n", "no motif"),
        (JASPAR.replace("T  [ 0  0  1 ]\n", ""), "row 1: 3 lines of counts"),
        (JASPAR.replace("[ 0 10  1 ]", "[ 0 10 ]"), "row 3: 2 counts of C, but 3 of A"),
        (JASPAR.replace("C  [", "T  ["), "row 3: the counts of C were expected"),
        (JASPAR.replace("10  1", "ten  1"), "row 3: not a line of numbers"),
        (JASPAR.replace("0 10\n0 0", "0 0\n0 0"), "row 7: the matrix of MA0002.1 TWO"),
        (JASPAR.replace("[ 8", "[ -8"), "row 1: the matrix"),
        (MEME.replace("ACGT\n", "ACDEFGHIKLMNPQRSTVWY\n"), "row 3: the alphabet"),
        (MEME.replace("w= 2", ""), "row 11: the width"),
        (MEME.replace("w= 2", "w= 3"), "row 14: not a line of numbers"),
        (MEME.replace("w= 1 ", "w= 9 "), "cut short"),
        (MEME.replace(" 0.1 0.2 0.3 0.4", " 0.1 0.2 0.3"), "row 18: 3 numbers"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "motifs.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_motifs(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_motifs(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a text file"):
        read_motifs(tmp_path / "binary")


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
