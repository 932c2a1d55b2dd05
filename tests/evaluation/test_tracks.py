"""Measuring and comparing models of tracks, from the command line too."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from tests.planted import forget_digests, plant
from tests.training.track_tasks import SMALL, write_task

from attendna.cli.main import run
from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.evaluation.compare import compare
from attendna.evaluation.evaluate import evaluate
from attendna.evaluation.tracks import compare_tracks, evaluate_tracks, measure
from attendna.models.track_checkpoint import load_tracks
from attendna.prediction.track_records import Records, Window
from attendna.tasks.tracks import open_track_task
from attendna.training.tracks.config import TrackRunConfig
from attendna.training.tracks.train import train_tracks

pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    write_task(folder / "human", masked=True)
    for name, seed in (("one", 0), ("two", 1)):
        config = parse(TrackRunConfig, SMALL | {"seed": seed}, "test")
        train_tracks(config, {"human": folder / "human"}, folder / name, progress=False)
    return folder


def test_every_number_is_that_of_the_values(folder: Path) -> None:
    tasks = {"human": folder / "human"}
    found = evaluate_tracks(folder / "one", tasks, precision="fp32", resamples=50)["human"]
    assert set(found.assays["precision"]) == {"fp32"}
    header, model = load_tracks(folder / "one")
    task = open_track_task(folder / "human")
    records = Records(task, "test", Window.of(model, header.window))
    rows = np.arange(len(records))
    with torch.inference_mode():
        predicted = model(torch.from_numpy(records.sequences(rows)), "human").numpy()
    observed = records.targets(rows)
    assert np.isnan(observed).any()
    known = ~np.isnan(observed[..., 0])
    tracks = {
        metric: part["value"].to_list()
        for (metric,), part in found.tracks.group_by("metric", maintain_order=True)
    }
    assert set(tracks) == {"pearson", "log_pearson", "spearman"}
    from scipy import stats

    for track in range(3):
        x, y = predicted[..., track][known], observed[..., track][known]
        assert tracks["pearson"][track] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-5)
        assert tracks["spearman"][track] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-6)
        logs = np.corrcoef(np.log1p(x), np.log1p(y))[0, 1]
        assert tracks["log_pearson"][track] == pytest.approx(logs, abs=1e-5)
    assays = found.assays.filter(pl.col("metric") == "pearson")
    assert assays["assay"].to_list() == ["CAGE", "DNase/ATAC", "all"]
    assert assays["tracks"].to_list() == [2, 1, 3]
    assert assays["value"][0] == pytest.approx(np.mean(tracks["pearson"][:2]))
    assert found.scores.height == 4 * 2
    part = known[0]
    own = [np.corrcoef(predicted[0, part, t], observed[0, part, t])[0, 1] for t in (0, 1)]
    score = found.scores.filter(pl.col("assay") == "CAGE", pl.col("id") == "test0")["score"][0]
    assert score == pytest.approx(np.mean(own), abs=1e-5)


def test_a_model_that_gives_no_numbers_is_refused(folder: Path) -> None:
    header, model = load_tracks(folder / "one")
    records = Records(open_track_task(folder / "human"), "test", Window.of(model, header.window))
    with torch.no_grad():
        for value in model.parameters():
            value.fill_(float("nan"))
    with pytest.raises(DataError, match=r"test\.zarr, row 1: the model gives nan for test0"):
        measure(model, records, "human", "test")


def test_results_are_entered_once(folder: Path) -> None:
    for _ in range(2):
        evaluate_tracks(folder / "one", {"human": folder / "human"}, resamples=5)
    evaluate_tracks(folder / "one", {"human": folder / "human"}, "valid", resamples=5)
    stored = pl.read_parquet(folder / "one" / "track_metrics.parquet")
    assert stored.height == 2 * 3 * 3
    assert set(stored["split"]) == {"test", "valid"}


def test_two_models_are_compared_record_by_record(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FolderError, match="was not evaluated"):
        compare_tracks(folder / "human", folder / "two")
    words = ["evaluate", str(folder / "two"), "--task", f"human={folder / 'human'}"]
    assert run([*words, "--resamples", "20"]) == 0
    assert "DNase/ATAC" in capsys.readouterr().out
    evaluate_tracks(folder / "one", {"human": folder / "human"}, resamples=5)
    rows = compare_tracks(folder / "one", folder / "two").rows
    assert rows["assay"].to_list() == ["CAGE", "DNase/ATAC"]
    gain = rows["second"] - rows["first"]
    assert rows["difference"].to_list() == pytest.approx(gain.to_list())
    assert ((rows["low"] <= rows["difference"]) & (rows["difference"] <= rows["high"])).all()
    itself = compare_tracks(folder / "one", folder / "one").rows
    assert itself["correlation"].to_list() == pytest.approx([1.0, 1.0])
    assert itself["as_good"].to_list() == [1.0, 1.0]
    names = [str(folder / name) for name in ("one", "two")]
    assert run(["compare", *names, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert run(["compare", *names]) == 0
    assert run(["compare", names[0]]) == 2
    assert "one run is compared with nothing" in capsys.readouterr().err


def test_tasks_of_other_tracks_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the model has no head mouse"):
        evaluate_tracks(folder / "one", {"mouse": folder / "human"})
    other = write_task(tmp_path / "other").folder
    path = other / "targets.parquet"
    pl.read_parquet(path).with_columns(identifier=pl.lit("x")).write_parquet(path)
    forget_digests(other)
    with pytest.raises(ConfigError, match="has other tracks than those the head human"):
        evaluate_tracks(folder / "one", {"human": other})


def test_the_verbs_take_heads(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    words = ["train", str(path), "--out", str(tmp_path / "run")]
    task = f"human={folder / 'human'}"
    assert run([*words, "--task", task, "--set", "trainer.steps=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    for wrong, said in (
        (["--task", task, "--task", task], "a second task of human"),
        (["--task", "2x=y"], "write HEAD=DIR"),
        (["--task", str(folder / "one")], "is not a task folder"),
    ):
        assert run([*words[:2], "--out", str(tmp_path / "new"), *wrong]) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "new").exists()


def test_a_task_of_labels_is_refused_for_a_run_of_tracks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = str(folder / "one"), str(folder / "two")
    labels = str(plant(tmp_path / "labels", rows=(8, 4, 4)).folder)
    said = f"{one} predicts tracks, {labels} is a task of labels; name a task of tracks"
    for words in (["evaluate", one], ["compare", one, two]):
        for task in (labels, f"human={labels}"):
            assert run([*words, "--task", task]) == 2
            assert capsys.readouterr().err == f"error: {said}\n"
    for measured in (evaluate, lambda run, task: compare([run, two], task)):
        with pytest.raises(ConfigError, match=r"predicts tracks, .* is a task of labels"):
            measured(one, labels)
    assert run(["compare", one, two, "--task", f"human={folder / 'human'}"]) == 2
    assert "leave --task out" in capsys.readouterr().err
    assert run(["report", one, "--task", labels, "--out", str(tmp_path / "a.html")]) == 2
    assert "its page shows no task; leave it out" in capsys.readouterr().err


def test_a_task_of_tracks_is_refused_for_a_run_of_labels(
    folder: Path,
    runs: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one, two, page = *map(str, runs), str(tmp_path / "a.html")
    tracks = str(folder / "human")
    said = f"{one} predicts labels, {tracks} is a task of tracks; name a task of labels"
    for words in (["evaluate", one], ["compare", one, two], ["report", one, "--out", page]):
        assert run([*words, "--task", tracks]) == 2
        assert capsys.readouterr().err == f"error: {said}\n"
    for words in (["evaluate", one], ["compare", one, two]):
        assert run([*words, "--task", f"human={tracks}"]) == 2
        assert "names the head of a model of tracks" in capsys.readouterr().err
