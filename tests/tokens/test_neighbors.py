import gzip
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError
from attendna.genome.kmers import number_word, word_number
from attendna.tokens.dna2vec import KmerVectors
from attendna.tokens.neighbors import (
    agreement,
    nearest,
    own_pairs,
    ranks,
    read_pairs,
    shared_bases,
)

K = 3
RANDOM = np.random.default_rng(0)
VECTORS = KmerVectors(K, RANDOM.normal(size=(4**K + 1, 8)).astype(np.float32), missing=("ACG",))
VECTORS.matrix[[word_number("ACG"), 4**K]] = 0


def plain_cosines() -> np.ndarray:
    matrix = VECTORS.matrix[:-1].astype(np.float64)
    lengths = np.linalg.norm(matrix, axis=1)
    with np.errstate(invalid="ignore"):
        return matrix @ matrix.T / np.outer(lengths, lengths)


def test_the_nearest_words_are_those_of_the_largest_cosine() -> None:
    cosines = plain_cosines()
    missing = word_number("ACG")
    for word in (0, 17, 63):
        others = [n for n in range(4**K) if n not in (word, missing)]
        expected = sorted(others, key=lambda n: -cosines[word, n])
        close, found = nearest(VECTORS, np.array([word]), 5)
        assert close[0].tolist() == expected[:5]
        np.testing.assert_allclose(found[0], cosines[word, expected[:5]], rtol=1e-5)
        places = ranks(VECTORS, np.full(62, word), np.array(expected))
        assert places.tolist() == list(range(1, 63))


def test_a_source_agrees_with_itself() -> None:
    pairs = own_pairs(VECTORS)
    assert len(pairs) == 63
    found = agreement(VECTORS, pairs, np.random.default_rng(0))
    assert (found.words, found.same, found.close, found.rank) == (63, 1.0, 1.0, 1.0)
    assert found.low < 1 == found.high
    assert found.similarity == found.their_similarity


def test_neighbors_at_random_agree_as_often_as_chance() -> None:
    words = np.tile(np.setdiff1d(np.arange(64), [word_number("ACG")]), 200)
    others = np.random.default_rng(1).permutation(words)
    pairs = np.stack([words, others], axis=1)[words != others]
    found = agreement(VECTORS, pairs, np.random.default_rng(0))
    assert found.by_chance == 10 / 62
    assert abs(found.close - found.by_chance) < 0.02
    assert found.rank == pytest.approx(31.5, abs=2)


def test_words_without_a_vector_are_left_out() -> None:
    pairs = np.array([[word_number("ACG"), 0], [1, word_number("ACG")], [1, 2]])
    assert agreement(VECTORS, pairs, np.random.default_rng(0)).words == 1
    with pytest.raises(ValueError, match="no 3-mer"):
        agreement(VECTORS, pairs[:2], np.random.default_rng(0))


def test_shared_bases_are_a_longest_common_subsequence() -> None:
    def number(words: list[str]) -> np.ndarray:
        return np.array([word_number(word) for word in words])

    # The first three are scored so in the authors' own table.
    one = ["GCG", "TTCTTC", "AACACTTC", "AAAA"]
    other = ["CAT", "TCTTCT", "AACACACT", "CCCC"]
    found = [
        int(shared_bases(number([a]), number([b]), len(a))[0])
        for a, b in zip(one, other, strict=True)
    ]
    assert found == [1, 5, 6, 0]


def test_words_and_numbers_are_the_same() -> None:
    assert [number_word(n, 2) for n in (0, 1, 15)] == ["AA", "AC", "TT"]
    assert all(word_number(number_word(n, 3)) == n for n in range(64))


def test_a_table_of_neighbors_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv.gz"
    rows = ["0,2,AA,AC,1,nearest_neighbor", "1,2,AA,TT,0,null", "2,3,AAA,AAC,2,nearest_neighbor"]
    path.write_bytes(gzip.compress("\n".join([",k_len,kmer1,kmer2,nw,relation", *rows]).encode()))
    pairs = read_pairs(path)
    assert {k: part.tolist() for k, part in pairs.items()} == {2: [[0, 1]], 3: [[0, 1]]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kmer1,word\nAA,AC\n", "there is no column kmer2"),
        ("kmer1,kmer2\nAA,AC\nAA,AC\nAA,ACG\n", "row 3"),
        ("kmer1,kmer2\nAA,AN\n", "row 1"),
        ("kmer1,kmer2\n", "two words"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_pairs(path)
