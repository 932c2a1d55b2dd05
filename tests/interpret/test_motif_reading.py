"""What is read of motifs, where it is known which are read and why."""

import itertools
import re

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from attendna.genome.motif import Motif
from attendna.genome.motif_matches import MotifMatches
from attendna.genome.sequences import SequenceBatch
from attendna.interpret.motif_reading import LEAST, read_in_motifs, shuffled_matches

LENGTH = 150


def drawn(rows: int, seed: int = 0) -> list[str]:
    codes = np.random.default_rng(seed).integers(0, 4, (rows, LENGTH))
    return ["".join("ACGT"[code] for code in row) for row in codes]


def matches(texts: list[str], words: list[list[str]]) -> MotifMatches:
    """Every occurrence of each motif's words."""
    motifs = [Motif.from_consensus(of[0], of[0]) for of in words]
    places = [
        (number, row, hit.start(), hit.start() + len(word))
        for number, of in enumerate(words)
        for row, text in enumerate(texts)
        for word in of
        for hit in re.finditer(f"(?={word})", text)
    ]
    motif, row, start, end = np.array(places).reshape(-1, 4).astype(np.int64).T
    return MotifMatches(motifs, motif, row, start, end, motif >= 0, np.full(len(motif), 1e-3))


def orders(word: str) -> list[str]:
    """The other words of the same letters."""
    return sorted({"".join(one) for one in itertools.permutations(word)} - {word})


def on(texts: list[str], letters: str, noise: float = 0.5) -> np.ndarray:
    """More on some letters than on others."""
    there = np.array([[base in letters for base in text] for text in texts])
    return (there + noise * np.random.default_rng(1).random(there.shape)).astype(np.float32)


def test_numbers_are_those_of_a_plain_count() -> None:
    texts = drawn(12)
    found = matches(texts, [["ACG"], ["TTTTTTTTT"]])
    values = np.random.default_rng(2).random((12, LENGTH)).astype(np.float32)
    values[3, 140:] = np.nan
    table = read_in_motifs(
        {"attention": values}, found, matches(texts, [["CAG"], ["A"]]), np.random.default_rng(0), 50
    )
    row = table.filter(motif="ACG").row(0, named=True)
    inside, expected, areas = 0.0, 0.0, []
    for number, text in enumerate(texts):
        known = ~np.isnan(values[number])
        marked = np.zeros(LENGTH, dtype=bool)
        for hit in re.finditer("ACG", text):
            marked[hit.start() : hit.end()] = True
        if (marked & known).any():
            inside += values[number, marked & known].sum()
            expected += (marked & known).sum() * values[number, ~marked & known].mean()
            areas.append(roc_auc_score(marked[known], values[number, known]))
    assert row["ratio"] == pytest.approx(inside / expected)
    assert row["auroc"] == pytest.approx(np.mean(areas))
    assert row["sequences"] == len(areas)
    assert row["auroc_low"] < row["auroc"] < row["auroc_high"]
    # What never matches has no numbers.
    never = table.filter(motif="TTTTTTTTT").row(0, named=True)
    assert never["matches"] == never["sequences"] == 0
    assert never["auroc"] is never["ratio"] is never["p_value"] is None


def test_a_liking_for_letters_is_not_mistaken_for_a_motif() -> None:
    texts = drawn(80)
    words = ["GGCG", "CCGC", "TGAC"]
    found = matches(texts, [[word] for word in words])
    control = matches(texts, [orders(word) for word in words])
    scores = {"attention": on(texts, "GC"), "importance": on(texts, "", 1.0)}
    scores["importance"][found.row, found.start] += found.motif == 2
    table = read_in_motifs(scores, found, control, np.random.default_rng(0), 400)
    liked = table.filter(pl.col("score") == "attention", pl.col("motif") != "TGAC")
    assert (liked["ratio"] > 1.5).all()
    assert (liked["auroc"] > 0.7).all()
    assert (liked["shuffled_auroc"] > 0.7).all()
    assert (liked["q_value"] > 0.05).all()
    # While what lies on one motif alone does stand out, and first.
    first = table.filter(score="importance").row(0, named=True)
    assert first["motif"] == "TGAC"
    assert first["q_value"] < 0.001
    assert first["difference_low"] > 0.05


def test_chance_finds_nothing_in_many_motifs() -> None:
    texts = drawn(60)
    words = ["".join(word) for word in itertools.product("ACGT", repeat=4)][3::5]
    words = [word for word in words if orders(word)]
    found = matches(texts, [[word] for word in words])
    control = matches(texts, [orders(word) for word in words])
    table = read_in_motifs(
        {"attention": on(texts, "", 1.0)}, found, control, np.random.default_rng(0), 300
    )
    assert table["p_value"].null_count() < len(words) / 4
    assert table["q_value"].min() > 0.05
    assert 0.01 < (table["p_value"].drop_nulls() < 0.1).mean() < 0.25


def test_few_sequences_are_no_evidence() -> None:
    texts = drawn(LEAST - 1)
    found, control = matches(texts, [["A"]]), matches(texts, [["C"]])
    table = read_in_motifs({"attention": on(texts, "A")}, found, control, np.random.default_rng(0))
    row = table.row(0, named=True)
    assert row["sequences"] == LEAST - 1
    assert row["auroc"] == 1
    assert row["p_value"] is row["q_value"] is None


def test_shuffled_columns_are_matched_under_the_number_of_their_motif() -> None:
    pytest.importorskip("memelite", reason="memelite (extra motifs) is not installed")
    motifs = [Motif.from_consensus("long", "ACGTACGTAC"), Motif.from_consensus("five", "AACCG")]
    batch = SequenceBatch.from_text(drawn(30))
    found = shuffled_matches(motifs, batch, 0.002, np.random.default_rng(0))
    assert list(found.motifs) == motifs
    texts = batch.to_text()
    five = found.motif == 1
    assert five.sum() > 20
    for row, start, end, forward in zip(
        found.row[five], found.start[five], found.end[five], found.forward[five], strict=True
    ):
        word = texts[row][start:end]
        word = word if forward else word[::-1].translate(str.maketrans("ACGT", "TGCA"))
        assert sorted(word) == sorted("AACCG")
