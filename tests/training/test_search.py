import json
from pathlib import Path

import pytest
import torch
from tests.training.conftest import small

from attendna.core.errors import FolderError
from attendna.training import search
from attendna.training.examples import Examples
from attendna.training.fit import Machine
from attendna.training.run import RunFolder
from attendna.training.search import choose_variant

CPU = Machine(torch.device("cpu"), "fp32", 1)
CONFIG = small(
    trainer={"monitor": "loss", "validations": 2, "epochs": 6},
    probe={"share": 0.5},
    members=2,
    variants=[
        {"name": "still", "set": {"optimizer.learning_rate": 1e-9}},
        {"name": "moving", "set": {"optimizer.learning_rate": 0.02, "strands": "single"}},
    ],
)


def choose(task: Path, path: Path, config=CONFIG):
    path.mkdir(exist_ok=True)
    return choose_variant(config, Examples.read(task), RunFolder(path), CPU)


def test_without_variants_nothing_is_tried(task: Path, tmp_path: Path) -> None:
    assert choose(task, tmp_path, small()) == small()
    assert list(tmp_path.iterdir()) == []


def test_the_variant_that_learns_is_taken(task: Path, tmp_path: Path) -> None:
    chosen = choose(task, tmp_path)
    assert chosen == CONFIG.with_variant(CONFIG.variants[1])
    assert (chosen.strands, chosen.members) == ("single", 2)
    written = json.loads((tmp_path / "search.json").read_text())
    assert (written["chosen"], written["monitor"]) == ("moving", "loss")
    scores = {name: probe["score"] for name, probe in written["variants"].items()}
    assert scores["moving"] < scores["still"]
    # Half of the 48 steps of the training, and no weights left.
    assert written["variants"]["moving"]["steps"] == 24
    assert (tmp_path / "search" / "moving" / "log.csv").is_file()
    assert not list((tmp_path / "search").rglob("*.ckpt"))


def test_a_search_that_broke_off_goes_on_where_it_was(
    task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    choose(task, whole)
    asked = []
    fit = search.fit

    def broken_off(config, *arguments, title: str, **options):
        asked.append(title)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return fit(config, *arguments, title=title, **options)

    monkeypatch.setattr(search, "fit", broken_off)
    with pytest.raises(KeyboardInterrupt):
        choose(task, broken)
    assert json.loads((broken / "search.json").read_text())["chosen"] is None
    choose(task, broken)
    assert asked == ["trying still", "trying moving", "trying moving"]
    assert (broken / "search.json").read_bytes() == (whole / "search.json").read_bytes()


def test_of_equals_the_first_is_taken(task: Path, tmp_path: Path) -> None:
    same = {"optimizer.learning_rate": 0.01}
    config = small(
        trainer={"epochs": 1},
        probe={"share": 0.2},
        variants=[{"name": "b", "set": same}, {"name": "a", "set": same}],
    )
    choose(task, tmp_path, config)
    assert json.loads((tmp_path / "search.json").read_text())["chosen"] == "b"


@pytest.mark.parametrize("content", ["{", "[]", '{"variants": 3}'])
def test_a_damaged_record_is_said(task: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "search.json").write_text(content)
    with pytest.raises(FolderError, match=r"search.json is damaged"):
        choose(task, tmp_path)
