"""``attendna tokens train-bpe`` as a person types it."""

import json
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run
from attendna.tokens.bpe_vocabulary import Vocabulary

VERB = ["tokens", "train-bpe"]


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    bases = np.random.default_rng(0).choice(list("ACGT"), 6_000)
    path.write_text(f">x\n{''.join(bases)}\n")
    return path


def test_words_are_learned_and_described(
    genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [*VERB, "--genome", str(genome), "--out", str(out)]
    assert run([*command, "--vocabulary", "100"]) == 0
    told = capsys.readouterr()
    assert not told.out
    assert "100 words, of 2.91 bases" in told.err
    assert "from 6,000 bases of genome.fa" in told.err
    assert len(Vocabulary.read(out).words) == 100
    assert run([*command, "--vocabulary", "100"]) == 2
    assert "exists" in capsys.readouterr().err
    more = ["--genome", str(genome), "--one-strand", "--seed", "3", "--bases", "5000", "--force"]
    assert run([*command, *more, "--json", "--min-count", "3"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["genomes"]) == 2
    assert result["settings"]["both_strands"] is False
    assert (result["settings"]["min_count"], result["settings"]["seed"]) == (3, 3)
    assert result["words"] < 16_384
    assert 3_000 < result["bases_read"] < 7_000
    assert run([*command, "--force"]) == 0
    assert "16,384 were asked for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--genome", "none.fa"], "none.fa: no such file"),
        (["--vocabulary", "9"], "vocabulary"),
        (["--min-count", "100000"], "no two of 6,000 bases stand together 100000 times"),
        (["--bases", "0"], "bases"),
        (["--seed", "x"], "--seed"),
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
