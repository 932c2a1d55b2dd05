"""A training that starts from a checkpoint of others, or from a run of such a model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.training.conftest import SMALL

from attendna.cli.main import run as attendna
from attendna.core.config import parse, to_yaml
from attendna.core.errors import ConfigError
from attendna.models.checkpoint import load
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint
from attendna.training.run import RunConfig
from attendna.training.start import with_its_model
from attendna.training.train import train

STILL = {"optimizer": {"learning_rate": 1e-30, "weight_decay": 0.0}}


@pytest.fixture(scope="module")
def dnabert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dnabert")
    checkpoints.dnabert(folder, 3, max_position_embeddings=64)
    return folder


def tree(start: Path, **more: Any) -> dict[str, Any]:
    trainer = SMALL["trainer"] | {"epochs": 1}
    settings = {"model": {"name": "huggingface"}, "trainer": trainer}
    return settings | {"start": {"run": str(start)} | more.pop("way", {})} | more


def config_of(start: Path, **more: Any) -> RunConfig:
    return parse(RunConfig, tree(start, **more), "test")


def test_the_checkpoint_says_what_model_and_tokens_there_are(dnabert: Path) -> None:
    config = config_of(dnabert)
    assert config.tokenizer.to_tree()["k"] == 3
    assert config.model.to_tree()["config"]["max_position_embeddings"] == 64
    # What is given stays, and what is all there is not read again.
    other = {"name": "patch", "k": 3, "remainder": "pad"}
    model = {"name": "huggingface", "config": {"hidden_dropout_prob": 0.4}}
    config = config_of(dnabert, tokenizer=other, model=model)
    assert config.tokenizer.to_tree() == other
    assert config.model.to_tree()["config"]["hidden_dropout_prob"] == 0.4
    moved = config.to_tree() | {"start": {"run": "/gone"}}
    assert parse(RunConfig, moved, "test").model == config.model
    assert with_its_model("nothing to read") == "nothing to read"


@pytest.mark.parametrize("tokenizer", [None, {"name": "patch", "k": 3, "remainder": "pad"}])
def test_what_it_has_learned_is_taken_and_kept_without_it(
    dnabert: Path, task: Path, tmp_path: Path, tokenizer: Any
) -> None:
    more = {} if tokenizer is None else {"tokenizer": tokenizer}
    run = train(config_of(dnabert, **STILL, **more), task, tmp_path / "run", progress=False)
    model = load(run)[1].state_dict()
    for name, value in HuggingfaceCheckpoint.find(dnabert).weights().items():
        assert torch.allclose(model[name], value, atol=1e-6), name
    copied = tmp_path / "elsewhere" / "model.safetensors"
    copied.parent.mkdir()
    copied.write_bytes((run / "model.safetensors").read_bytes())
    assert load(copied)[0] == load(run)[0]


def test_a_frozen_body_stays_and_adapters_learn_beside_it(
    dnabert: Path, task: Path, tmp_path: Path
) -> None:
    fast = {"optimizer": {"learning_rate": 0.05}, "seed": 3}
    frozen = {"frozen": True}
    run = train(config_of(dnabert, way=frozen, **fast), task, tmp_path / "run", progress=False)
    held = HuggingfaceCheckpoint.find(dnabert).weights()
    model = load(run)[1].state_dict()
    assert all(torch.allclose(model[name], value, atol=1e-6) for name, value in held.items())
    pytest.importorskip("peft")
    lora = {"lora": {"rank": 2}}
    run = train(config_of(dnabert, way=lora, **fast), task, tmp_path / "lora", progress=False)
    model = load(run)[1].state_dict()
    moved = {
        name for name, value in held.items() if not torch.allclose(model[name], value, atol=1e-6)
    }
    assert moved == {name for name, value in held.items() if value.ndim == 2 and "layer." in name}


def test_a_run_of_such_a_model_says_it_too(dnabert: Path, task: Path, tmp_path: Path) -> None:
    first = train(config_of(dnabert), task, tmp_path / "first", progress=False)
    config = config_of(first)
    assert config.model == load(first)[0].model
    second = train(config.replace(**STILL), task, tmp_path / "second", progress=False)
    one, other = (load(run)[1].state_dict() for run in (first, second))
    body = [name for name in one if name.startswith("body.")]
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in body)


def test_another_model_is_refused(dnabert: Path, task: Path, tmp_path: Path) -> None:
    plain = train(parse(RunConfig, SMALL, "test"), task, tmp_path / "plain", progress=False)
    with pytest.raises(ConfigError, match="is no huggingface model but encoder"):
        config_of(plain)
    layers = {"name": "huggingface", "config": {"num_hidden_layers": 1}}
    with pytest.raises(ConfigError, match=r"num_hidden_layers is not that of"):
        train(config_of(dnabert, model=layers), task, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_code_of_its_own_is_not_run(task: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    checkpoints.dnabert(tmp_path / "own", 3)
    file = tmp_path / "own" / "model.safetensors"
    renamed = {n.replace("self.query", "self.Wqkv"): w for n, w in load_file(file).items()}
    save_file(renamed, file)
    with pytest.raises(ConfigError, match="code of its own is not run"):
        train(config_of(tmp_path / "own"), task, tmp_path / "run", progress=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("start.run={folder}/nowhere", "nowhere"),
        ("start.run=somebody/a-model", "the network is not used unless asked for"),
        ("model.config.hidden_sise=3", "hidden_sise is not a setting, did you mean hidden_size"),
        ("tokenizer={{name: kmer, k: 4}}", "vocab_size is 69, the tokens have 261 words"),
        ("letters=maybe", "letters"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    dnabert: Path,
    task: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: str,
    said: str,
) -> None:
    settings = tmp_path / "run.yaml"
    settings.write_text(to_yaml(tree(dnabert)))
    words = ["train", str(settings), "--task", str(task), "--out", str(tmp_path / "run")]
    assert attendna([*words, "--set", change.format(folder=tmp_path)]) == 2
    error = capsys.readouterr().err
    assert (error.startswith("error: "), error.count("\n")) == (True, 1)
    assert said in error
    assert not (tmp_path / "run").exists()
