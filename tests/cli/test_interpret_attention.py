import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.cli.main import run
from attendna.core.config import parse
from attendna.models.enformer import EnformerConfig
from attendna.models.track_checkpoint import Track, TrackCheckpoint, save_tracks
from attendna.tasks.store import Task


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


def test_a_run_of_tracks_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = {
        "width": 12, "depth": 2, "stages": 3, "multiple": 2, "bins": 20,
        "attention": {"heads": 2, "key_width": 4, "sparse": {"block": 4, "random": 1}},
    }  # fmt: skip
    config = parse(EnformerConfig, tree, "test")
    track = Track(identifier="t", description="", assay="CAGE")
    header = TrackCheckpoint(
        run_id="r", model=config, window=320, bin_size=8, heads={"human": (track,)}
    )
    folder = tmp_path / "run"
    folder.mkdir()
    save_tracks(folder, header, header.build())
    codes = np.random.default_rng(0).integers(0, 4, (2, 320))
    texts = ["".join("ACGT"[code] for code in row) for row in codes]
    source, out = tmp_path / "in.fa", tmp_path / "out"
    source.write_text("".join(f">{row}\n{text}\n" for row, text in enumerate(texts)))
    words = ["interpret", "attention", str(folder), str(source), "--out", str(out)]
    assert run([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["scores"] == {}
    assert "no base is mutated" in said.err
    with np.load(out / "maps.npz") as maps:
        assert maps["1/0/layer1"].shape == (2, 40, 40)
        assert (maps["1/0/layer1"] == 0).any()
    profiles = pl.read_parquet(out / "profiles.parquet").group_by("id").agg(pl.sum("rollout"))
    assert profiles["rollout"].to_numpy() == pytest.approx([1, 1], abs=1e-4)
    assert "Layer 2, head 2" in (out / "attention.html").read_text(encoding="utf-8")
    source.write_text(f">short\n{texts[0][:-1]}\n")
    assert run([*words, "--force"]) == 2
    assert "row 1: 319 bases are no whole number of bins of 8" in capsys.readouterr().err
