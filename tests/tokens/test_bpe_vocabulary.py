"""Vocabularies: in files, in one text, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.words import vocabulary

from attendna.core.errors import DataError
from attendna.tokens.bpe_store import encoder_of
from attendna.tokens.bpe_vocabulary import FILE, SPECIAL, Vocabulary


def tree(**changes: Any) -> dict[str, Any]:
    """A tokenizer.json as attendna's and others' begin."""
    words = vocabulary()
    model = {"type": "BPE", "vocab": dict(words.ids), "merges": [list(m) for m in words.merges]}
    return {"model": model | changes}


def test_a_packed_vocabulary_comes_back() -> None:
    words = vocabulary()
    assert Vocabulary.unpack(words.pack()) == words
    assert set(words.pack()) < set("+/=") | set(map(chr, range(48, 123)))


def test_ids_follow_special_words_letters_and_merges() -> None:
    words = Vocabulary(("[UNK]",), "ACGT", (("A", "C"), ("C", "A"), ("AC", "A"), ("A", "CA")))
    # Two merges make ACA: one word.
    assert words.words == ("[UNK]", *"ACGT", "AC", "CA", "ACA")
    assert words.ids["ACA"] == 7


@pytest.mark.parametrize("text", ["", "?", "AAAA", vocabulary().pack()[:-8]])
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a vocabulary that attendna packed"):
        Vocabulary.unpack(text)


@pytest.mark.parametrize("pairs", [True, False])
def test_both_versions_of_the_file_are_read(tmp_path: Path, pairs: bool) -> None:
    words = vocabulary()
    merges = [list(m) if pairs else " ".join(m) for m in words.merges]
    (tmp_path / FILE).write_text(json.dumps(tree(merges=merges)))
    assert Vocabulary.read(tmp_path) == words
    assert Vocabulary.read(tmp_path / FILE) == words


def test_what_the_library_saves_is_read(tmp_path: Path) -> None:
    words = vocabulary()
    encoder_of(words).save(str(tmp_path / FILE))
    # The encoder holds only what it needs of the special words.
    with pytest.raises(DataError, match=r"it has no \[PAD\], \[MASK\]"):
        Vocabulary.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a byte-pair encoding"),
        ("[]", "not a byte-pair encoding"),
        ('{"model": {"vocab": {"A": 0}}}', "not a byte-pair encoding"),
        (json.dumps(tree(vocab={w: 99 - i for w, i in vocabulary().ids.items()})), "do not follow"),
        (json.dumps(tree(vocab={"the": 0, "a": 1}, merges=[])), "it has no A, C, G, T, "),
    ],
)
def test_what_is_no_vocabulary_is_told_in_one_line(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / FILE
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        Vocabulary.read(path)
    assert str(path) in str(caught.value)
    with pytest.raises(DataError, match="no such file"):
        Vocabulary.read(tmp_path / "none.json")


def test_special_words_are_those_of_dnabert_2() -> None:
    assert SPECIAL == ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")
