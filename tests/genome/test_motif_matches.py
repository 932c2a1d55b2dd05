"""Matches of motifs, held against what a reader of words would find."""

import sys

import numpy as np
import pytest

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.genome.motif import Motif
from attendna.genome.motif_matches import MotifMatches, find_matches
from attendna.genome.sequences import SequenceBatch

WORD = Motif.from_consensus("word", "TGACTCC")
LONG = Motif.from_consensus("word", "TGACTCC" * 5)
# On either strand, at both ends, with an unknown base within, and cut off by the end.
TEXTS = ["TGACTCCAAGGAGTCA", "TTTGACNCCTTTGACTCN", "AATGACTC", "TTTTGACTCC"]


def test_a_word_is_found_on_both_strands_and_nowhere_else() -> None:
    pytest.importorskip("memelite", reason="memelite (extra motifs) is not installed")
    found = find_matches([LONG, WORD], SequenceBatch.from_text(TEXTS))
    table = found.to_frame(["a", "b", "c", "d"])
    assert table.select("id", "motif", "start", "end", "strand").rows() == [
        ("a", "word", 0, 7, "+"),
        ("d", "word", 3, 10, "+"),
        ("a", "word", 9, 16, "-"),
    ]
    # One of all words of seven bases.
    assert table["p_value"].to_list() == pytest.approx([4.0**-7] * 3)
    assert found.motif.tolist() == [1, 1, 1]
    assert found.counts().tolist() == [0, 3]


def test_sequences_without_matches_and_too_short_ones() -> None:
    pytest.importorskip("memelite", reason="memelite (extra motifs) is not installed")
    none = find_matches([WORD], SequenceBatch.from_text(["AAAAAAAAAA"]))
    assert none.counts().tolist() == [0]
    assert none.bases().shape == (0, 3)
    assert none.to_frame(["a"]).height == 0
    with pytest.raises(ConfigError, match="shortest motif has 7 bases, the longest sequence 6"):
        find_matches([WORD, LONG], SequenceBatch.from_text(["ACGTAC", "A"]))


def test_bases_of_overlapping_matches_count_once() -> None:
    both = np.array([True, True])
    one, two = np.array([0, 0]), np.array([1, 1])
    found = MotifMatches([WORD], one, two, np.array([3, 5]), np.array([7, 8]), both, np.ones(2))
    assert found.bases().tolist() == [[0, 1, place] for place in range(3, 8)]


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memelite", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[motifs\]"):
        find_matches([WORD], SequenceBatch.from_text(TEXTS))
