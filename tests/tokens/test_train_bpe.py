"""Words learned from genomes."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.words import learn

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.bpe_vocabulary import SPECIAL, Vocabulary
from attendna.tokens.train_bpe import BPECard, BPESettings, Corpus, train_bpe

SMALL: dict[str, Any] = {"vocabulary": 60, "both_strands": False}


def genome(path: Path, text: str) -> Path:
    path.write_text(f">x\n{text}\n")
    return path


def bases(count: int, seed: int = 0) -> str:
    random = np.random.default_rng(seed)
    return "".join(random.choice(["A", "C", "G", "T", "TATAAA", "GGGCGG"], count))


def test_words_equal_those_learned_by_hand(tmp_path: Path) -> None:
    text = bases(600)
    path = genome(tmp_path / "a.fa", f"{text[:500]}NNN{text[500:1000]}NNN{text[1000:1500]}")
    card = train_bpe([path], tmp_path / "out", BPESettings(**SMALL))
    words = Vocabulary.read(tmp_path / "out")
    assert list(words.merges) == learn([text[at : at + 500] for at in (0, 500, 1000)], 60 - 9)
    assert words.special == SPECIAL
    assert card.words == len(words.words) == 60
    assert (card.bases_read, card.genomes[0].bases) == (1500, 1500)
    assert card.longest == max(words.words[5:], key=len)
    tree = yaml.safe_load((tmp_path / "out" / "card.yaml").read_text())
    assert BPECard.model_validate(tree) == card


def test_equal_seeds_give_equal_files_and_other_seeds_draw_other_bases(tmp_path: Path) -> None:
    path = genome(tmp_path / "a.fa", bases(8_000))
    drawn = {"vocabulary": 100, "bases": 8_000}
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        train_bpe([path], tmp_path / name, BPESettings(**drawn, seed=seed))
    one, two, three = (
        (tmp_path / name / "tokenizer.json").read_bytes() for name in ("one", "two", "three")
    )
    assert one == two != three


def test_as_many_bases_are_drawn_as_asked_for(tmp_path: Path) -> None:
    path = genome(tmp_path / "a.fa", bases(400_000))
    settings = BPESettings(bases=100_000)
    corpus = Corpus([path], settings, 100_000 / 1_080_000)
    once = list(corpus)
    assert abs(corpus.bases - 100_000) < 15_000
    assert list(corpus) == once
    assert sum(map(len, once)) == corpus.bases


def test_both_strands_are_learned_alike(tmp_path: Path) -> None:
    path = genome(tmp_path / "a.fa", "AAAAAAAAGGGGGGGG" * 600)
    train_bpe([path], tmp_path / "one", BPESettings(vocabulary=20, both_strands=False))
    train_bpe([path], tmp_path / "both", BPESettings(vocabulary=20))
    one, both = (set("".join(Vocabulary.read(tmp_path / n).words[9:])) for n in ("one", "both"))
    assert one == set("AG")
    assert both == set("ACGT")


def test_several_genomes_compressed_or_not(tmp_path: Path) -> None:
    first = genome(tmp_path / "a.fa", "ACACACAC" * 20)
    second = tmp_path / "b.fa.gz"
    second.write_bytes(gzip.compress(b">y\n" + b"GTTGTTGTT" * 20))
    card = train_bpe([first, second], tmp_path / "out", BPESettings(**SMALL))
    assert [(one.name, one.bases) for one in card.genomes] == [("a.fa", 160), ("b.fa.gz", 180)]
    words = Vocabulary.read(tmp_path / "out").words
    assert {"AC", "GTT"} <= set(words)


def test_others_read_the_file(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    path = genome(tmp_path / "a.fa", bases(2_000))
    train_bpe([path], tmp_path / "out", BPESettings(**SMALL))
    text = bases(30, seed=1) + "NN" + bases(5, seed=2)
    alone = tokenizers.Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path / "out")
    assert (fast.pad_token, fast.mask_token, fast.unk_token) == ("[PAD]", "[MASK]", "[UNK]")
    words = Vocabulary.read(tmp_path / "out")
    ours = BPEConfig(vocabulary=words.pack()).build().store.encoder.encode(text).ids
    assert alone.encode(text, add_special_tokens=False).ids == ours
    assert fast(text)["input_ids"] == [words.ids["[CLS]"], *ours, words.ids["[SEP]"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">x\n", "no known base in it, only N"),
        (">x\nNNNNNN\n", "no known base in it, only N"),
        ("", "there is no sequence in it"),
        (">x\nACNGTNA\n", "no two of 5 bases stand together 2 times"),
    ],
)
def test_a_genome_without_words_is_told_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "a.fa"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        train_bpe([path], tmp_path / "out", BPESettings())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.fa"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = genome(tmp_path / "a.fa", "ACAC" * 9)
    train_bpe([path], tmp_path / "out", BPESettings())
    with pytest.raises(FolderError, match="exists"):
        train_bpe([path], tmp_path / "out", BPESettings())
    train_bpe([path], tmp_path / "out", BPESettings(), force=True)
    with pytest.raises(ConfigError, match="no genome is given"):
        train_bpe([], tmp_path / "other", BPESettings())


def test_a_real_genome_gives_words_longer_than_chance(shared: Path, tmp_path: Path) -> None:
    settings = BPESettings(vocabulary=1_024, bases=1_000_000)
    card = train_bpe([shared / "genome" / "sacCer3.fa.gz"], tmp_path / "out", settings)
    assert card.genomes[0].bases == 12_157_105
    assert abs(card.bases_read - 1_000_000) < 100_000
    assert card.words == 1_024
    # Of equally frequent bases words of log4(1024) = 5 bases would be as many.
    assert card.bases_a_word > 4
    assert "A" * 8 in Vocabulary.read(tmp_path / "out").words
