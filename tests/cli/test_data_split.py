import json
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run


@pytest.fixture
def task(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    texts = ["".join(letters) for letters in random.choice(list("ACGT"), (80, 40))]
    path = tmp_path / "rows.csv"
    path.write_text("sequence,label\n" + "\n".join(f"{t},{i % 2}" for i, t in enumerate(texts)))
    assert run(["data", "import", str(path), "--out", str(tmp_path / "task")]) == 0
    return tmp_path / "task"


def test_a_fold_is_made_and_said(task: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = task.parent / "fold"
    words = ["data", "split", str(task), "--by", "homology", "--folds", "4", "--out", str(out)]
    assert run([*words, "--fold", "2"]) == 0
    assert "train 40, valid 20, test 20 rows" in capsys.readouterr().err
    assert run([*words, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["splits"].endswith("fold 0 of 4, seed 0")


def test_what_cannot_be_is_one_line(task: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = task.parent / "none"
    assert run(["data", "split", str(task), "--by", "locus", "--out", str(out)]) == 2
    assert "without coordinates cannot be split by locus" in capsys.readouterr().err
    assert not out.exists()
