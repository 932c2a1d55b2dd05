"""Starting from what another training has learned."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.planted import plant
from tests.training.pretraining.genomes import patterned
from tests.training.pretraining.genomes import settings as language
from tests.words import vocabulary

from attendna.cli.main import run as attendna
from attendna.core.config import parse, to_yaml
from attendna.core.errors import ConfigError, FolderError
from attendna.models.checkpoint import load
from attendna.models.language_checkpoint import load_language
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain
from attendna.training.run import RunConfig, RunFolder
from attendna.training.train import train

MODEL: dict[str, Any] = {
    "name": "encoder",
    "stem": {"name": "convolution", "channels": 8, "pool": 2},
    "width": 16,
    "blocks": 2,
    "heads": 2,
}
TRAINER = {"epochs": 1, "batch_size": 32, "threads": 1, "precision": "fp32", "device": "cpu"}


def config_of(start: Path | None = None, *, frozen: bool = False, **changes: Any) -> RunConfig:
    tree: dict[str, Any] = {"tokenizer": "onehot", "model": dict(MODEL), "trainer": TRAINER}
    if start is not None:
        tree["start"] = {"run": str(start), "frozen": frozen}
    for key, value in changes.items():
        tree[key] = tree.get(key, {}) | value if isinstance(value, dict) else value
    return parse(RunConfig, tree, "test")


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted") / "task").folder


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pretrained")
    config = parse(PretrainingConfig, language(model=MODEL), "test")
    return pretrain(config, [patterned(home)], home / "run", progress=False)


@pytest.fixture(scope="module")
def supervised(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(config_of(seed=5), task, tmp_path_factory.mktemp("s") / "run", progress=False)


def still(**changes: Any) -> dict[str, Any]:
    """Settings in which nothing that is learned moves."""
    return {"optimizer": {"learning_rate": 1e-30, "weight_decay": 0.0}, **changes}


def body(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All that is trained but the head; the counts of norms go on."""
    return {
        name: value
        for name, value in state.items()
        if not name.startswith("head.") and "running" not in name and "num_batches" not in name
    }


