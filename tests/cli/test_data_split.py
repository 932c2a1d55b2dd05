import json
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run
from attendna.core.config import read_yaml
from attendna.genome.contigs import plain_name
from attendna.tasks.store import open_task


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


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """Rows on five chromosomes, of which every second row spells the name without ``chr``."""
    random = np.random.default_rng(0)
    lines = ["sequence,label,chrom,start,end"]
    for row in range(100):
        text = "".join(random.choice(list("ACGT"), 40))
        chrom = ("chr" if row % 2 else "") + ("1", "2", "10", "12", "X")[row // 20]
        lines.append(f"{text},{row // 2 % 2},{chrom},{100 * row},{100 * row + 40}")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    assert run(["data", "import", str(path), "--out", str(tmp_path / "task")]) == 0
    return tmp_path / "task"


def test_it_is_printed_and_written_which_chromosome_went_where(
    placed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = placed.parent / "dealt"
    words = ["data", "split", str(placed), "--by", "chromosome", "--out", str(out)]
    shares = ["--valid-fraction", "0.2", "--test-fraction", "0.2"]
    assert run([*words, *shares]) == 0
    record = read_yaml(out / "split.yaml")["chromosomes"]
    names = [name.removeprefix("chr") for names in record.values() for name in names]
    assert sorted(names) == ["1", "10", "12", "2", "X"]
    told = "; ".join(f"{split}: {', '.join(names)}" for split, names in record.items())
    assert told in " ".join(capsys.readouterr().err.split())
    assert read_yaml(out / "task.yaml")["splits"].endswith(told)
    task = open_task(out)
    for split, names in record.items():
        there = {plain_name(name) for name in task.read(split).frame["chrom"]}
        assert there == set(map(plain_name, names))


@pytest.mark.parametrize(
    "lists",
    [
        ["--valid-chromosomes", "chr10,chr12", "--test-chromosomes", "X"],
        ["--valid-chromosomes", "10", "--valid-chromosomes", "CHR12", "--test-chromosomes", "chrx"],
        ["--valid-chromosomes", "chr10, 12", "--test-chromosomes", "X"],
    ],
)
def test_chromosomes_may_be_listed_either_way(placed: Path, lists: list[str]) -> None:
    out = placed.parent / "listed"
    assert run(["data", "split", str(placed), "--by", "chromosome", *lists, "--out", str(out)]) == 0
    assert open_task(out).spec.rows == {"train": 40, "valid": 40, "test": 20}


@pytest.mark.parametrize(
    ("lists", "complaint"),
    [
        (["--test-chromosomes", "chr99,chr10"], "no row lies on chr99; there are"),
        (["--test-chromosomes", ""], "the list is empty"),
        (
            ["--test-chromosomes", "chr10", "--valid-chromosomes", "chr2,10"],
            "chromosome 10 is in valid and test",
        ),
    ],
)
def test_lists_that_cannot_be_are_one_line(
    placed: Path, lists: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = placed.parent / "none"
    assert run(["data", "split", str(placed), "--by", "chromosome", *lists, "--out", str(out)]) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())
    assert not out.exists()
