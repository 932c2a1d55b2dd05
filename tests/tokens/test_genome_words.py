"""The words of a genome: what they are, where they lie, and that they are made once."""

from pathlib import Path

import numpy as np
import pytest
from tests.genome.genome_files import write_genome
from tests.words import config, spell, vocabulary

from attendna.core.errors import FolderError
from attendna.genome.alphabet import decode, reverse_complement
from attendna.genome.reference import Reference, open_reference
from attendna.tokens import genome_words
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.genome_words import GenomeWords

PIECE = 150


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(genome_words, "PIECE", PIECE)
    monkeypatch.setattr(genome_words, "PIECES_A_CALL", 2)


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    """Contigs without an N between them, with gaps, of one base, and of N alone."""
    random = np.random.default_rng(3)
    letters = [decode(random.integers(0, 4, size, dtype=np.uint8)) for size in (700, 400, 90)]
    contigs = {"a": letters[0], "b": f"NN{letters[1]}NNNNN{letters[2]}", "c": "G", "d": "NNN"}
    return open_reference(write_genome(tmp_path, contigs, "fa"))


@pytest.fixture
def tokenizer() -> BPETokenizer:
    return config().build()


def by_hand(reference: Reference, *, reverse: bool) -> list[tuple[int, str]]:
    """First base and letters of every word of a strand, piece by piece."""
    codes = np.array(reference.codes)
    text = decode(reverse_complement(codes) if reverse else codes)
    # Of known bases that follow each other: 700 of a, 400 and 90 of b, and c.
    sizes = [(0, 700), (702, 1102), (1107, 1197), (1197, 1198)]
    if reverse:
        sizes = [(len(text) - last, len(text) - first) for first, last in reversed(sizes)]
    found = []
    for first, last in sizes:
        for start in range(first, last, PIECE):
            place = start
            for word in spell(text[start : min(start + PIECE, last)], list(vocabulary().merges)):
                found.append((place, word))
                place += len(word)
    return found


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_words_equal_the_merges_done_by_hand(
    reference: Reference, tokenizer: BPETokenizer, reverse: bool
) -> None:
    words = GenomeWords.of(reference, tokenizer, reverse=reverse)
    known = vocabulary().words
    found = [
        (int(start), known[place]) for start, place in zip(words.starts, words.ids, strict=True)
    ]
    assert found == by_hand(reference, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_a_window_holds_the_words_that_lie_in_it(
    reference: Reference, tokenizer: BPETokenizer, reverse: bool
) -> None:
    words = GenomeWords.of(reference, tokenizer, reverse=reverse)
    size = reference.codes.size
    first = np.array([0, 13, 77, 640, 702, 1060, 1107, 1133])
    first = size - first - 60 if reverse else first
    found = words.within(first, 60)
    ids = vocabulary().ids
    for row, start in enumerate(first.tolist()):
        wanted = [
            (place - start, ids[word])
            for place, word in by_hand(reference, reverse=reverse)
            if place >= start and place + len(word) <= start + 60
        ]
        count = int(found.mask[row].sum())
        assert found.mask[row, :count].all()
        assert wanted == list(
            zip(found.starts[row, :count].tolist(), found.ids[row, :count].tolist(), strict=True)
        )
        assert (found.ids[row, count:] == tokenizer.store.padding).all()
    assert found.mask.any(0).all()


def test_a_genome_is_encoded_once_a_strand(
    reference: Reference, tokenizer: BPETokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = GenomeWords.of(reference, tokenizer, reverse=False)
    encode = tokenizer.store.encode
    asked = []
    monkeypatch.setattr(
        tokenizer.store, "encode", lambda batch: (asked.append(len(batch)), encode(batch))[1]
    )
    again = GenomeWords.of(reference, tokenizer, reverse=False)
    assert np.array_equal(made.ids, again.ids)
    assert not asked
    # What is cut short is made anew.
    (file,) = (tmp_path / "cache").rglob("starts.bin")
    file.write_bytes(file.read_bytes()[:-4])
    GenomeWords.of(reference, tokenizer, reverse=False)
    assert sum(asked) == 5 + 3 + 1 + 1
    GenomeWords.of(reference, tokenizer, reverse=True)
    assert sum(asked) == 20


def test_a_cache_that_cannot_be_written_is_said(
    reference: Reference, tokenizer: BPETokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "file"))
    with pytest.raises(FolderError, match="set ATTENDNA_CACHE to a folder that can be written"):
        GenomeWords.of(reference, tokenizer, reverse=False)
