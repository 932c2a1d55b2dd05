from pathlib import Path

import pytest
import yaml
from tests.training.pretraining.genomes import SMALL
from tests.words import vocabulary

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.training.pretraining.config import PretrainingConfig


def test_the_run_id_knows_settings_and_genomes() -> None:
    config = PretrainingConfig.model_validate(SMALL)
    ids = {config.run_id("a"), config.run_id("b"), config.replace(seed=1).run_id("a")}
    assert len(ids) == 3
    assert PretrainingConfig.model_validate(config.to_tree()).run_id("a") in ids


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("masking.mask=0.95", r"mask 0\.95 and random 0\.1 are more than all"),
        ("masking.rate=0", r"masking\.rate"),
        ("tell=genes", "tell"),
        ("windows.lenght=5", "windows.lenght is not a setting, did you mean length"),
        ("format=9", "reads format 1"),
    ],
)
def test_what_is_impossible_is_one_line(tmp_path: Path, assignment: str, complaint: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    assert PretrainingConfig.read(path).windows.length == 64
    with pytest.raises(ConfigError, match=complaint):
        PretrainingConfig.read(path, [assignment])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tell": "bases"}, "words are told, set tell: words"),
        ({"masking": {"span": 3}}, "hidden word by word, leave it out"),
        ({"contrastive": {"weight": 0.1}}, "the strands have other words"),
    ],
    ids=["tell", "span", "contrastive"],
)
def test_byte_pairs_are_hidden_and_told_as_words(changes: dict, complaint: str) -> None:
    tree = SMALL | {"tokenizer": {"name": "bpe", "vocabulary": vocabulary().pack()}}
    assert parse(PretrainingConfig, tree | {"tell": "words"}, "test").tell == "words"
    with pytest.raises(ConfigError, match=complaint):
        parse(PretrainingConfig, tree | {"tell": "words"} | changes, "test")


@pytest.mark.parametrize("recipe", ["pretrain.yaml", "pretrain_bert.yaml", "pretrain_small.yaml"])
def test_recipes_are_settings(repository: Path, recipe: str) -> None:
    config = PretrainingConfig.read(repository / "recipes" / recipe)
    assert config.model.name == ("huggingface" if "bert" in recipe else "encoder")
