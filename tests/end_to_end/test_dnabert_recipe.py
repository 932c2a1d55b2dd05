"""``recipes/dnabert.py`` from genomes to confusion matrices, with commands run in this process."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from tests.models.huggingface.checkpoints import SIZES
from tests.training.pretraining.genomes import patterned, settings

from attendna.cli.main import run
from attendna.tasks.store import Task


@pytest.fixture
def recipe(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dnabert", repository / "recipes/dnabert.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_route_goes_on_where_it_was(
    recipe: ModuleType, planted: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs: list[str] = []

    def attendna(*words: str | Path) -> None:
        verbs.append(str(words[0]))
        assert run([str(word) for word in words]) == 0

    monkeypatch.setattr(recipe, "attendna", attendna)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    language = settings(tokenizer={"name": "kmer", "k": 3}, masking={"span": 3})
    config = {"model_type": "bert", **SIZES, "max_position_embeddings": 66}
    language["model"] = {"name": "huggingface", "config": config}
    (tmp_path / "pretraining.yaml").write_text(yaml.safe_dump(language))
    genome, out = patterned(tmp_path / "genome"), tmp_path / "out"
    # A test row lies in the genome, and is not to be learned from.
    with genome.open("a") as file:
        file.write(f">chr4\n{planted.read('test').sequences.take([0]).to_text()[0] * 3}\n")

    def route() -> None:
        recipe.route(
            [genome],
            planted.folder,
            out,
            pretraining=tmp_path / "pretraining.yaml",
            changes=["--set", "trainer.max_steps=6"],
            rows=20,
        )

    route()
    assert verbs == ["pretrain", "export", "tune", "finetune"]
    found = json.loads((out / "run" / "finetuning.json").read_text())
    for when in ("before", "after"):
        assert sum(map(sum, found["confusion"][when])) == found["n"]
    assert (out / "run" / "finetuning.html").is_file()
    assert (out / "rates" / "tune.html").is_file()
    before = (out / "run" / "model.safetensors").stat().st_mtime_ns
    route()
    assert (out / "run" / "model.safetensors").stat().st_mtime_ns == before
