"""Training on tracks: it learns, resumes to the same bits, starts from others, and refuses."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from tests.genome.genome_files import write_genome
from tests.training.track_tasks import SMALL, genome_of, write_task

from attendna.core.config import parse
from attendna.core.errors import ConfigError, FolderError, UserError
from attendna.evaluation.tracks import evaluate_tracks
from attendna.genome.alphabet import decode
from attendna.models.enformer import Enformer
from attendna.models.track_checkpoint import load_tracks
from attendna.training.tracks.batches import TrackBatch, TrackBatches
from attendna.training.tracks.config import TrackRunConfig
from attendna.training.tracks.train import train_tracks

pytest.importorskip("zarr")


def settings(**changes: Any) -> TrackRunConfig:
    tree = {key: dict(value) for key, value in SMALL.items()}
    for key, value in changes.items():
        tree[key] = tree.get(key, {}) | value if isinstance(value, dict) else value
    return parse(TrackRunConfig, tree, "test")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tasks")
    return {h: write_task(folder / h, seed).folder for seed, h in enumerate(("human", "mouse"))}


@pytest.fixture(scope="module")
def run(tasks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tracks(settings(), tasks, tmp_path_factory.mktemp("r") / "run", progress=False)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_tracks(folder)[1].state_dict()


def test_it_learns_what_there_is(tasks: dict[str, Path], tmp_path: Path) -> None:
    longer = settings(trainer={"steps": 150, "ema": 0.1})
    out = train_tracks(longer, tasks, tmp_path / "run", progress=False)
    found = evaluate_tracks(out, tasks)
    for result in found.values():
        pearson = result.tracks.filter(pl.col("metric") == "pearson")
        assert pearson["value"].min() > 0.6
        assert (pearson["low"] <= pearson["value"]).all()
        assert (pearson["value"] <= pearson["high"]).all()


def test_a_run_says_what_it_is(run: Path, tasks: dict[str, Path]) -> None:
    header, model = load_tracks(run)
    assert (header.window, header.bin_size) == (384, 8)
    assert [track.assay for track in header.heads["mouse"]] == ["CAGE", "CAGE", "DNase/ATAC"]
    assert header.tasks == {"human": "human", "mouse": "mouse"}
    assert dict(model.tracks) == {"human": 3, "mouse": 3}
    log = pl.read_csv(run / "log.csv")
    assert log["step"].to_list() == [4, 8, 12]
    assert {"valid_loss", "valid_pearson_human"} <= set(log.columns)
    # The test records were never opened: without them the training is the same.
    for folder in tasks.values():
        assert (folder / "test.zarr").is_dir()


def test_the_test_records_are_not_needed(run: Path, tasks: dict[str, Path], tmp_path: Path) -> None:
    without = {head: tmp_path / head for head in tasks}
    for head, folder in tasks.items():
        shutil.copytree(folder, without[head])
        shutil.rmtree(without[head] / "test.zarr")
    again = train_tracks(settings(), without, tmp_path / "run", progress=False)
    assert all(torch.equal(v, weights(again)[n]) for n, v in weights(run).items())


@pytest.mark.parametrize("number", [5, 9])
def test_it_goes_on_to_the_same_bits(
    run: Path,
    tasks: dict[str, Path],
    tmp_path: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    get: Callable[..., TrackBatch] = TrackBatches.__getitem__

    def broken(self: TrackBatches, wanted: int) -> TrackBatch:
        if wanted == number:
            raise RuntimeError("the lights went out")
        return get(self, wanted)

    config = settings(trainer={"save_every": 0.0})
    with monkeypatch.context() as patch:
        patch.setattr(TrackBatches, "__getitem__", broken)
        with pytest.raises(RuntimeError, match="the lights went out"):
            train_tracks(config, tasks, tmp_path / "run", progress=False)
    again = train_tracks(config, tasks, tmp_path / "run", resume=True, progress=False)
    whole = train_tracks(config, tasks, tmp_path / "whole", progress=False)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name
    assert train_tracks(config, tasks, again, resume=True, progress=False) == again


def test_nothing_but_attention_is_trained(
    run: Path, tasks: dict[str, Path], tmp_path: Path
) -> None:
    config = settings(start={"run": str(run)}, train="attention")
    tuned = train_tracks(config, tasks, tmp_path / "run", progress=False)
    before, after = weights(run), weights(tuned)
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".attention." in name for name in changed)


def test_sparse_attention_learns_what_dense_attention_gives(
    tasks: dict[str, Path], tmp_path: Path
) -> None:
    dense = settings(model={"attention": {"heads": 2, "key_width": 4}})
    teacher = train_tracks(dense, tasks, tmp_path / "dense", progress=False)
    config = settings(
        start={"run": str(teacher)},
        train="attention",
        distillation={"alone": True},
        trainer={"steps": 40, "monitor": "loss"},
    )
    out = train_tracks(config, tasks, tmp_path / "run", progress=False)
    log = pl.read_csv(out / "log.csv")
    assert log["train_loss"][-1] < log["train_loss"][0]
    assert log["train_loss"][0] < 2.0


def test_layers_become_sparse_one_by_one(tasks: dict[str, Path], tmp_path: Path) -> None:
    from attendna.training.tracks.module import swap

    model = settings().model.build({"x": 1})
    assert isinstance(model, Enformer)
    swap(model, 1)
    assert [block.attention.dense for block in model.blocks] == [False, True]
    out = train_tracks(settings(swap_every=4), tasks, tmp_path / "run", progress=False)
    assert (out / "model.safetensors").is_file()


def test_longer_windows_come_from_the_genome(tasks: dict[str, Path], tmp_path: Path) -> None:
    genomes = {}
    for seed, head in enumerate(tasks):
        (tmp_path / head).mkdir()
        contigs = {"chr1": decode(genome_of(seed))}
        genomes[head] = str(write_genome(tmp_path / head, contigs, "fa"))
    config = settings(window=512, genomes=genomes)
    out = train_tracks(config, tasks, tmp_path / "run", progress=False)
    assert load_tracks(out)[0].window == 512
    with pytest.raises(ConfigError, match="name the genome in genomes"):
        evaluate_tracks(out, tasks)
    paths = {head: Path(path) for head, path in genomes.items()}
    assert set(evaluate_tracks(out, tasks, genomes=paths)) == set(tasks)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model": {"bins": 33}}, "set model.bins=32"),
        ({"model": {"bins": 60}}, "60 are to be predicted"),
        ({"window": 390}, "no whole number of bins"),
        ({"window": 512}, "name the genome in genomes"),
        ({"genomes": {"rat": "x.fa"}}, "there is no head rat"),
    ],
)
def test_what_does_not_fit_is_refused(
    tasks: dict[str, Path], tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        train_tracks(settings(**changes), tasks, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_weights_of_another_size_are_refused(
    run: Path, tasks: dict[str, Path], tmp_path: Path
) -> None:
    config = settings(start={"run": str(run)}, model={"width": 48})
    with pytest.raises(ConfigError, match=r"start: .* is 12 x 4 x 15, and the model's is 24 x"):
        train_tracks(config, tasks, tmp_path / "run", progress=False)


def test_other_settings_are_not_resumed(run: Path, tasks: dict[str, Path]) -> None:
    with pytest.raises(FolderError, match="was begun with seed=0, not 1"):
        train_tracks(settings(seed=1), tasks, run, resume=True, progress=False)
