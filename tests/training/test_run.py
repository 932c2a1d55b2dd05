import json
from pathlib import Path

import pytest
import torch
import yaml
from tests.training.conftest import SMALL, small

from attendna.core.config import leaves
from attendna.core.errors import ConfigError, FolderError
from attendna.core.provenance import commanded, commit
from attendna.training.run import (
    Environment,
    RunConfig,
    RunFolder,
    available_cores,
    default_threads,
    differing_key,
)

ROWS = "0" * 64


def environment(config: RunConfig) -> Environment:
    return Environment.of_this_machine(
        torch.device("cpu"),
        "fp32",
        1,
        task="planted",
        split_hash=ROWS,
        run_id=config.run_id(ROWS),
    )


def created(path: Path, config: RunConfig | None = None) -> RunFolder:
    folder = RunFolder(path)
    config = config or small()
    folder.create(config, environment(config))
    return folder


def test_yaml_numbers_that_look_like_text_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("tokenizer: onehot\nmodel: encoder\noptimizer: {learning_rate: 3e-4}\n")
    assert RunConfig.read(file).optimizer.learning_rate == 3e-4


def test_set_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("tokenizer: onehot\nmodel: {name: encoder, width: 8}\n")
    config = RunConfig.read(file, ["model.width=16", "trainer.epochs=2"])
    assert config.model.to_tree()["width"] == 16
    assert config.trainer.epochs == 2


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("optimizer.learning_rat=1", "optimizer.learning_rat is not a setting, did you mean"),
        ("model.widht=1", "model.widht is not a setting, did you mean width?"),
        ("trainer.monitor=accuracies", "there is no metric 'accuracies'"),
        ("trainer.max_steps=0", "trainer.max_steps"),
        ("objective.alpha=0.3", "alpha belongs to loss: focal"),
        ("optimizer.betas=[0.9, 1.0]", "each beta lies from 0 to below 1"),
        ("optimizer.learning_rate=-1", "optimizer.learning_rate"),
        ("variants=[{name: a b, set: {}}]", "variants.0.name"),
        ("variants=[{name: a, set: {}}, {name: a, set: {}}]", "two variants have the same name"),
        ("variants=[{name: wide, set: {model.widht: 3}}]", "variant wide: model.widht is not"),
        ("adapt=[{rows_below: 9, set: {seeds: 3}}]", "fewer than 9 rows: seeds is not a setting"),
        ("format=7", "has format 7"),
    ],
)
def test_an_impossible_setting_is_one_line_that_names_it(
    tmp_path: Path, assignment: str, said: str
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(SMALL))
    with pytest.raises(ConfigError) as caught:
        RunConfig.read(file, [assignment])
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bounds_on_steps_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="max_steps 5 is below min_steps 9"):
        small(trainer={"min_steps": 9, "max_steps": 5})


def test_alpha_and_balanced_weights_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="take one"):
        small(objective={"loss": "focal", "alpha": 0.3, "class_weights": "balanced"})


def test_a_variant_changes_what_it_sets_and_nothing_else() -> None:
    config = small(
        variants=[{"name": "wide", "set": {"model.width": 16, "strands": "conjoined"}}],
        members=2,
    )
    wide = config.with_variant(config.variants[0])
    assert (wide.model.to_tree()["width"], wide.strands, wide.variants) == (16, "conjoined", ())
    assert (
        differing_key(
            wide.to_tree(),
            config.to_tree()
            | {"variants": [], "members": 1, "strands": "conjoined", "model": wide.model.to_tree()},
        )
        is None
    )


def test_small_sets_can_have_settings_of_their_own() -> None:
    config = small(
        adapt=[
            {"rows_below": 1000, "set": {"members": 3, "trainer.batch_size": 8}},
            {"rows_below": 100, "set": {"trainer.batch_size": 4, "model.width": 16}},
        ]
    )
    large, middle, little = (config.adapted(rows) for rows in (1000, 999, 99))
    assert (large.members, large.trainer.batch_size) == (1, 32)
    assert (middle.members, middle.trainer.batch_size) == (3, 8)
    assert (little.members, little.trainer.batch_size) == (3, 4)
    assert little.model.to_tree()["width"] == 16
    assert all(adapted.adapt == () for adapted in (large, middle, little))
    assert large == small()


