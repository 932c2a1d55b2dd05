import json
from pathlib import Path

import polars as pl
import pytest
from tests.planted import MOTIFS

from attendna.cli.main import run

TEXTS = [f"ACGTCCAT{MOTIFS[1]}GATTACACC", f"GGATCCCATTCA{MOTIFS[1]}TTAGC", "ACGATTACAGGATTACACAGT"]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "some.fa"
    path.write_text("".join(f">s{row}\n{text}\n" for row, text in enumerate(TEXTS)))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.parquet"
    starts = [text.index(MOTIFS[1]) for text in TEXTS[:2]]
    ends = [start + 8 for start in starts]
    pl.DataFrame({"id": ["s0", "s1"], "start": starts, "end": ends}).write_parquet(path)
    return path


def test_scores_and_picture_are_written_and_scored(
    runs: tuple[Path, Path],
    fasta: Path,
    truth: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["interpret", "ism", str(runs[0]), str(fasta), "--truth", str(truth)]
    assert run([*words, "--out", str(tmp_path / "a"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sequences"], found["scored"]) == (3, 2)
    assert found["bases"] == sum(map(len, TEXTS))
    assert found["base_auroc"] > 0.8
    assert pl.read_parquet(tmp_path / "a" / "scores.parquet").height == found["bases"]
    assert (tmp_path / "a" / "logo.svg").is_file()
    assert run([*words, "--out", str(tmp_path / "b"), "--limit", "1"]) == 0
    said = capsys.readouterr().err
    assert "taking the first 1 of 3 sequences; --limit takes more" in said
    assert "over 1 sequences that hold known motifs" in said


def test_wrong_input_is_one_line_and_nothing_is_written(
    runs: tuple[Path, Path], fasta: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, out = str(runs[0]), tmp_path / "out"
    short = tmp_path / "odd.fa"
    short.write_text(">a\nACGT1CGT\n")
    for words, said in (
        ([good, str(short)], "odd.fa, row 1"),
        ([good, str(fasta), "--target", "bond"], "the model has no class 'bond'"),
        ([good, str(fasta), "--truth", "none.parquet"], "none.parquet"),
        ([good, "none.fa"], "none.fa"),
        (["nowhere", str(fasta)], "nowhere"),
        ([good, str(fasta), "--limit", "0"], "--limit"),
    ):
        assert run(["interpret", "ism", *words, "--out", str(out)]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert said in error
        assert error.startswith("error: ")
        assert not out.exists()
