"""From a genome to a classifier of one's own, by way of the layout of Hugging Face."""

import json
from pathlib import Path

import pytest
import yaml
from tests.models.huggingface.checkpoints import SIZES
from tests.training.pretraining.genomes import patterned, settings

from attendna.cli.main import run
from attendna.tasks.store import Task

SHORT = ("trainer.epochs=1", "trainer.threads=1", "variants=[]", "optimizer.learning_rate=1e-3")


@pytest.mark.parametrize("tell", ["words", "bases"])
def test_pretrained_exported_started_from_exported_again(
    repository: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str], tell: str
) -> None:
    language = settings(tokenizer={"name": "kmer", "k": 4}, tell=tell, masking={"span": 4})
    config = {"model_type": "bert", **SIZES, "max_position_embeddings": 66}
    language["model"] = {"name": "huggingface", "config": config}
    (tmp_path / "pretrain.yaml").write_text(yaml.safe_dump(language))
    genome = patterned(tmp_path / "genome")
    at = {name: str(tmp_path / name) for name in ("language", "checkpoint", "run", "again")}

    def attendna(*words: str) -> None:
        assert run(list(words)) == 0, capsys.readouterr().err

    learn = ("pretrain", str(tmp_path / "pretrain.yaml"), "--genome", str(genome))
    attendna(*learn, "--out", at["language"])
    attendna("export", at["language"], "--out", at["checkpoint"])
    recipe = str(repository / "recipes" / "finetune.yaml")
    changes = [word for change in SHORT for word in ("--set", change)]
    tune = ("finetune", recipe, "--task", str(planted.folder), *changes, "--resamples", "20")
    capsys.readouterr()
    attendna(*tune, "--from", at["checkpoint"], "--out", at["run"], "--json")
    found = json.loads(capsys.readouterr().out)
    assert sum(map(sum, found["confusion"]["after"])) == 60
    # The language model itself can be started from as well, and gives the same.
    attendna(*tune, "--from", at["language"], "--out", at["again"], "--json")
    other = json.loads(capsys.readouterr().out)
    values = ("after", "after_low", "after_high", "before")
    for one, two in zip(found["metrics"], other["metrics"], strict=True):
        assert [one[key] for key in values] == pytest.approx(
            [two[key] for key in values], nan_ok=True
        )
    attendna("export", at["run"], "--out", str(tmp_path / "classifier"))
    said = json.loads((tmp_path / "classifier" / "config.json").read_text())
    assert said["architectures"] == ["BertForSequenceClassification"]
