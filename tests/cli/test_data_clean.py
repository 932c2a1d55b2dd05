import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.cli.main import run
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task


def test_what_was_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = {"train/a": apart(30), "train/b": apart(30, 50)}
    tables |= {"test/a": apart(20), "test/b": apart(20, 90)}
    source, out = str(write_intervals(tmp_path / "leaky", tables)), tmp_path / "clean"
    assert run(["data", "clean", source, "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert "left out 20 of test (duplicate)" in said
    assert "rows moved, in 80 groups" in said
    words = ["data", "clean", source, "--out", str(out)]
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*words, "--force", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["duplicates"], found["out"]) == (20, str(out))
    assert run(["data", "audit", str(out), "--json"]) == 0
    assert {s["level"] for s in json.loads(capsys.readouterr().out)["splits"]} == {"clean"}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A task of 12 training rows, 2 of which are short and 2 have an N, and of 6 test rows."""
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACGT"), 60)) for _ in range(18)]
    texts[0], texts[1], texts[12] = texts[0][:40], texts[1][:40], texts[12][:40]
    texts[2], texts[3] = texts[2][:30] + "N" + texts[2][31:], "N" + texts[3][1:]
    texts[4] = texts[13]
    frame = pl.DataFrame(
        {"id": [f"r{n}" for n in range(18)], "sequence": texts, "label": [0, 0, 1] * 6}
    )
    spec = TaskSpec(name="published", label_kind="binary", classes=("no", "yes"))
    write_task(tmp_path / "task", spec, {"train": frame[:12], "test": frame[12:]})
    return tmp_path / "task"


SIFT = ("--keep-splits", "--min-length", "50", "--acgt", "--balance")


def test_published_cleaning_leaves_the_test_rows_alone(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clean"
    assert run(["data", "clean", str(published), "--out", str(out), *SIFT]) == 0
    said = capsys.readouterr().err
    assert "train 12 to 6, test 6 to 6 rows" in said
    assert "left out 1 of train (in test)" in said
    assert (out / "test.parquet").read_bytes() == (published / "test.parquet").read_bytes()
    assert run(["data", "show", str(out)]) == 0
    shown = capsys.readouterr().out
    for reason in ("2 of train (shorter than 50 bases)", "2 of train (unknown bases)"):
        assert reason in said
        assert reason in shown
    assert "test split" not in shown


def test_a_test_split_that_was_sifted_is_told(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clean"
    words = ["data", "clean", str(published), "--out", str(out), *SIFT, "--also-test"]
    assert run([*words, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["left_out"]["shorter than 50 bases"] == {"train": 2, "test": 1}
    assert record["after"]["test"] == 4
    assert run(["data", "show", str(out), "--out", str(tmp_path / "page.html")]) == 0
    told = "the test split was sifted as the others were, and is not the original"
    assert told in capsys.readouterr().out
    assert told in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--also-test"], "--also-test alone changes nothing"),
        (["--keep-splits", "--flank", "10"], "a flank moves rows"),
        (["--keep-splits", "--min-length", "61"], "nothing is left of the train split"),
        (["--min-length", "0"], "--min-length"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str],
    said: str,
    published: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "clean", str(published), "--out", str(tmp_path / "clean"), *words]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert said in error[0]
    assert not (tmp_path / "clean").exists()
