"""What is exported gives the same logits in plain transformers, and can be started from again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.planted import plant
from tests.training.pretraining.genomes import patterned
from tests.training.pretraining.genomes import settings as language
from tests.words import vocabulary
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from attendna.core.config import parse
from attendna.core.errors import ConfigError, FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint
from attendna.models.huggingface.export import export
from attendna.models.language_checkpoint import load_language
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain
from attendna.training.run import RunConfig
from attendna.training.train import train

TRAINER = {"epochs": 1, "batch_size": 32, "threads": 1, "precision": "fp32", "device": "cpu"}
SPELL = {
    "kmer": lambda s, k: [s[i : i + k] for i in range(len(s) - k + 1)],
    "patch": lambda s, k: [s[i : i + k] for i in range(0, len(s), k)],
}


def tuned(start: Path, task: Task, out: Path, **more: Any) -> Path:
    tree = {"model": {"name": "huggingface"}, "start": {"run": str(start)}, "trainer": TRAINER}
    tree |= {"optimizer": {"learning_rate": 0.01}, "strands": "single"}
    return train(parse(RunConfig, tree | more, "test"), task.folder, out, progress=False)


@torch.no_grad()
def theirs(folder: Path, texts: list[str]) -> torch.Tensor:
    """Logits by transformers alone, from the files alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    encoded = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    return model(**encoded).logits


@pytest.mark.parametrize("kind", checkpoints.CONFIGS)
@pytest.mark.parametrize("tokens", ["kmer", "patch"])
def test_two_classes_give_the_logit_of_the_run(
    planted: Task, tmp_path: Path, tokens: str, kind: str
) -> None:
    checkpoints.dnabert(tmp_path / "theirs", 4, kind=kind)
    words = {"name": tokens, "k": 4} | ({"remainder": "pad"} if tokens == "patch" else {})
    run = tuned(tmp_path / "theirs", planted, tmp_path / "run", tokenizer=words)
    out = export(run, tmp_path / "out")
    split = planted.read("test")
    logits = Predictor.load(run, "cpu", "fp32").predict(split.sequences, scale="logit").values
    texts = [" ".join(SPELL[tokens](sequence, 4)) for sequence in split.sequences.to_text()]
    found = theirs(out, texts)
    expected = torch.from_numpy(logits[:, 0])
    torch.testing.assert_close(found[:, 1] - found[:, 0], expected, atol=1e-5, rtol=0)
    said = json.loads((out / "config.json").read_text())
    assert said["id2label"] == {"0": "background", "1": "bound"}
    assert said["attendna"]["tokenizer"] == words | ({"stride": 1} if tokens == "kmer" else {})
    assert (out / "vocab.txt").read_text().split() == checkpoints.kmers(4)


def test_byte_pairs_and_several_classes(tmp_path: Path) -> None:
    task = plant(tmp_path / "task", classes=("none", "one", "two"))
    checkpoints.pairs(tmp_path / "theirs")
    run = tuned(tmp_path / "theirs", task, tmp_path / "run")
    out = export(run, tmp_path / "out")
    split = task.read("test")
    logits = Predictor.load(run, "cpu", "fp32").predict(split.sequences, scale="logit").values
    found = theirs(out, list(split.sequences.to_text()))
    torch.testing.assert_close(found, torch.from_numpy(logits), atol=1e-5, rtol=0)


def test_an_export_is_a_checkpoint_to_start_from(planted: Task, tmp_path: Path) -> None:
    checkpoints.dnabert(tmp_path / "theirs", 3, order="ACGT")
    run = tuned(tmp_path / "theirs", planted, tmp_path / "run")
    out = export(run, tmp_path / "out")
    still = {"optimizer": {"learning_rate": 1e-30, "weight_decay": 0.0}}
    again = tuned(out, planted, tmp_path / "again", **still)
    one, other = (Predictor.load(folder, "cpu").model.state_dict() for folder in (run, again))
    own = [name for name in one if not name.startswith("head.")]
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in own)
    with pytest.raises(FolderError, match="add --force"):
        export(run, out)
    assert export(run, out, force=True) == out
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("precious")
    with pytest.raises(FolderError, match="not written by attendna"):
        export(run, tmp_path / "mine", force=True)


@torch.no_grad()
@pytest.mark.parametrize("kind", checkpoints.CONFIGS)
def test_a_language_model_of_ours_is_an_encoder_of_theirs(tmp_path: Path, kind: str) -> None:
    config = {"model_type": kind, **checkpoints.SIZES, "max_position_embeddings": 80}
    settings = language(tokenizer={"name": "kmer", "k": 3}, tell="words")
    settings["model"] = {"name": "huggingface", "config": config}
    parsed = parse(PretrainingConfig, settings, "test")
    run = pretrain(parsed, [patterned(tmp_path)], tmp_path / "run", progress=False)
    out = export(run, tmp_path / "out")
    model = load_language(run)[1]
    codes = torch.randint(0, 4, (3, 40), dtype=torch.uint8)
    hidden = codes.clone()
    hidden[:, 17] = 4
    words = checkpoints.kmers(3)
    for given in (codes, hidden):
        letters = ["".join("ACGTN"[base] for base in row) for row in given.tolist()]
        texts = [[s[i : i + 3] for i in range(38)] for s in letters]
        ids = [[words.index("[MASK]" if "N" in w else w) for w in text] for text in texts]
        framed = torch.tensor([[2, *row, 3] for row in ids])
        plain = AutoModel.from_pretrained(out).eval()
        expected = plain(framed).last_hidden_state[:, 1:-1]
        torch.testing.assert_close(model(given), expected, atol=1e-5, rtol=0)
    # As if foreign.
    found = HuggingfaceCheckpoint.find(out)
    assert found.tokenizer == {"name": "kmer", "k": 3}
    weights = found.weights()
    body = model.encoder.state_dict()
    assert weights.keys() == body.keys()
    assert all(torch.equal(weights[name], body[name]) for name in body)


def test_other_models_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a model cnn, for which transformers has no class"):
        export(runs[0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@torch.no_grad()
def test_a_language_model_of_words_is_one_too(tmp_path: Path) -> None:
    config = {"model_type": "bert", **checkpoints.SIZES, "max_position_embeddings": 80}
    settings = language(tokenizer={"name": "bpe", "vocabulary": vocabulary().pack()}, tell="words")
    settings["model"] = {"name": "huggingface", "config": config}
    settings["trainer"] |= {"max_steps": 2, "validations": 1}
    parsed = parse(PretrainingConfig, settings, "test")
    run = pretrain(parsed, [patterned(tmp_path)], tmp_path / "run", progress=False)
    out = export(run, tmp_path / "out")
    model, text = load_language(run)[1], "ACGTTGCAAGGTATAAACGGGCGG"
    read = AutoTokenizer.from_pretrained(out)(text, return_tensors="pt")
    expected = AutoModel.from_pretrained(out).eval()(**read).last_hidden_state[:, 1:-1]
    batch = SequenceBatch.from_text([text])
    codes, lengths = (torch.from_numpy(part) for part in batch.padded())
    torch.testing.assert_close(model(model.tokenizer(codes, lengths)), expected, atol=1e-5, rtol=0)