def test_the_encoder_of_a_language_model_is_started_from(
    pretrained: Path, task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(config_of(pretrained, **still()), task, tmp_path / "run")
    source = load_language(pretrained)[1].encoder.state_dict()
    for name, value in body(load(run)[1].state_dict()).items():
        assert torch.allclose(value, source[name], atol=1e-6), name
    said = capsys.readouterr().err
    assert f"starting from {pretrained}:" in said.replace("\n", "")
    assert "numbers taken, head new" in said


def test_a_language_model_of_words_is_started_from_with_its_words(
    task: Path, tmp_path: Path
) -> None:
    pairs = {"name": "bpe", "vocabulary": vocabulary().pack()}
    model = MODEL | {"stem": "embedding"}
    settings = language(model=model, tokenizer=pairs, tell="words")
    home = tmp_path / "pretrained"
    config = parse(PretrainingConfig, settings, "test")
    pretrained = pretrain(config, [patterned(tmp_path)], home, progress=False)
    start = config_of(pretrained, model=model, **still()).replace(tokenizer=pairs)
    run = train(start, task, tmp_path / "run", progress=False)
    source = load_language(pretrained)[1].encoder.state_dict()
    for name, value in body(load(run)[1].state_dict()).items():
        assert torch.allclose(value, source[name], atol=1e-6), name
    # Fewer merges are another vocabulary, of which not a letter is printed.
    other = start.replace(tokenizer=pairs | {"vocabulary": vocabulary(30).pack()})
    with pytest.raises(ConfigError, match="vocabulary differs") as refused:
        train(other, task, tmp_path / "other", progress=False)
    assert len(str(refused.value)) < 300 + len(str(pretrained))
    assert not (tmp_path / "other").exists()


def test_a_supervised_run_is_started_from_without_its_head(
    supervised: Path, task: Path, tmp_path: Path
) -> None:
    run = train(config_of(supervised, **still()), task, tmp_path / "run", progress=False)
    before, after = load(supervised)[1].state_dict(), load(run)[1].state_dict()
    for name, value in body(after).items():
        assert torch.allclose(value, before[name], atol=1e-6), name
    assert not torch.equal(after["head.layers.1.weight"], before["head.layers.1.weight"])


@pytest.mark.parametrize("source", ["pretrained", "supervised"])
def test_what_is_frozen_stays_to_the_bit(
    source: str, task: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(source)
    config = config_of(folder, frozen=True, trainer={"ema": 0.0, "epochs": 2})
    run = train(config, task, tmp_path / "run", progress=False)
    old = load_language(folder)[1].encoder if source == "pretrained" else load(folder)[1]
    before, after = old.state_dict(), load(run)[1].state_dict()
    for name, value in after.items():
        if not name.startswith("head."):
            assert torch.equal(value, before[name]), name


def test_another_pooling_is_learned_afresh(pretrained: Path, task: Path, tmp_path: Path) -> None:
    config = config_of(pretrained, model={"pooling": {"name": "attention", "queries": 2}})
    assert RunFolder(train(config, task, tmp_path / "run", progress=False)).finished


def test_the_run_knows_its_weights_and_resumes(
    pretrained: Path, supervised: Path, task: Path, tmp_path: Path
) -> None:
    run = train(config_of(pretrained), task, tmp_path / "run", progress=False)
    stored = RunConfig.read(run / "run.yaml")
    assert stored.start is not None
    assert len(stored.start.weights or "") == 64
    ids = {json.loads((run / "environment.json").read_text())["run_id"]}
    other = train(config_of(supervised), task, tmp_path / "other", progress=False)
    ids.add(json.loads((other / "environment.json").read_text())["run_id"])
    assert len(ids) == 2
    # As if killed after the last step.
    wanted = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").unlink()
    train(config_of(pretrained), task, run, resume=True, progress=False)
    assert (run / "model.safetensors").read_bytes() == wanted
    # The stored settings make the same run again, from the same weights only.
    assert (
        train(stored, task, tmp_path / "again", progress=False) / "model.safetensors"
    ).read_bytes() == wanted
    wrong = stored.replace(start=stored.start.replace(run=str(supervised)).to_tree())
    with pytest.raises(ConfigError, match="is not the model that was started from"):
        train(wrong, task, tmp_path / "wrong", progress=False)
    with pytest.raises(FolderError, match=r"begun with start\.run"):
        train(config_of(supervised), task, run, resume=True, progress=False)


def test_adapters_learn_beside_what_was_learned(
    pretrained: Path, task: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    tree = config_of(pretrained, trainer={"ema": 0.0}, optimizer={"learning_rate": 0.01}).to_tree()
    tree["start"]["lora"] = {"rank": 2}
    config = parse(RunConfig, tree, "test")
    run = train(config, task, tmp_path / "run", progress=False)
    before = load_language(pretrained)[1].encoder.state_dict()
    after = load(run)[1].state_dict()
    for name, value in body(after).items():
        change = value - before[name]
        if name.startswith("blocks.") and value.ndim == 2:
            # What was added is of the rank of the adapters.
            sizes = torch.linalg.svdvals(change)
            assert sizes[1] > 1e-4, name
            assert sizes[2] < 1e-5 * max(1.0, float(sizes[0])), name
        else:
            assert torch.equal(value, before[name]), name
    # As if killed after the last step: the same bits.
    wanted = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").unlink()
    train(config, task, run, resume=True, progress=False)
    assert (run / "model.safetensors").read_bytes() == wanted


def test_members_of_an_ensemble_start_from_its_first(task: Path, tmp_path: Path) -> None:
    several = train(config_of(members=2), task, tmp_path / "several", progress=False)
    run = train(config_of(several, **still()), task, tmp_path / "run", progress=False)
    before, after = load(several)[1].state_dict(), load(run)[1].state_dict()
    name = "blocks.0.attention.project.weight"
    assert torch.allclose(after[name], before[f"members.0.{name}"], atol=1e-6)


def test_dropout_may_be_another(pretrained: Path, task: Path, tmp_path: Path) -> None:
    tree = config_of(pretrained, **still()).to_tree()
    tree["model"] |= {"dropout": 0.4, "head_dropout": 0.1}
    assert train(parse(RunConfig, tree, "test"), task, tmp_path / "run", progress=False).is_dir()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tokenizer": {"name": "kmer", "k": 3}, "model": {"stem": None}},
         r"reads other tokens .* set tokenizer to \{name: onehot\}"),
        ({"model": {"blocks": 3}}, "model.blocks is not that of"),
        ({"model": {"heads": 4}}, "model.heads is not that of"),
        ({"model": {"name": "cnn"}}, "model"),
    ],
    ids=["tokens", "blocks", "heads", "cnn"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    pretrained: Path, task: Path, tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    tree = config_of(pretrained).to_tree()
    tree["variants"] = []
    if changes["model"].get("name") == "cnn":
        tree["model"] = {"name": "cnn"}
    else:
        tree["model"] |= changes["model"]
    tree["tokenizer"] = changes.get("tokenizer", tree["tokenizer"])
    with pytest.raises(ConfigError, match=complaint):
        train(parse(RunConfig, tree, "test"), task, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_the_command_line_says_it_too(
    pretrained: Path, task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text(to_yaml(config_of().to_tree()))
    words = [
        "train",
        str(tmp_path / "run.yaml"),
        "--task",
        str(task),
        "--out",
        str(tmp_path / "run"),
    ]
    assert attendna([*words, "--frozen"]) == 2
    assert "--frozen without --from" in capsys.readouterr().err
    assert attendna([*words, "--from", str(pretrained), "--frozen"]) == 0
    assert "is frozen" in capsys.readouterr().err.replace("\n", " ")
    assert RunConfig.read(tmp_path / "run" / "run.yaml").start is not None
    assert attendna([*words, "--from", str(tmp_path / "nowhere"), "--force"]) == 2
    assert "no such run folder" in capsys.readouterr().err
