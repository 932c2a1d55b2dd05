import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attendna.core.errors import ConfigError
from attendna.training.run import RunConfig
from attendna.training.tuning.search import Search

RATE = "optimizer.learning_rate"


def test_values_are_entered_into_the_settings(tree: dict[str, Any]) -> None:
    tree["space"] |= {
        "tokenizer.k": {"low": 3, "high": 4},
        "tokenizer": {"choices": ["onehot", {"name": "kmer", "k": 2}]},
    }
    values = {RATE: 0.02, "tokenizer.k": 4, "tokenizer": "kmer k=2"}
    settings = Search.model_validate(tree).settings(values, rows=80, metric="f1")
    assert settings.optimizer.learning_rate == 0.02
    assert settings.tokenizer.to_tree()["k"] == 4
    assert settings.trainer.monitor == "f1"
    assert RunConfig.model_validate(settings.to_tree()) == settings


def test_a_base_is_adapted_before_values_are_entered(tree: dict[str, Any]) -> None:
    small = {"rows_below": 100, "set": {RATE: 0.5, "trainer.epochs": 7}}
    tree["base"]["adapt"] = [small]
    search = Search.model_validate(tree)
    assert search.settings({RATE: 0.01}, rows=80, metric="f1").optimizer.learning_rate == 0.01
    assert search.settings({RATE: 0.01}, rows=80, metric="f1").trainer.epochs == 7
    assert search.settings({RATE: 0.01}, rows=800, metric="f1").trainer.epochs == 1


def test_a_recipe_may_be_the_base(tree: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(json.dumps(tree["base"]), encoding="utf-8")
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps(tree | {"base": "recipe.yaml"}), encoding="utf-8")
    assert Search.read(file).base == tree["base"]


def test_a_grid_is_shuffled_by_its_seed(tree: dict[str, Any]) -> None:
    tree["space"] = {RATE: {"choices": [5e-5, 4e-5, 3e-5, 2e-5]}}
    orders = set()
    for seed in range(5):
        search = Search.model_validate(tree | {"sampler": {"name": "grid", "seed": seed}})
        order = [one[RATE] for one in search.combinations() or []]
        assert sorted(order) == ["2e-05", "3e-05", "4e-05", "5e-05"]
        orders.add(tuple(order))
    assert len(orders) > 1
    assert Search.model_validate(tree).combinations() is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"space": {"optimizer.learning_rat": {"low": 0.1, "high": 0.2}}}, "did you mean"),
        ({"space": {}}, "space"),
        ({"space": {"trainer.monitor": {"choices": ["f1"]}}}, "cannot be searched"),
        ({"space": {RATE: {"low": -2.0, "high": -1.0}}}, "optimizer.learning_rate"),
        ({"metric": "aurok"}, "no metric 'aurok'"),
        ({"sampler": {"name": "grid"}}, "a grid needs"),
        ({"set": {"variants": [{"name": "a", "set": {}}]}}, "search over what they set"),
    ],
)
def test_what_cannot_be_is_one_line(
    tree: dict[str, Any], changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps(tree | changes), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        Search.read(file)


def test_some_values_may_not_fit(tree: dict[str, Any], tmp_path: Path) -> None:
    tree["space"] = {"tokenizer.k": {"low": 2, "high": 40}}
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    search = Search.read(file)
    with pytest.raises(ConfigError, match=r"tokenizer\.k 40"):
        search.settings({"tokenizer.k": 40}, rows=80, metric="f1")


def test_the_recipe_of_the_light_model_is_a_search(repository: Path) -> None:
    search = Search.read(repository / "recipes" / "tune_enhancer.yaml")
    random = np.random.default_rng(0)
    for _ in range(20):
        drawn = {key: dimension.draw(random) for key, dimension in search.space.items()}
        settings = search.settings(drawn, rows=800, metric="auroc")
        assert settings.optimizer.weight_decay == drawn["optimizer.weight_decay"]


def test_what_is_assigned_is_not_searched(tree: dict[str, Any], tmp_path: Path) -> None:
    tree["space"]["model.dropout"] = {"low": 0.0, "high": 0.5}
    tree["base"]["adapt"] = [{"rows_below": 100, "set": {"trainer.epochs": 9}}]
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    for key in ("trainer.epochs", "base.trainer.epochs"):
        search = Search.read(file, [f"{key}=3", "model.dropout=0.25", "sampler.seed=8"])
        assert list(search.space) == [RATE]
        assert search.sampler.seed == 8
        made = search.settings({RATE: 0.01}, rows=80, metric="f1")
        assert (made.trainer.epochs, made.model.to_tree()["dropout"]) == (3, 0.25)
        assert Search.model_validate(search.to_tree()) == search
        assert made.origins()[RATE] == "search"


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (f"{RATE}=1", "nothing is left to search"),
        ("trainer.monitor=f1", "set metric instead"),
        ("model.widht=3", "did you mean width"),
        ("samplr.seed=3", "samplr is not a setting"),
    ],
)
def test_an_assignment_that_cannot_be_is_one_line(
    tree: dict[str, Any], assignment: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        Search.read(file, [assignment])


@pytest.mark.parametrize(
    ("recipe", "verb"), [("classify", "train"), ("enformer", "train"), ("pretrain", "pretrain")]
)
def test_a_recipe_of_another_kind_is_one_short_line(recipe: str, verb: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{recipe} describes a \w+; use attendna {verb}$"):
        Search.read(recipe)
