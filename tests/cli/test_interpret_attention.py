import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.cli.main import run
from attendna.tasks.store import Task
from attendna.training.run import RunConfig
from attendna.training.train import train


@pytest.fixture(scope="module")
def light(planted: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the light model."""
    settings = {
        "tokenizer": {"name": "kmer", "k": 4},
        "model": {"name": "enhancer_attention", "embedding": "learned"},
        "optimizer": {"learning_rate": 0.03},
        "trainer": {"epochs": 20, "batch_size": 32, "threads": 1, "device": "cpu"},
    }
    out = tmp_path_factory.mktemp("light") / "run"
    return train(RunConfig.model_validate(settings), planted.folder, out, progress=False)


def test_where_a_model_looks_is_written_and_scored(
    light: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = planted.path("test")
    frame = pl.read_parquet(test).filter(label=1)
    starts = frame["sequence"].str.find("TGACTCAT", literal=True).cast(pl.Int64)
    truth = frame.select("id", start=starts, end=starts + 8)
    truth.write_parquet(tmp_path / "truth.parquet")
    out = tmp_path / "out"
    words = ["interpret", "attention", str(light), str(test), "--out", str(out), "--json"]
    words += ["--truth", str(tmp_path / "truth.parquet"), "--mutate", "2", "--maps", "1"]
    assert run(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sequences"] == 60
    assert set(said["scores"]) == {"mutating bases (rank correlation)", "planted motifs (AUROC)"}
    assert said["scores"]["planted motifs (AUROC)"]["attention"] > 0.5
    assert pl.read_parquet(out / "profiles.parquet")["id"].n_unique() == 60
    with np.load(out / "maps.npz") as maps:
        assert set(maps) == {"0/0/layer0", "0/0/spans"}
    assert "Layer 1, head 1" in (out / "attention.html").read_text(encoding="utf-8")
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err


def test_a_model_without_attention_is_one_line(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = str(planted.path("test")), tmp_path / "out"
    assert run(["interpret", "attention", str(runs[0]), source, "--out", str(out)]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: cnn: a CNN has no attention")
    assert not out.exists()
