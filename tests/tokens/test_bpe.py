"""The tokenizer of byte-pair encodings: ids, spans, settings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.words import config, spell, vocabulary

from attendna.core.config import Config, parse
from attendna.core.errors import ConfigError, DataError
from attendna.genome.sequences import SequenceBatch
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.bpe_store import encoder_of
from attendna.tokens.tokenizer import AnyTokenizerConfig, TokenBatch, read_ahead

WORDS = vocabulary()


class Holder(Config):
    tokenizer: AnyTokenizerConfig


def tokens(sequences: list[str]) -> TokenBatch:
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    return config().build()(torch.tensor(codes), torch.tensor(lengths))


@given(st.lists(st.text("ACGTN", max_size=60), min_size=1, max_size=5))
def test_words_are_those_of_the_merges_and_none_crosses_an_n(sequences: list[str]) -> None:
    batch = tokens(sequences)
    for row, sequence in enumerate(sequences):
        parts = sequence.replace("N", " N ").split()
        words = [w for p in parts for w in (["N"] if p == "N" else spell(p, list(WORDS.merges)))]
        mask = batch.mask[row]
        spans = batch.spans[row][mask].tolist()
        assert [sequence[start:end] for start, end in spans] == words
        known = {**WORDS.ids, "N": WORDS.ids["[UNK]"]}
        assert batch.ids[row][mask].tolist() == [known[word] for word in words]


def test_merges_are_found_in_their_order() -> None:
    assert WORDS.merges[:3] == (("A", "A"), ("G", "G"), ("A", "T"))
    # An A that a pair before it took is not free for the T.
    few = config(3).build()
    codes, lengths = SequenceBatch.from_text(["AAT", "AAAAT"]).padded()
    batch = few(torch.tensor(codes), torch.tensor(lengths))
    words = [[vocabulary(3).words[i] for i in row] for row in batch.ids.tolist()]
    assert words == [["AA", "T", "[PAD]"], ["AA", "AA", "T"]]


def test_settings_name_a_file_and_hold_its_words(tmp_path: Path) -> None:

    model = {"vocab": WORDS.ids, "merges": WORDS.merges}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    for path in (tmp_path, tmp_path / "tokenizer.json"):
        held = parse(Holder, {"tokenizer": {"name": "bpe", "file": str(path)}}, "run.yaml")
        assert held.tokenizer == config()
        assert parse(Holder, held.to_tree(), "run.yaml") == held
        assert WORDS.pack() not in repr(held)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give `file`"),
        ({"file": 3}, "give `file`"),
        ({"file": "x", "vocabulary": WORDS.pack()}, "give `file`"),
        ({"vocabulary": "x"}, "not a vocabulary"),
        ({"vocabulary": WORDS.pack(), "k": 3}, "k is not a setting"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse(Holder, {"tokenizer": {"name": "bpe"} | settings}, "run.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_user_error() -> None:
    with pytest.raises(DataError, match=r"none\.json: no such file"):
        parse(Holder, {"tokenizer": {"name": "bpe", "file": "none.json"}}, "run.yaml")


def test_special_words_have_ids_and_no_bases() -> None:
    tokenizer = config().build()
    assert tokenizer.vocabulary_size == len(WORDS.words)
    assert WORDS.words[tokenizer.mask_id] == "[MASK]"
    assert tokenizer.widths.tolist()[:9] == [1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert int(tokenizer.widths.max()) == max(map(len, WORDS.words[5:]))


def test_tokenizers_of_one_vocabulary_share_what_they_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path))
    one, other = config().build(), BPEConfig(vocabulary=WORDS.pack()).build()
    assert one.store is other.store
    read_ahead(one, SequenceBatch.from_text(["ACGTTTT", "GG"]), both_strands=True)
    assert list(tmp_path.rglob("ids.npy"))
    read_ahead(
        BPEConfig(vocabulary=vocabulary(10).pack()).build(),
        SequenceBatch.from_text([]),
        both_strands=True,
    )


def test_the_encoder_agrees_word_by_word() -> None:
    encoder = encoder_of(WORDS)
    text = "TATAAAGGGCGGNNCACGTGACNA"
    assert tokens([text]).ids[0].tolist() == encoder.encode(text, add_special_tokens=False).ids


def test_without_the_library_one_is_told_what_to_install() -> None:
    code = (
        "import sys; sys.modules['tokenizers'] = None\n"
        "from attendna.tokens.bpe import BPEConfig\n"
        f"BPEConfig(vocabulary={WORDS.pack()!r}).build()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "MissingExtraError: byte-pair encoding needs the package tokenizers" in done.stderr
    assert "attendna[bpe]" in done.stderr


def test_words_are_spelled_in_codes() -> None:
    tokenizer = config().build()
    spelled = ["".join("ACGTN"[base] for base in row).rstrip("N") for row in tokenizer.letters]
    assert spelled == [
        word if place in tokenizer.spoken else "" for place, word in enumerate(WORDS.words)
    ]
    assert tokenizer.longest == max(map(len, spelled)) == tokenizer.letters.shape[1]
    assert len(tokenizer.spoken) == len(WORDS.words) - len(WORDS.special)
