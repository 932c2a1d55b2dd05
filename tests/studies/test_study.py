from pathlib import Path
from typing import Any

import pytest

from attendna.core.config import to_yaml
from attendna.core.errors import ConfigError, UserError
from attendna.studies.study import Study, library, read_study


def write(tree: dict[str, Any], folder: Path) -> Path:
    path = folder / "study.yaml"
    path.write_text(to_yaml(tree))
    return path


def test_rows_are_the_product_of_tasks_and_axes(study_tree: dict[str, Any], tmp_path: Path) -> None:
    study_tree["tasks"]["Other"] = {"folder": "$data", "set": {"trainer.epochs": 7}}
    study_tree["axes"]["rate"] = [{"label": "slow", "set": {"optimizer.learning_rate": 1e-4}}]
    study_tree["reference"], study_tree["paper"] = "narrow/slow", {}
    study = read_study(write(study_tree, tmp_path))
    rows = list(study.rows())
    assert len(rows) == 6
    assert [row.name for row in study.rows({"task": "Other", "width": "wide"})] == ["wide/slow"]
    config = study.settings(rows[-2], {"data": "d"})
    assert rows[-2].path == Path("Other/wide/slow")
    assert (config.trainer.epochs, config.optimizer.learning_rate) == (7, 1e-4)
    assert config.model.to_tree()["width"] == 16


@pytest.mark.parametrize("name", list(library()))
def test_every_study_of_the_library_can_be(name: str) -> None:
    assert read_study(name).scale in name


def test_a_base_may_be_a_recipe_beside_the_study(
    study_tree: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_text(to_yaml(study_tree["base"]))
    assert (
        read_study(write(study_tree | {"base": "recipe.yaml"}, tmp_path)).base == study_tree["base"]
    )


def _task(folder: str, **more: Any) -> dict[str, Any]:
    return {"tasks": {"Planted": {"folder": folder, **more}}}


def _set(key: str, value: Any) -> dict[str, Any]:
    return {"axes": {"width": [{"label": "narrow", "set": {key: value}}]}, "paper": {}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("model.widht", 3), r"Planted narrow: model.widht is not a setting.*width"),
        (_set("tokenizer", "$words"), r"\$words .*neither data"),
        ({"axes": {"width": []}}, "axes.width needs levels"),
        ({"metrics": ["aurocc"]}, "no metric 'aurocc'"),
        ({"reference": "wied"}, "no row 'wied'"),
        ({"paper": {"Plantd": {"wide": {}}}}, "paper.Plantd is no task"),
        ({"seeds": [1, 1]}, "seed is given twice"),
        ({"seed": 1}, "seed is not a setting, did you mean seeds"),
        ({"tasks": {"data": {"folder": "x"}}, "paper": {}}, "data stands for two things"),
        (
            {"made": {"m": {"name": "language", "genomes": ["$data"], "settings": {}}}},
            "tokenizer is missing",
        ),
        ({"made": {"m": {"name": "run", "task": "$n", "settings": {}}}}, r"\$n .*neither data"),
        ({"made": {"m": {"name": "genome"}}}, "made.m"),
        ({"sources": {"T": {"folder": "$U"}, "U": {"folder": "$T"}}, **_task("$T")}, "from itself"),
        (_task("$data", transfer={"task": "Other"}), "Other is no task of trainings"),
        (_task("$data", transfer={"task": "Planted"}, set={"seed": 1}), "has transfer instead"),
    ],
)
def test_what_cannot_be_is_one_line(
    change: dict[str, Any], said: str, study_tree: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        read_study(write(study_tree | change, tmp_path))


def test_names_that_are_not_there_are_refused(study_tree: dict[str, Any]) -> None:
    with pytest.raises(
        UserError, match=r"no study 't1_position_desk'; did you mean t1_positions_desk"
    ):
        read_study("t1_position_desk")
    study = Study.model_validate(study_tree)
    with pytest.raises(ConfigError, match="no axis 'widht'; did you mean width"):
        list(study.rows({"widht": "wide"}))
    with pytest.raises(ConfigError, match="width has no 'wid'; did you mean wild or wide"):
        list(study.rows({"width": "wid"}))


def test_a_vocabulary_to_be_learned_is_checked_without_it(study_tree: dict[str, Any]) -> None:
    level = {"label": "bpe", "set": {"tokenizer": {"name": "bpe", "file": "$words"}}}
    study_tree |= {"axes": {"tokens": [level]}, "reference": "bpe", "paper": {}}
    study_tree["made"] = {"words": {"name": "bpe", "genomes": ["$data/x.fa"]}}
    study_tree["base"]["model"] = {"name": "encoder", "width": 8, "blocks": 1}
    Study.model_validate(study_tree).check()
    level["set"]["model.blokcs"] = 3
    with pytest.raises(ConfigError, match=r"model\.blokcs is not a setting"):
        Study.model_validate(study_tree).check()


def test_what_is_needed_comes_first(study_tree: dict[str, Any]) -> None:
    study_tree["sources"] = {"Far": {"folder": "$genome/far"}, "Unused": {"folder": "$data"}}
    study_tree["made"] = {
        "start": {"name": "run", "task": "$Far", "settings": study_tree["base"]},
        "genome": {"name": "regulation"},
    }
    study_tree["axes"]["width"][1]["set"] = {"start.run": "$start"}
    study = Study.model_validate(study_tree)
    study.check()
    rows = list(study.rows())
    assert study.needed(rows[:1]) == ["Planted"]
    assert study.needed(rows) == ["Planted", "genome", "Far", "start"]


def test_a_level_may_set_other_things_on_a_task(study_tree: dict[str, Any]) -> None:
    study_tree["tasks"]["Long"] = {"folder": "$data"}
    study_tree["axes"]["width"][0]["on_task"] = {"Long": {"model.blocks": 3}}
    study = Study.model_validate(study_tree)
    found = {
        row.task: study.settings(row, {"data": "d"}) for row in study.rows({"width": "narrow"})
    }
    models = {task: config.model.to_tree() for task, config in found.items()}
    assert (models["Planted"]["width"], models["Planted"]["blocks"]) == (2, 1)
    assert (models["Long"]["width"], models["Long"]["blocks"]) == (16, 3)


def test_rows_that_others_follow_come_with_them(study_tree: dict[str, Any]) -> None:
    study_tree["tasks"]["After"] = {"folder": "$data", "transfer": {"task": "Planted"}}
    study = Study.model_validate(study_tree)
    study.check()
    chosen = study.rows({"task": "After", "width": "wide"})
    assert [row.path for row in chosen] == [Path("Planted/wide"), Path("After/wide")]
    assert len(list(study.rows())) == 6


def test_what_a_study_sets_wins_over_its_recipe(study_tree: dict[str, Any]) -> None:
    study_tree["base"]["adapt"] = [{"rows_below": 9, "set": {"model.width": 4, "seed": 3}}]
    study_tree["base"]["trainer"]["epochs"] = 6
    study_tree["tasks"]["Planted"]["set"] = {"trainer.epochs": 7}
    study = Study.model_validate(study_tree).fixing({"trainer.epochs": 2})
    (row,) = study.rows({"width": "wide"})
    made = study.settings(row, {"data": "d"}).adapted(1)
    assert (made.model.to_tree()["width"], made.trainer.epochs, made.seed) == (16, 2, 3)
    for key, said in (("model.width", "the axis width compares"), ("seed", "use --seeds")):
        with pytest.raises(ConfigError, match=said):
            study.fixing({key: 3})
