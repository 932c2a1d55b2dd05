from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from attendna.models.language_checkpoint import load_language
from attendna.studies.made import Made
from attendna.tokens.bpe_vocabulary import Vocabulary

SETTINGS = {
    "tokenizer": "onehot",
    "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2},
    "windows": {"length": 64, "held_out": ["chr0"], "held_out_windows": 8},
    "trainer": {"max_steps": 2, "batch_size": 8, "validations": 1, "threads": 1, "device": "cpu"},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    contigs = ["".join(random.choice(list("ACGT"), 4000)) for _ in range(4)]
    text = "".join(f">chr{n}\n{bases}\n" for n, bases in enumerate(contigs))
    (tmp_path / "genome.fa").write_text(text)
    return tmp_path


def test_a_vocabulary_is_learned_once(data: Path) -> None:
    pytest.importorskip("tokenizers")
    made = Made.model_validate({"genomes": ["$data/genome.fa"], "words": {"vocabulary": 24}})
    folder = made.make(data / "words", {"data": str(data)})
    assert len(Vocabulary.read(folder).words) == 24
    (data / "genome.fa").unlink()
    assert made.make(folder, {"data": str(data)}) == folder


def test_a_language_model_is_pretrained_once(data: Path) -> None:
    made = Made.model_validate({"genomes": ["$data/genome.fa"], "pretrain": SETTINGS})
    made.check({"data": "d"})
    folder = made.make(data / "language", {"data": str(data)})
    assert load_language(folder)[0].model.to_tree()["width"] == 8
    (data / "genome.fa").unlink()
    assert made.make(folder, {"data": str(data)}) == folder


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"words": {}, "pretrain": SETTINGS}, "either words or pretrain"),
        ({}, "either words or pretrain"),
        ({"words": {}, "exclude": ["$T"]}, "exclude belongs to pretrain"),
    ],
)
def test_one_thing_is_made(tree: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Made.model_validate({"genomes": ["x"], **tree})
