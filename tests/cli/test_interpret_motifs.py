import json
from pathlib import Path

import polars as pl
import pytest

from attendna.cli.main import run
from attendna.tasks.store import Task

REASON = "memelite (extra motifs) is not installed"
WORDS = {"AP1": "TGACTCAT", "SP1": "GGGCGGGG", "long": "ACGT" * 20}


@pytest.fixture
def meme(tmp_path: Path) -> str:
    """A file of three motifs: the planted one, one that is not there, and one longer than all."""
    lines = ["MEME version 4", "", "ALPHABET= ACGT", ""]
    for name, word in WORDS.items():
        lines += [f"MOTIF {name}", f"letter-probability matrix: alength= 4 w= {len(word)}"]
        lines += [" ".join(f"{base == letter:d}.0" for base in "ACGT") for letter in word]
    path = tmp_path / "some.meme"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_motifs_are_measured_listed_and_scored(
    light: Path, planted: Task, meme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("memelite", reason=REASON)
    test, out = planted.path("test"), tmp_path / "out"
    frame = pl.read_parquet(test).filter(label=1)
    starts = frame["sequence"].str.find("TGACTCAT", literal=True).cast(pl.Int64)
    truth = tmp_path / "truth.parquet"
    frame.select("id", start=starts, end=starts + 8).write_parquet(truth)
    words = ["interpret", "motifs", str(light), str(test), "--out", str(out), "--motifs", meme]
    # So many differences of a word are allowed that its shuffled columns match, too.
    words += ["--p-value", "0.005", "--resamples", "200", "--truth", str(truth)]
    assert run([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["source"] == "3 of some.meme"
    assert (said["motifs"], said["matched"]) == (3, 2)
    assert "AP1" in said["standing_out"]["importance"]
    assert "SP1" not in said["standing_out"]["importance"]
    planted_bases = said["planted"]
    assert planted_bases["importance"]["auroc"]["low"] > 0.6
    assert planted_bases["importance"]["auprc"]["low"] > planted_bases["share"]
    assert said["warning"].startswith("Attention is not attribution")
    assert "importance 0." in said["warning"]
    assert len(said["standing_out"]["attention"]) <= 1

    table = pl.read_parquet(out / "motifs.parquet")
    assert table.height == 9
    assert table.filter(motif="AP1", score="importance")["difference_low"].item() > 0
    found = pl.read_parquet(out / "matches.parquet")
    exact = found.filter(pl.col("motif") == "AP1", pl.col("p_value") < 5e-5, strand="+")
    assert set(exact.select("id", "start").iter_rows()) >= set(
        zip(frame["id"], starts, strict=True)
    )
    page = (out / "motifs.html").read_text(encoding="utf-8")
    assert "AP1" in page
    assert "not attribution" in page
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err


def test_without_truth_the_warning_is_told_on_the_terminal(
    light: Path, planted: Task, meme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("memelite", reason=REASON)
    words = ["interpret", "motifs", str(light), str(planted.path("test")), "--motifs", meme]
    words += ["--limit", "12", "--mutate", "3", "--out", str(tmp_path / "out")]
    assert run([*words, "--resamples", "50"]) == 0
    told = capsys.readouterr().err
    assert "taking the first 12 of 60 sequences" in told
    assert "standing out by attention, above their shuffled columns: 0" in told
    assert "warning: Attention is not attribution" in told
    assert "What the truth is of these sequences is not known" in told


def test_what_cannot_be_done_is_one_line(
    light: Path,
    runs: tuple[Path, Path],
    planted: Task,
    meme: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("memelite", reason=REASON)
    test, out = str(planted.path("test")), tmp_path / "out"
    empty, short = tmp_path / "empty.meme", tmp_path / "short.fa"
    empty.write_text("MEME version 4\n\nALPHABET= ACGT\n")
    short.write_text(">a\nACGTACG\n>b\nACGTA\n")
    plain = tmp_path / "plain.fa"
    plain.write_text(">a\n" + "A" * 30 + "\n")
    cases = [
        (light, test, "no.meme", "no such file"),
        (light, test, str(empty), "there is no motif in it"),
        (light, test, test, "NUL byte"),
        (light, str(short), meme, "shortest motif has 8 bases, the longest sequence 7"),
        (light, str(plain), meme, "no motif matches at a p-value of 0.0001"),
        (runs[0], test, meme, "a CNN has no attention"),
    ]
    for folder, source, motifs, expected in cases:
        words = ["interpret", "motifs", str(folder), source, "--motifs", motifs]
        assert run([*words, "--out", str(out)]) == 2
        *_, error = capsys.readouterr().err.splitlines()
        assert error.startswith("error: ")
        assert expected in error
        assert not out.exists()
