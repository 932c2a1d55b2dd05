"""Learning k-mer vectors: what the model is shown, and what comes out."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from attendna.core.config import parse, read_yaml
from attendna.core.errors import ConfigError, DataError, FolderError, MissingExtraError
from attendna.core.files import sha256
from attendna.genome.alphabet import decode
from attendna.genome.reference import stream_contigs
from attendna.tokens.dna2vec import read_vectors
from attendna.tokens.train_dna2vec import Corpus, Dna2vecCard, Dna2vecSettings, train_dna2vec

SMALL = Dna2vecSettings(k_min=2, k_max=4, dimensions=8, window=3, epochs=2)


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    """Two contigs of 9,000 bases with a gap in the first."""
    generator = np.random.default_rng(0)
    first, second = ("".join(generator.choice(list("ACGT"), 9_000)) for _ in range(2))
    path = tmp_path / "genome.fa"
    path.write_text(f">one\n{first[:4000]}{'N' * 50}{first[4050:]}\n>two\n{second}\n")
    return path


def sentences(genome: Path, settings: Dna2vecSettings) -> list[list[str]]:
    return list(Corpus(genome, settings))


def test_words_begin_at_every_base_and_have_random_lengths(genome: Path) -> None:
    settings = SMALL.replace(both_strands=False)
    contigs = [decode(contig.codes) for contig in stream_contigs(genome)]
    lines = sentences(genome, settings)
    assert len(lines) >= 4
    for line in lines:
        # A word's first base and the next word's: the stretch can be read off, base by base.
        stretch = "".join(word[0] for word in line)
        places = [(c, c.find(stretch)) for c in contigs if stretch in c]
        assert len(places) == 1
        contig, start = places[0]
        assert line == [contig[start + i : start + i + len(word)] for i, word in enumerate(line)]
    sizes = Counter(len(word) for line in lines for word in line)
    total = sum(sizes.values())
    assert set(sizes) == {2, 3, 4}
    assert all(abs(count / total - 1 / 3) < 0.02 for count in sizes.values())


def test_no_word_holds_an_n_and_stretches_end_before_the_contig(genome: Path) -> None:
    lines = sentences(genome, SMALL)
    assert all(set(word) <= set("ACGT") for line in lines for word in line)
    # Each of the runs of known bases loses the places where the longest word does not fit.
    known = sum(int((contig.codes < 4).sum()) for contig in stream_contigs(genome))
    assert known - 4 * 3 * len(lines) <= sum(map(len, lines)) < known
    assert max(map(len, lines)) < 5_000


def test_either_strand_is_read_about_half_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(f">poly\n{'A' * 400_000}\n")
    settings = SMALL.replace(k_min=3, k_max=3)
    both = Counter(word for line in sentences(path, settings) for word in line)
    assert set(both) == {"AAA", "TTT"}
    assert 0.25 < both["AAA"] / both.total() < 0.75
    one = Counter(w for line in sentences(path, settings.replace(both_strands=False)) for w in line)
    assert set(one) == {"AAA"}


def test_epochs_differ_and_a_seed_repeats_them(genome: Path) -> None:
    corpus = Corpus(genome, SMALL)
    first, second = list(corpus), list(corpus)
    assert first != second
    again = Corpus(genome, SMALL)
    assert [list(again), list(again)] == [first, second]
    assert sentences(genome, SMALL.replace(seed=1)) != first


def test_expected_frequencies_are_those_of_the_sentences(genome: Path) -> None:
    settings = SMALL.replace(epochs=30, min_count=1)
    corpus = Corpus(genome, settings)
    expected = corpus.frequencies()
    seen = Counter(word for _ in range(30) for line in corpus for word in line)
    assert set(seen) == set(expected)
    assert abs(seen.total() / (30 * corpus.words_an_epoch) - 1) < 0.01
    common = [word for word in expected if expected[word] > 50]
    assert len(common) > 50
    assert all(abs(seen[word] / (30 * expected[word]) - 1) < 0.1 for word in common)


def test_rare_words_get_no_vector(genome: Path, tmp_path: Path) -> None:
    settings = Dna2vecSettings(
        k_min=6, k_max=7, dimensions=2, window=1, epochs=1, min_count=5, negative=1
    )
    card = train_dna2vec(genome, tmp_path / "out", settings)
    vectors = read_vectors(tmp_path / "out", 6)
    assert 0 < card.words[6] < 4**6
    assert len(vectors.missing) == 4**6 - card.words[6]
    for word in vectors.missing:
        assert not vectors.matrix[_number(word)].any()


def _number(word: str) -> int:
    return int(word.translate(str.maketrans("ACGT", "0123")), base=4)


@pytest.mark.parametrize("file_format", ["text", "binary"])
def test_the_folder_holds_vectors_and_their_card(
    genome: Path, tmp_path: Path, file_format: str
) -> None:
    calls: list[tuple[int, int]] = []
    card = train_dna2vec(
        genome,
        tmp_path / "out",
        SMALL,
        file_format=file_format,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert read_vectors(tmp_path / "out", 3).matrix.shape == (65, 8)
    stored = parse(Dna2vecCard, read_yaml(tmp_path / "out" / "card.yaml"), "card.yaml")
    assert stored == card
    assert (card.genome, card.sha256) == ("genome.fa", sha256(genome))
    assert (card.contigs, card.bases) == (2, 18_000 - 50)
    assert card.words == {2: 16, 3: 64, 4: 256}
    assert calls == sorted(calls)
    assert calls[-1] == (36_000, 36_000)


def test_one_worker_and_a_seed_give_the_same_file(genome: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_dna2vec(genome, tmp_path / name, SMALL.replace(seed=seed))
    a, b, c = (sha256(tmp_path / name / "vectors.w2v") for name in "abc")
    assert a == b != c


def test_an_existing_folder_is_kept_without_force(genome: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FolderError, match="exists"):
        train_dna2vec(genome, tmp_path / "out", SMALL)
    train_dna2vec(genome, tmp_path / "out", SMALL, force=True)
    assert (tmp_path / "out" / "vectors.w2v").is_file()


@pytest.mark.parametrize(
    ("fasta", "message"),
    [(">x\nACG\n", "3 bases hold no word"), (f">x\n{'N' * 99}\n", "0 bases hold no word")],
)
def test_a_genome_that_is_too_small_leaves_nothing(
    tmp_path: Path, fasta: str, message: str
) -> None:
    (tmp_path / "genome.fa").write_text(fasta)
    with pytest.raises(DataError, match=message):
        train_dna2vec(tmp_path / "genome.fa", tmp_path / "out", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["genome.fa"]


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="k_min 5 is more than k_max 4"):
        parse(Dna2vecSettings, {"k_min": 5, "k_max": 4}, "options")
    with pytest.raises(ConfigError, match="k_max"):
        parse(Dna2vecSettings, {"k_max": 9}, "options")


def test_without_gensim_one_line_says_what_to_install(
    genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[dna2vec\]"):
        train_dna2vec(genome, tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


def test_vectors_of_a_yeast_chromosome_know_which_words_overlap(
    shared: Path, tmp_path: Path
) -> None:
    """Words that share a stretch of bases lie side by side, so their vectors must be alike."""
    path = tmp_path / "chrI.fa"
    contig = next(stream_contigs(shared / "genome" / "sacCer3.fa.gz"))
    assert contig.name == "chrI"
    path.write_text(f">chrI\n{decode(contig.codes)}\n")
    settings = Dna2vecSettings(k_min=3, k_max=5, dimensions=20, window=4, epochs=1)
    train_dna2vec(path, tmp_path / "out", settings)
    matrix = read_vectors(tmp_path / "out", 4).matrix[:-1]
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = unit @ unit.T
    numbers = np.arange(256)
    overlaps = (numbers[:, None] % 64) == (numbers[None, :] // 4)
    np.fill_diagonal(overlaps, val=False)
    nearest = np.where(np.eye(256, dtype=bool), -1, cosine).argsort(axis=1)[:, -10:]
    either = overlaps | overlaps.T
    found = np.take_along_axis(either, nearest, axis=1).mean()
    chance = either.sum() / (256 * 255)
    assert found > 5 * chance
