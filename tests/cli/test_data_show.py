"""``data show``: the card of a named set and of a task folder."""

import json
from pathlib import Path

import polars as pl
import pytest

from attendna.cli.main import run
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task


@pytest.fixture
def task(tmp_path: Path) -> Path:
    train = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sequence": ["ACGT" * 20, "GGCC" * 10, "ATNN" * 10],
            "label": [0, 1, 1],
        }
    )
    test = pl.DataFrame({"id": ["d"], "sequence": ["ACGT" * 20], "label": [0]})
    spec = TaskSpec(
        name="toy", label_kind="binary", classes=("shut", "open"), citation="[Someone] 2020"
    )
    write_task(tmp_path / "toy", spec, {"train": train, "test": test})
    return tmp_path / "toy"


def test_a_folder_is_counted(task: Path, capsys) -> None:
    assert run(["data", "show", str(task)]) == 0
    told = capsys.readouterr().out
    assert "citation: [Someone] 2020" in told
    assert "train     3     1     2  40 40 80  0.00 0.50 1.00  12.50%" in told
    assert "1 rows have a sequence in train and test, on either strand" in told
    assert f"shut: {'ACGT' * 15}… (a)" in told
    assert max(map(len, told.splitlines()[:-1])) <= 80


def test_a_folder_as_json(task: Path, capsys) -> None:
    assert run(["data", "show", str(task), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["splits"]["train"]["classes"] == {"shut": 1, "open": 2}
    assert card["splits"]["train"]["bases"] == [40, 40, 80]
    assert card["splits"]["train"]["unknown"] == pytest.approx(20 / 160)
    assert card["shared"] == {"train and test": 1}
    assert [example["id"] for example in card["examples"]] == ["a", "b", "c"]


def test_a_named_set_tells_its_source_and_terms(capsys) -> None:
    assert run(["data", "show", "prom_300_tata"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("gue/prom_300_tata\n")
    assert "licence: Apache-2.0" in told
    assert "train: 4,904 rows, https://raw.githubusercontent.com/wds-seu/DeepGene/" in told
    assert run(["data", "show", "prom_300_tata", "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["files"]["test"]["rows"] == 613
    assert entry["files"]["test"]["mirror"] == "gue/prom/prom_300_tata/test.csv"


@pytest.mark.parametrize("name", ["gue/tf9", "tests"])
def test_what_is_neither_is_one_line(
    name: str, capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["data", "show", name]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1


def test_tasks_of_tracks_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"track{n}" for n in range(20))
    rows = {"id": ["a", "b"], "sequence": ["ACGT", "GGCC"]}
    peaks = pl.DataFrame({**rows, "label": pl.Series([[0, 13], [2]], dtype=pl.List(pl.UInt16))})
    values = pl.DataFrame({**rows, "label": [[0.25, None], [None, 1.0]]})
    spec = TaskSpec(name="peaks", label_kind="multilabel", classes=names)
    write_task(tmp_path / "peaks", spec, {"train": peaks})
    spec = TaskSpec(name="values", label_kind="regression", classes=names[:2])
    write_task(tmp_path / "values", spec, {"train": values})
    assert run(["data", "show", str(tmp_path / "peaks")]) == 0
    told = capsys.readouterr().out
    assert "20 tracks: track0, " in told
    assert "1.50" in told
    assert "track0, track13: ACGT (a)" in told
    assert run(["data", "show", str(tmp_path / "values")]) == 0
    assert "0.25, unknown: ACGT (a)" in capsys.readouterr().out
    assert run(["data", "show", str(tmp_path / "values"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["splits"]["train"]["classes"] == {"track0": 1, "track1": 1}


def test_a_page_is_drawn_with_the_audit(task: Path, tmp_path: Path, capsys) -> None:
    assert run(["data", "show", str(task)]) == 0
    assert f"audit: none yet; attendna data audit {task}" in capsys.readouterr().out
    out = tmp_path / "card.html"
    assert run(["data", "show", str(task), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["audit"] == "leaks"
    assert "[Someone] 2020" in out.read_text(encoding="utf-8")
    assert run(["data", "show", str(task), "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["data", "show", "prom_300_tata", "--out", str(tmp_path / "x.html")]) == 2
    assert "get it first: attendna data get gue/prom_300_tata" in capsys.readouterr().err
