import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.training.learnable import learnable

from attendna.cli.main import run
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task, open_task


def embed(*words: object) -> int:
    return run(["embed", *map(str, words)])


def test_a_task_becomes_vectors(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.parquet"
    words = (planted.folder, "--split", "valid", "--out", out, "--json")
    assert embed(runs[0], *words, "--device", "cpu") == 0
    assert json.loads(capsys.readouterr().out)["width"] == 32
    frame = pl.read_parquet(out)
    valid = open_task(planted.folder).read("valid")
    assert tuple(frame["id"]) == valid.ids
    wanted = Predictor.load(runs[0], "cpu").embed(valid.sequences)
    np.testing.assert_array_equal(frame["embedding"].to_numpy(), wanted)


def test_a_file_is_read_in_segments(runs: tuple[Path, Path], tmp_path: Path) -> None:
    source = tmp_path / "a.fa"
    source.write_text(f">long\n{'ACGTT' * 100}\n")
    out = tmp_path / "a.parquet"
    assert embed(runs[0], source, "--segment", 40, "--out", out) == 0
    assert pl.read_parquet(out).schema["embedding"] == pl.Array(pl.Float32, 13 * 32)


def test_pairs_become_two_columns(runs: tuple[Path, Path], tmp_path: Path) -> None:
    task = learnable(tmp_path / "task", "binary", ("no", "yes"), paired=True, rows=(8, 4, 4))
    assert embed(runs[0], task.folder, "--out", tmp_path / "a.parquet") == 0
    columns = ["id", "embedding", "embedding_alternative"]
    assert pl.read_parquet(tmp_path / "a.parquet").columns == columns


def test_wrong_input_is_one_line(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.parquet"
    source = tmp_path / "a.fa"
    source.write_text(">a\nACGT\n>b\nACGTACGTACGTACGTACGTACGTACGT\n")
    for words, told in (
        ((runs[0], source, "--out", tmp_path / "a.npy"), "use .parquet"),
        ((tmp_path, source, "--out", out), "no trained model is there"),
        ((runs[0], source, "--segment", 10, "--out", out), "give sequences of one length"),
    ):
        assert embed(*words) == 2
        message = capsys.readouterr().err.strip()
        assert told in message
        assert len(message.splitlines()) == 1
    assert not out.exists()
