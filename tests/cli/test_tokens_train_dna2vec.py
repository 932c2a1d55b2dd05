"""``attendna tokens train-dna2vec`` as a person types it."""

import json
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run
from attendna.tokens.dna2vec import read_vectors

VERB = ["tokens", "train-dna2vec"]


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    bases = np.random.default_rng(0).choice(list("ACGT"), 6_000)
    path.write_text(f">x\n{''.join(bases)}\n")
    return path


def test_vectors_are_learned_and_described(
    genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [*VERB, "--genome", str(genome), "--out", str(out)]
    small = ["--k-min", "2", "--k-max", "3", "--dimensions", "4", "--window", "2", "--epochs", "1"]
    assert run([*command, *small]) == 0
    told = capsys.readouterr()
    assert not told.out
    assert "vectors of 16 2-mers, 64 3-mers" in told.err
    assert "from 6,000 bases of genome.fa" in told.err
    assert read_vectors(out, 3).matrix.shape == (65, 4)
    assert run([*command, *small]) == 2
    assert "exists" in capsys.readouterr().err
    more = ["--format", "binary", "--one-strand", "--negative", "2", "--seed", "3", "--force"]
    assert run([*command, *small, *more, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["words"] == {"2": 16, "3": 64}
    assert result["settings"]["both_strands"] is False
    assert (result["settings"]["negative"], result["settings"]["seed"]) == (2, 3)
    assert sorted(path.name for path in out.iterdir()) == [
        ".attendna.json", "card.yaml", "vectors.bin",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--genome", "none.fa"], "none.fa: no such file"),
        (["--k-min", "5", "--k-max", "4"], "k_min 5 is more than k_max 4"),
        (["--k-max", "9"], "k_max"),
        (["--min-count", "100000"], "6,000 bases hold no word 100000 times"),
        (["--format", "json"], "--format"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    genome: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    command = [*VERB, "--genome", str(genome), "--out", str(tmp_path / "out"), *options]
    assert run(command) == 2
    told = capsys.readouterr()
    assert not told.out
    assert message in told.err
    assert told.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["genome.fa"]
