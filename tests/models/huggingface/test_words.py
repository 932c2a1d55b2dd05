import itertools

import pytest
from tests.models.huggingface.checkpoints import kmers
from tests.words import config as pairs

from attendna.core.errors import ConfigError
from attendna.models.huggingface.words import KmerVocabulary, spelling_of
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig


@pytest.mark.parametrize(("k", "size"), [(1, 9), (3, 69), (6, 4101)])
def test_the_words_of_dnabert(k: int, size: int) -> None:
    words = KmerVocabulary.dnabert(k)
    assert list(words.words) == kmers(k)
    assert (len(words.words), words.k) == (size, k)
    assert words.words[:5] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def test_another_order_survives_being_packed_and_the_usual_one_needs_none() -> None:
    assert KmerVocabulary.dnabert(4).pack() is None
    other = KmerVocabulary((*kmers(4)[5:], *kmers(4)[:5]))
    packed = other.pack()
    assert packed is not None
    assert KmerVocabulary.unpack(packed) == other
    with pytest.raises(ValueError, match="cut short"):
        KmerVocabulary.unpack(packed[:-8])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (kmers(3)[1:], r"it has no \[PAD\]"),
        ([*kmers(3)[:-1], "AAA"], "the word AAA stands in it twice"),
        (kmers(3)[:-1], "it has 63 of the 64 words of 3 bases"),
        ([*kmers(3), "AC"], "'AC' is no word of 3 bases"),
        ([*kmers(3)[:-1], "ggg"], "'ggg' is no word of 3 bases"),
        (kmers(3)[:5], "it has 0 of the 1 words"),
    ],
)
def test_what_is_no_vocabulary_of_words_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KmerVocabulary(tuple(words))


@pytest.mark.parametrize("tokenizer", [OneHotConfig(), KmerConfig(k=3), PatchConfig(k=4)])
@pytest.mark.parametrize("order", ["ATCG", "ACGT", "TGCA"])
def test_every_word_has_the_id_of_its_line(tokenizer: OneHotConfig, order: str) -> None:
    k = getattr(tokenizer, "k", 1)
    lines = kmers(k, order)
    spelling = spelling_of(tokenizer.build(), KmerVocabulary(tuple(lines)).pack())
    lexical = ["".join(word) for word in itertools.product("ACGT", repeat=k)]
    assert [lines[place] for place in spelling.ids] == [*lexical, "[UNK]"]
    assert spelling.size == len(lines)
    hiding = spelling.hiding()
    assert [lines[place] for place in hiding.ids] == [*lexical, "[MASK]"]


def test_byte_pairs_have_the_ids_they_had() -> None:
    tokenizer = pairs(40).build()
    spelling = spelling_of(tokenizer, None)
    assert spelling.ids.tolist() == list(range(tokenizer.vocabulary_size))
    assert spelling.special["[CLS]"] == 1


def test_words_of_another_length_are_refused() -> None:
    packed = KmerVocabulary(tuple(kmers(3, "ACGT"))).pack()
    with pytest.raises(ConfigError, match=r"words have 3 bases, those of the tokenizer 4; .*k=3"):
        spelling_of(KmerConfig(k=4).build(), packed)