def test_the_run_id_depends_on_every_setting_and_on_the_rows() -> None:
    config = small()
    ids = {
        config.run_id(ROWS),
        config.run_id("1" * 64),
        small(seed=1).run_id(ROWS),
        small(optimizer={"learning_rate": 2e-3}).run_id(ROWS),
        small(model={"name": "encoder", "width": 16, "blocks": 1, "heads": 2}).run_id(ROWS),
    }
    assert len(ids) == 5
    again = RunConfig.model_validate(yaml.safe_load(yaml.safe_dump(config.to_tree())))
    assert again.run_id(ROWS) == config.run_id(ROWS)


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, None),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b"),
        ({"a": {"b": 1}}, {"a": {}}, "a.b"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a.1"),
        ({"b": 1}, {"b": 1, "a": None}, "a"),
    ],
)
def test_the_first_differing_key(one: dict, other: dict, key: str | None) -> None:
    assert differing_key(one, other) == key


def test_a_run_folder_holds_settings_that_can_be_read_again(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    assert RunConfig.read(folder.config) == small()
    written = json.loads(folder.environment.read_text())
    assert written["threads"] == 1
    assert written["packages"]["torch"] == torch.__version__
    assert folder.resume(small(), ROWS) == environment(small())
    assert not folder.finished


def test_a_run_folder_is_replaced_only_by_force(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    with pytest.raises(FolderError, match="exists"):
        folder.create(small(seed=1), environment(small(seed=1)))
    folder.create(small(seed=1), environment(small(seed=1)), force=True)
    assert RunConfig.read(folder.config).seed == 1


def test_force_never_replaces_what_is_no_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work")
    with pytest.raises(FolderError, match="was not written by attendna"):
        RunFolder(home).create(small(), environment(small()), force=True)
    assert (home / "thesis.tex").read_text() == "years of work"


def test_force_takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").create(small(), environment(small()), force=True)
    assert RunConfig.read(tmp_path / "run" / "run.yaml") == small()


def test_resuming_with_other_settings_names_the_key(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    with pytest.raises(FolderError, match=r"begun with optimizer.learning_rate=0.001, not 0.01"):
        folder.resume(small(optimizer={"learning_rate": 0.01}), ROWS)


def test_resuming_with_other_rows_is_refused(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    with pytest.raises(FolderError, match="other training or validation rows"):
        folder.resume(small(), "1" * 64)


def test_a_folder_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    tree = json.loads(folder.environment.read_text()) | {"format": 99, "attendna": "9.9"}
    folder.environment.write_text(json.dumps(tree))
    with pytest.raises(FolderError, match=r"written by attendna 9.9 in format 99") as caught:
        folder.resume(small(), ROWS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}'])
def test_a_damaged_environment_is_said(tmp_path: Path, content: str) -> None:
    folder = created(tmp_path / "run")
    folder.environment.write_text(content)
    with pytest.raises(FolderError, match="is damaged"):
        folder.resume(small(), ROWS)


def test_a_folder_that_is_no_run_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is not a run folder"):
        RunFolder(tmp_path).resume(small(), ROWS)


def test_two_processes_never_train_in_one_folder(tmp_path: Path) -> None:
    folder = created(tmp_path / "run")
    refused = pytest.raises(FolderError, match="another process is training")
    with folder.locked(), refused, folder.locked():
        raise AssertionError("both hold the lock")
    with folder.locked():
        assert folder.config.is_file()


def test_threads_are_what_the_environment_says_or_one_a_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert default_threads() == 3
    for said in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        assert default_threads() == available_cores()


def test_cores_are_those_this_process_may_use() -> None:
    import os

    assert 1 <= available_cores() <= len(os.sched_getaffinity(0))


RECIPE = """
tokenizer: onehot
model: {name: encoder, width: 8, blocks: 1, heads: 2, positions: rotary}
trainer: {epochs: 7, threads: 1}
variants:
  - {name: wide, set: {model.width: 16, strands: conjoined}}
  - {name: plain, set: {strands: single, "model.positions": absolute}}
adapt:
  - {rows_below: 100, set: {trainer: {epochs: 9, batch_size: 4}}}
  - {rows_below: 50, set: {trainer.min_steps: 30, model.dropout: 0.4}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Settings that differ in small sets and in variants."""
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("trainer.epochs=5", "trainer.epochs", 5),
        ("trainer={epochs: 5}", "trainer.batch_size", 64),
        ("trainer.batch_size=3", "trainer.batch_size", 3),
        ("trainer.min_steps=2", "trainer.min_steps", 2),
        ("model.width=32", "model.width", 32),
        ("model={name: encoder, width: 24}", "model.width", 24),
        ("model={name: encoder, width: 24}", "model.dropout", 0.1),
        ("strands=augment", "strands", "augment"),
        ("model.positions=rotary", "model.positions.name", "rotary"),
    ],
)
def test_an_assignment_wins_over_what_a_recipe_adapts_and_varies(
    recipe: Path, assignment: str, key: str, value: object
) -> None:
    config = RunConfig.read(recipe, [assignment])
    small_set = config.adapted(10)
    runs = [small_set.with_variant(variant) for variant in small_set.variants] or [small_set]
    for run in [small_set, *runs, RunConfig.read(recipe, [assignment]).adapted(1000)]:
        assert dict(leaves(run.to_tree()))[key] == value
    given = assignment.partition("=")[0]
    origins = small_set.origins()
    assert {v.partition(";")[0] for k, v in origins.items() if k.startswith(given)} <= {
        "command line",
        "default",
    }


def test_variants_that_an_assignment_makes_equal_are_one(recipe: Path) -> None:
    assert len(RunConfig.read(recipe, ["strands=single"]).variants) == 2
    alike = ["strands=single", "model.width=32", "model.positions=rotary"]
    assert RunConfig.read(recipe, alike).variants == ()
    one = RunConfig.read(recipe, [*alike[:2], "variants.1.set={model.width: 4}"])
    assert one.variants[1].set == {"model.width": 4}, "what is assigned itself stays"
    assert RunConfig.read(recipe, ["variants=[]", "adapt=[]"]).adapted(1).trainer.epochs == 7


def test_a_part_of_what_a_variant_sets_as_a_whole_is_refused(recipe: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"variant plain: model\.positions\.base is not a setting"
    ):
        RunConfig.read(recipe, ["model.positions.base=3"])


def test_a_run_says_where_each_value_came_from(recipe: Path, tmp_path: Path) -> None:
    config = RunConfig.read(recipe, ["trainer.threads=2"]).adapted(40).for_metric("mcc")
    folder = created(tmp_path / "run", config)
    text = folder.config.read_text()
    for line in (
        "seed: 0  # default",
        "  name: encoder  # recipe",
        "  name: onehot  # recipe",
        "  width: 8  # recipe; variant wide sets it",
        "  threads: 2  # command line",
        "  epochs: 9.0  # adapt to fewer than 100 rows",
        "  dropout: 0.4  # adapt to fewer than 50 rows",
        "  monitor: mcc  # the task's metric",
    ):
        assert line in text.splitlines(), line
    assert RunConfig.read(folder.config) == config
    wide = config.with_variant(config.variants[0]).origins()
    assert (wide["model.width"], wide["trainer.threads"]) == ("variant wide", "command line")
    assert "#" not in created(tmp_path / "python").config.read_text()


def test_the_command_and_the_commit_are_kept(tmp_path: Path) -> None:
    with commanded(["train", "run.yaml"]):
        folder = created(tmp_path / "run")
    tree = json.loads(folder.environment.read_text())
    assert (tree["command"], tree["commit"]) == ("attendna train run.yaml", commit())


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            "name: x\nlabel_kind: binary\nclasses: [a, b]\n",
            "describes a task; name it",
        ),
        ("base: classify\nspace: {}\n", "describes a search; use attendna tune"),
        ("title: x\naxes: {}\n", "describes a study"),
        ("model: {name: encoder}\nwindows: {}\ntell: bases\n", "describes a pretraining; use"),
    ],
)
def test_a_file_of_another_kind_is_one_short_line(tmp_path: Path, tree: str, said: str) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(tree)
    with pytest.raises(ConfigError, match=said) as caught:
        RunConfig.read(path)
    assert len(str(caught.value)) < 300
