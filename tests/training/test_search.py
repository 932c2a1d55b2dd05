import json
from pathlib import Path

import pytest
import torch
from tests.training.conftest import small

from attendna.core.errors import FolderError
from attendna.training import search
from attendna.training.examples import Examples
from attendna.training.loop import Machine
from attendna.training.run import RunConfig, RunFolder
from attendna.training.search import choose_variants

CPU = Machine(torch.device("cpu"), "fp32", 1)
STILL = {"name": "still", "set": {"optimizer.learning_rate": 1e-9}}
MOVING = {"name": "moving", "set": {"optimizer.learning_rate": 0.02, "strands": "single"}}


def searching(*variants: dict, **changes: object) -> RunConfig:
    return small(
        trainer={"monitor": "loss", "validations": 2, "epochs": 4},
        variants=list(variants),
        **{"probe": {"share": 0.5}} | changes,
    )


CONFIG = searching(STILL, MOVING)


def choose(task: Path, path: Path, config: RunConfig = CONFIG) -> list[str]:
    path.mkdir(exist_ok=True)
    chosen = choose_variants(config, Examples.read(task), RunFolder(path), CPU)
    return [variant.name for variant in chosen]


def test_without_variants_nothing_is_tried(task: Path, tmp_path: Path) -> None:
    assert choose(task, tmp_path, small()) == []
    assert list(tmp_path.iterdir()) == []


def test_the_variant_that_learns_is_taken(task: Path, tmp_path: Path) -> None:
    assert choose(task, tmp_path) == ["moving"]
    written = json.loads((tmp_path / "search.json").read_text())
    assert (written["chosen"], written["monitor"]) == (["moving"], "loss")
    still, moving = (written["variants"][name] for name in ("still", "moving"))
    assert moving["score"] < still["score"]
    assert 0 < moving["standard_error"] < 0.2
    # Half of the 32 steps of the training, and no weights left.
    assert moving["steps"] == 16
    assert (tmp_path / "search" / "moving" / "log.csv").is_file()
    assert not list((tmp_path / "search").rglob("*.ckpt"))


def test_a_search_that_broke_off_goes_on_where_it_was(
    task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    choose(task, whole)
    asked = []
    fit = search.fit

    def broken_off(*arguments, title: str, **options):
        asked.append(title)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return fit(*arguments, title=title, **options)

    monkeypatch.setattr(search, "fit", broken_off)
    with pytest.raises(KeyboardInterrupt):
        choose(task, broken)
    assert json.loads((broken / "search.json").read_text())["chosen"] == []
    choose(task, broken)
    assert asked == ["trying still", "trying moving", "trying moving"]
    assert (broken / "search.json").read_bytes() == (whole / "search.json").read_bytes()


@pytest.mark.parametrize(
    ("tie", "chosen"), [(0.0, ["moving"]), (1e-6, ["moving"]), (1e6, ["moving", "still"])]
)
def test_a_tie_is_measured_in_standard_errors(
    task: Path, tmp_path: Path, tie: float, chosen: list[str]
) -> None:
    # A variant of other tokens never ties: networks of one model read the same.
    kmers = {"name": "kmers", "set": {"tokenizer": {"name": "kmer", "k": 3}, **STILL["set"]}}
    config = searching(kmers, STILL, MOVING, probe={"share": 0.25, "tie": tie})
    assert choose(task, tmp_path, config) == chosen


def test_of_equals_the_first_is_taken(task: Path, tmp_path: Path) -> None:
    same = {"optimizer.learning_rate": 0.01}
    config = searching({"name": "b", "set": same}, {"name": "a", "set": same})
    assert choose(task, tmp_path, config.replace(probe={"share": 0.2})) == ["b"]


@pytest.mark.parametrize("content", ["{", "[]", '{"variants": 3}'])
def test_a_damaged_record_is_said(task: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "search.json").write_text(content)
    with pytest.raises(FolderError, match=r"search.json is damaged"):
        choose(task, tmp_path)
