"""The k-mer regression against counting by hand."""

from math import sqrt

import numpy as np
from tests.planted import MOTIFS

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.kmer_regression import KmerRegression, kmer_shares
from attendna.tasks.store import Task

OPPOSITE = str.maketrans("ACGT", "TGCA")


def shares_by_hand(text: str, k: int) -> dict[str, float]:
    words = [text[i : i + k] for i in range(len(text) - k + 1)]
    canonical = [min(w, w.translate(OPPOSITE)[::-1]) for w in words if "N" not in w]
    return {w: sqrt(canonical.count(w) / len(canonical)) for w in set(canonical)}


def test_shares_are_those_counted_by_hand() -> None:
    texts = ["ACGTACGTTTTGCA", "NNACG", "AC", "GGGNCCCACACA"]
    shares = kmer_shares(SequenceBatch.from_text(texts), 3).toarray()
    words = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    for text, row in zip(texts, shares, strict=True):
        found = {words[w]: row[w] for w in np.flatnonzero(row)}
        assert found == {w: float(s) for w, s in shares_by_hand(text, 3).items()}


def test_strands_have_the_same_shares() -> None:
    batch = SequenceBatch.from_text(["ACGGTCATTGACAN", "TTTTGGCA"])
    one, other = (kmer_shares(b).toarray() for b in (batch, batch.reverse_complement()))
    assert np.array_equal(one, other)


def test_it_learns_a_planted_motif_and_gives_probabilities(planted: Task) -> None:
    rows = planted.read("train")
    model = KmerRegression(rows.sequences, rows.labels, classes=2)
    test = planted.read("test")
    said = model.probabilities(test.sequences)
    assert said.shape == (60, 1)
    assert ((said >= 0) & (said <= 1)).all()
    motif = np.array([MOTIFS[1] in text for text in test.sequences.to_text()])
    assert said[motif, 0].mean() > said[~motif, 0].mean() + 0.1


def test_a_class_without_training_rows_is_never_predicted(planted: Task) -> None:
    rows = planted.read("train")
    said = KmerRegression(rows.sequences, rows.labels * 2, classes=4).probabilities(rows.sequences)
    assert said.shape == (240, 4)
    assert not said[:, [1, 3]].any()
    assert np.allclose(said.sum(1), 1)
