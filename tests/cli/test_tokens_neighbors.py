"""``attendna tokens neighbors`` as a person types it."""

import json
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run
from attendna.genome.kmers import all_kmers

VERB = ["tokens", "neighbors"]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    matrix = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", matrix)
    return tmp_path / "vectors.npy"


def test_neighbors_of_words_are_shown(vectors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*VERB, str(vectors), "--word", "gat", "--word", "AAA", "--count", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["GAT", "AAA"]
    assert len(lines[0].split()) == 5
    assert run([*VERB, str(vectors), "--word", "GAT", "--count", "99", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["GAT"]
    assert set(shown) == set(all_kmers(3)) - {"GAT"}
    assert list(shown.values()) == sorted(shown.values(), reverse=True)


def test_two_sources_are_compared(
    vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*VERB, str(vectors), "--against", str(vectors), "--k", "3"]) == 0
    assert "1.000" in capsys.readouterr().out
    table = tmp_path / "pairs.csv"
    table.write_text("kmer1,kmer2\nAAA,AAC\nAAC,AAG\n")
    assert run([*VERB, str(vectors), "--against", str(table), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["k"], found["words"]) == (3, 2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "add --word or --against"),
        (["--word", "GAN"], "no word of 1 to 8 bases"),
        (["--word", "GA"], "64 rows, but there are 16 2-mers"),
        (["--against", "VECTORS"], "say which to compare"),
        (["--against", "TABLE", "--k", "4"], "has no 4-mers"),
        (["--against", "missing.csv"], "missing.csv"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    vectors: Path,
    tmp_path: Path,
    more: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "pairs.csv").write_text("kmer1,kmer2\nAAA,AAC\n")
    places = {"VECTORS": str(vectors), "TABLE": str(tmp_path / "pairs.csv")}
    assert run([*VERB, str(vectors), *(places.get(word, word) for word in more)]) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "\n" not in told
