from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from tests.planted import plant

from attendna.core.errors import ConfigError
from attendna.models.checkpoint import load
from attendna.models.language_checkpoint import load_language
from attendna.studies.made import Made, Maker
from attendna.tokens.bpe_vocabulary import Vocabulary
from attendna.tokens.dna2vec import read_vectors

SETTINGS: dict[str, Any] = {
    "tokenizer": "onehot",
    "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2},
    "windows": {"length": 64, "held_out": ["chr0"], "held_out_windows": 8},
    "trainer": {"max_steps": 2, "batch_size": 8, "validations": 1, "threads": 1, "device": "cpu"},
}


def maker(tree: dict[str, Any]) -> Maker:
    return TypeAdapter(Made).validate_python(tree)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    contigs = ["".join(random.choice(list("ACGT"), 4000)) for _ in range(4)]
    text = "".join(f">chr{n}\n{bases}\n" for n, bases in enumerate(contigs))
    (tmp_path / "genome.fa").write_text(text)
    return tmp_path


def test_a_vocabulary_is_learned_once(data: Path) -> None:
    pytest.importorskip("tokenizers")
    made = maker({"name": "bpe", "genomes": ["$data/genome.fa"], "settings": {"vocabulary": 24}})
    folder = made.make(data / "words", {"data": str(data)})
    assert len(Vocabulary.read(folder).words) == 24
    (data / "genome.fa").unlink()
    assert made.make(folder, {"data": str(data)}) == folder


def test_vectors_are_learned_once(data: Path) -> None:
    pytest.importorskip("gensim")
    settings = {"k_min": 3, "k_max": 3, "dimensions": 4, "epochs": 1, "min_count": 1}
    made = maker({"name": "dna2vec", "genome": "$data/genome.fa", "settings": settings})
    folder = made.make(data / "vectors", {"data": str(data)})
    assert read_vectors(folder, 3).matrix.shape == (65, 4)
    (data / "genome.fa").unlink()
    assert made.make(folder, {"data": str(data)}) == folder


def test_a_language_model_is_pretrained_once(data: Path) -> None:
    made = maker({"name": "language", "genomes": ["$data/genome.fa"], "settings": SETTINGS})
    made.check({"data": "d"})
    folder = made.make(data / "language", {"data": str(data)})
    assert load_language(folder)[0].model.to_tree()["width"] == 8
    (data / "genome.fa").unlink()
    assert made.make(folder, {"data": str(data)}) == folder


def test_a_model_is_trained_once_on_a_task(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    settings = {
        "tokenizer": "onehot",
        "model": {"name": "cnn", "width": 4, "blocks": 1},
        "trainer": {"max_steps": 2, "threads": 1, "device": "cpu"},
    }
    made = maker({"name": "run", "task": "$Planted", "settings": settings})
    paths = {"Planted": str(task.folder)}
    made.check(paths)
    folder = made.make(tmp_path / "run", paths)
    assert load(folder)[0].input.task == "planted"
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert made.make(folder, paths) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    settings["model"]["widht"] = 3
    with pytest.raises(ConfigError, match=r"model\.widht"):
        maker(made.to_tree() | {"settings": settings}).check(paths)


def test_a_genome_is_simulated_once(tmp_path: Path) -> None:
    made = maker({"name": "regulation", "settings": {"genes": 2, "chromosomes": 2}})
    made.check({})
    folder = made.make(tmp_path / "made", {})
    before = (folder / "genome.fa").stat().st_mtime_ns
    assert made.make(folder, {}) == folder
    assert (folder / "genome.fa").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "tree", [{}, {"name": "genome"}, {"name": "bpe", "genomes": [], "settings": {}}]
)
def test_what_is_made_has_a_name_and_what_it_is_made_from(tree: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        maker(tree)


def test_a_maker_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="Maker does not say what it makes"):
        Maker().make(tmp_path, {})
