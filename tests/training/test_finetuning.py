"""Before and after a fine-tuning: the same rows, by the model as it began and as it ended."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.planted import plant

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.evaluation.evaluate import evaluate, read_metrics
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint
from attendna.tasks.store import Task
from attendna.training.examples import Examples
from attendna.training.finetuning import finetune, untrained, with_tokens
from attendna.training.run import RunConfig

TRAINER = {"epochs": 2, "batch_size": 32, "threads": 1, "precision": "fp32", "device": "cpu"}


def config_of(start: Path, **more: Any) -> RunConfig:
    way = {"run": str(start)} | more.pop("way", {})
    tree = {"model": {"name": "huggingface"}, "start": way, "trainer": TRAINER}
    return parse(RunConfig, tree | {"optimizer": {"learning_rate": 0.01}} | more, "test")


@pytest.fixture(scope="module")
def dnabert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dnabert")
    checkpoints.dnabert(folder, 3, max_position_embeddings=64)
    return folder


@pytest.fixture(scope="module")
def tuned(dnabert: Path, planted: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "run"
    return finetune(config_of(dnabert), planted.folder, out, resamples=200, progress=False)


def test_both_are_measured_on_the_same_rows(tuned: Path, planted: Task) -> None:
    found = json.loads((tuned / "finetuning.json").read_text())
    assert (found["split"], found["n"]) == ("test", 60)
    after = {row["metric"]: row["value"] for row in read_metrics(tuned) if row["split"] == "test"}
    before = {row["metric"]: row["value"] for row in read_metrics(tuned / "before")}
    assert {"accuracy", "precision", "recall", "specificity", "f1", "mcc", "auroc"} <= set(after)
    for row in found["metrics"]:
        assert (row["before"], row["after"]) == (before[row["metric"]], after[row["metric"]])
        if row["difference"] is not None:
            assert row["difference"] == pytest.approx(row["after"] - row["before"])
            assert row["low"] <= row["difference"] <= row["high"]
    labels = planted.read("test").labels
    for name, threshold in found["thresholds"].items():
        folder = tuned if name == "after" else tuned / name
        frame = pl.read_parquet(folder / "predictions.parquet").filter(split="test")
        called = frame["bound"].to_numpy() >= threshold
        assert found["confusion"][name] == [
            [int((called[labels == truth] == said).sum()) for said in (False, True)]
            for truth in (0, 1)
        ]
    assert found["thresholds"]["before"] == 0.5
    again = evaluate(tuned, planted.folder, "test", device="cpu", resamples=200)
    assert again.value("mcc") == after["mcc"]


def test_before_is_the_model_as_the_training_begins(
    dnabert: Path, planted: Task, tmp_path: Path
) -> None:
    examples = Examples.read(planted.folder)
    state = untrained(config_of(dnabert), examples, "fp32").model.state_dict()
    for name, value in HuggingfaceCheckpoint.find(dnabert).weights().items():
        assert torch.equal(state[name], value)
    # What has learned nothing is worth the same before and after.
    still = {"learning_rate": 1e-30, "weight_decay": 0.0}
    config = config_of(dnabert, optimizer=still, strands="single")
    run = finetune(config, planted.folder, tmp_path / "run", resamples=50, progress=False)
    one, other = (
        pl.read_parquet(folder / "predictions.parquet").filter(split="test")["bound"].to_numpy()
        for folder in (run, run / "before")
    )
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.std(other) > 1e-4


@pytest.mark.parametrize("way", [{"frozen": True}, {"lora": {"rank": 2}}])
def test_a_probe_and_adapters_begin_where_all_of_it_does(
    dnabert: Path, planted: Task, way: dict[str, Any]
) -> None:
    examples = Examples.read(planted.folder)
    whole, part = (
        untrained(config, examples, "fp32").model.state_dict()
        for config in (config_of(dnabert), config_of(dnabert, way=way))
    )
    assert whole.keys() == part.keys()
    assert all(torch.equal(value, part[name]) for name, value in whole.items())


def test_words_side_by_side_end_in_an_unknown_one(dnabert: Path) -> None:
    config = config_of(dnabert)
    apart = with_tokens(config, "non-overlapping")
    assert apart.tokenizer.to_tree() == {"name": "patch", "k": 3, "remainder": "pad"}
    assert with_tokens(apart, "overlapping") == config
    plain = parse(RunConfig, {"tokenizer": "onehot", "model": "cnn"}, "test")
    with pytest.raises(ConfigError, match="the tokenizer is onehot"):
        with_tokens(plain, "overlapping")


def test_what_cannot_be_compared_is_refused(dnabert: Path, planted: Task, tmp_path: Path) -> None:
    plain = parse(RunConfig, {"tokenizer": "onehot", "model": "cnn"}, "test")
    with pytest.raises(ConfigError, match="nothing to start from"):
        finetune(plain, planted.folder, tmp_path / "run")
    tracks = plant(tmp_path / "task", classes=("none", "one", "two"))
    run = finetune(
        config_of(dnabert), tracks.folder, tmp_path / "three", resamples=20, progress=False
    )
    found = json.loads((run / "finetuning.json").read_text())
    assert np.array(found["confusion"]["before"]).shape == (3, 3)
