"""Checkpoints of others: read as data, or refused in one line that says what to do."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.models.huggingface import checkpoints
from tests.models.huggingface.checkpoints import kmers

from attendna.core.errors import DataError, FolderError, UserError
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint, is_checkpoint
from attendna.tokens.bpe_vocabulary import Vocabulary


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def opened(folder: Path) -> tuple[Any, Any]:
    found = HuggingfaceCheckpoint.find(folder)
    return found.settings, found.weights()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checkpoints.dnabert(tmp_path / "dnabert", 3)
    return tmp_path / "dnabert"


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_a_folder_says_what_it_is(tmp_path: Path, k: int) -> None:
    checkpoints.dnabert(tmp_path, k)
    found = HuggingfaceCheckpoint.find(tmp_path)
    assert found.tokenizer == {"name": "kmer", "k": k}
    assert found.settings["vocabulary"] is None
    assert found.settings["config"]["vocab_size"] == 4**k + 5
    assert found.settings["config"]["hidden_size"] == 16
    assert "body.encoder.layer.1.output.dense.weight" in found.weights()


def test_words_in_a_tokenizer_json_of_transformers_are_words(folder: Path) -> None:
    from transformers import BertTokenizer

    tokenizer = BertTokenizer(str(folder / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    before = HuggingfaceCheckpoint.find(folder).settings
    (folder / "vocab.txt").unlink()
    found = HuggingfaceCheckpoint.find(folder)
    assert (found.settings, found.tokenizer) == (before, {"name": "kmer", "k": 3})


def test_byte_pairs_are_kept_with_the_settings(tmp_path: Path) -> None:
    checkpoints.pairs(tmp_path)
    found = HuggingfaceCheckpoint.find(tmp_path)
    assert found.tokenizer["name"] == "bpe"
    words = Vocabulary.unpack(found.tokenizer["vocabulary"])
    assert len(words.words) == found.settings["config"]["vocab_size"]


def test_weights_in_parts_and_of_old_names_are_the_same(folder: Path) -> None:
    whole = HuggingfaceCheckpoint.find(folder).weights()
    held = load_file(folder / "model.safetensors")
    held = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): w for name, w in held.items()}
    held |= {"bert.embeddings.position_ids": torch.arange(512)[None]}
    names = sorted(held)
    index = {}
    for number, part in enumerate((names[::2], names[1::2])):
        file = f"model-0000{number + 1}-of-00002.safetensors"
        save_file({name: held[name].clone() for name in part}, folder / file)
        index |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "model.safetensors").unlink()
    parts = HuggingfaceCheckpoint.find(folder)
    assert parts.weights().keys() == whole.keys()
    assert all(torch.equal(value, whole[name]) for name, value in parts.weights().items())
    assert len(parts.digest) == 64


def test_a_pickle_is_read_only_where_it_is_allowed_and_only_its_numbers(folder: Path) -> None:
    held = load_file(folder / "model.safetensors")
    whole = HuggingfaceCheckpoint.find(folder).weights()
    (folder / "model.safetensors").unlink()
    torch.save(held, folder / "pytorch_model.bin")
    with pytest.raises(FolderError, match=r"is a pickle.*--allow-pickle"):
        HuggingfaceCheckpoint.find(folder).weights()
    allowed = HuggingfaceCheckpoint.find(folder, allow_pickle=True).weights()
    assert all(torch.equal(value, whole[name]) for name, value in allowed.items())

    class Harm:
        def __reduce__(self) -> Any:
            return Path.touch, (folder / "harmed",)

    with (folder / "pytorch_model.bin").open("wb") as stream:
        pickle.dump({"bert.embeddings": Harm()}, stream)
    with pytest.raises(DataError, match="more than numbers"):
        HuggingfaceCheckpoint.find(folder, allow_pickle=True).weights()
    assert not (folder / "harmed").exists()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "not the JSON of a configuration"),
        (lambda f: change(f, model_type="mamba"), "model_type is 'mamba', of which the class"),
        (lambda f: change(f, model_type=None), "model_type is None"),
        (lambda f: change(f, hidden_size="wide"), "hidden_size"),
        (lambda f: change(f, is_decoder=True), "is_decoder is True"),
        (lambda f: change(f, position_embedding_type="relative_key"), "relative_key"),
        (lambda f: change(f, vocab_size=70), "vocab_size is 70, vocab.txt has 69 words"),
        (lambda f: (f / "vocab.txt").unlink(), "has neither vocab.txt nor tokenizer.json"),
        (lambda f: (f / "vocab.txt").write_text("the\nand\n"), r"it has no \[PAD\]"),
        (lambda f: (f / "vocab.txt").write_text("\n".join(kmers(2))), "vocab.txt has 21 words"),
        (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x08"), "damaged"),
    ],
)
def test_what_is_broken_is_one_line(folder: Path, break_it: Any, said: str) -> None:
    break_it(folder)
    with pytest.raises(UserError, match=said) as caught:
        opened(folder)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "Unigram", "vocab": []}}))
    with pytest.raises(UserError, match=r"tokenizer.json: not a byte-pair encoding"):
        _ = HuggingfaceCheckpoint.find(folder).settings


@pytest.mark.parametrize(
    ("part", "step", "said"),
    [
        ("normalizer", {"type": "Lowercase"}, "its normalizer Lowercase changes what is read"),
        ("pre_tokenizer", {"type": "Metaspace"}, "its pre_tokenizer Metaspace"),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}, "ByteLevel changes"),
        ("model", {"continuing_subword_prefix": "##"}, "it has a continuing_subword_prefix"),
        ("pre_tokenizer", {"type": "Whitespace"}, ""),
    ],
)
def test_byte_pairs_of_other_letters_are_refused(
    tmp_path: Path, part: str, step: dict[str, Any], said: str
) -> None:
    checkpoints.pairs(tmp_path)
    file = tmp_path / "tokenizer.json"
    tree = json.loads(file.read_text())
    tree[part] = (tree[part] or {}) | step
    file.write_text(json.dumps(tree))
    found = HuggingfaceCheckpoint.find(tmp_path)
    if not said:
        assert found.tokenizer["name"] == "bpe"
        return
    with pytest.raises(DataError, match=said):
        _ = found.settings


def test_runs_are_told_from_checkpoints(folder: Path, tmp_path: Path) -> None:
    assert is_checkpoint(folder)
    (folder / "run.yaml").write_text("")
    assert not is_checkpoint(folder)
    assert is_checkpoint("somebody/a-model")
    assert not is_checkpoint(tmp_path)
    assert not is_checkpoint(tmp_path / "nowhere")
