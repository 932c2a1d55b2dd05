import json
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from tests.planted import forget_digests, plant
from tests.training.conftest import small

from attendna.core.errors import ConfigError, DataError, FolderError, UserError
from attendna.evaluation.calibration import choose_threshold
from attendna.models.checkpoint import load
from attendna.prediction.predictor import Predictor
from attendna.training.run import RunConfig, RunFolder
from attendna.training.train import train

FOLDER = {
    ".attendna.json", "checkpoints", "environment.json", "log.csv", "metrics.json",
    "model.safetensors", "predictions.parquet", "run.yaml", "tensorboard",
}  # fmt: skip
OPENED: list[str] = []
"""Paths opened by Python while a test watches; a hook cannot be taken out again."""
_watching = False


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "open":
        OPENED.append(str(arguments[0]))


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The paths opened from here on."""
    global _watching  # noqa: PLW0603
    if not OPENED:
        sys.addaudithook(_note)
    OPENED.clear()
    _watching = True
    yield OPENED
    _watching = False


@pytest.fixture(scope="module")
def trained(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("runs") / "run"
    return train(small(strands="conjoined"), task, out, progress=False)


def test_the_run_folder_is_whole(trained: Path, task: Path) -> None:
    assert {path.name for path in trained.iterdir()} == FOLDER
    assert RunConfig.read(trained / "run.yaml") == small(strands="conjoined").for_metric("mcc")
    rows = json.loads((trained / "metrics.json").read_text())
    assert {row["split"] for row in rows} == {"valid"}
    assert {row["n"] for row in rows} == {120}
    ids = json.loads((trained / "environment.json").read_text())["run_id"]
    assert {row["run"] for row in rows} == {ids}


def test_the_threshold_is_chosen_on_the_validation_rows_and_stored(trained: Path) -> None:
    frame = pl.read_parquet(trained / "predictions.parquet")
    assert frame["split"].unique().to_list() == ["valid"]
    wanted = choose_threshold(frame["label"].to_numpy(), frame["bound"].to_numpy(), "mcc")
    assert load(trained)[0].threshold == wanted


def test_the_published_model_is_the_best_one(trained: Path, task: Path) -> None:
    header, model = load(trained)
    best_header, best = load(RunFolder(trained).best)
    assert header.replace(threshold=0.5) == best_header
    for name, value in best.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    valid = pl.read_parquet(task / "valid.parquet")
    from attendna.genome.sequences import SequenceBatch

    values = Predictor(header, model, "cpu", "fp32").predict(
        SequenceBatch.from_text(valid["sequence"])
    )
    stored = pl.read_parquet(trained / "predictions.parquet")["bound"].to_numpy()
    assert np.array_equal(values.values[:, 0], stored)


def test_the_test_rows_are_never_opened(tmp_path: Path, opened: list[str]) -> None:
    folder = plant(tmp_path / "task").folder
    # Libraries that open files without Python are not seen by the hook: they would stumble here.
    (folder / "test.parquet").write_bytes(b"not to be read")
    opened.clear()
    config = small(variants=[{"name": "only", "set": {"strands": "single"}}])
    train(config, folder, tmp_path / "run", progress=False)
    assert any(path.endswith("train.parquet") for path in opened)
    assert not [path for path in opened if "test.parquet" in path]


def test_training_needs_no_test_rows(tmp_path: Path, trained: Path, task: Path) -> None:
    folder = plant(tmp_path / "task").folder
    (folder / "test.parquet").unlink()
    train(small(strands="conjoined"), folder, tmp_path / "run", progress=False)
    one, other = (path / "model.safetensors" for path in (tmp_path / "run", trained))
    assert one.read_bytes() == other.read_bytes()


def test_the_device_precision_and_threads_are_said_aloud(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(small(), task, tmp_path / "run")
    out, said = capsys.readouterr()
    first, *rest = said.splitlines()
    assert first.startswith("device cpu (")
    assert "precision fp32, threads 1" in first
    assert rest[-1].startswith("valid_mcc 0.")
    assert out == ""
    assert not any("Lightning" in line or "Tip" in line for line in rest)


def test_a_finished_run_is_left_as_it_is(
    trained: Path, task: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    train(small(strands="conjoined"), task, trained, resume=True)
    assert "is finished, there is nothing to resume" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def test_what_was_lost_after_training_is_made_again(
    trained: Path, task: Path, tmp_path: Path
) -> None:
    wanted = (trained / "model.safetensors").read_bytes()
    import shutil

    run = tmp_path / "run"
    shutil.copytree(trained, run)
    for name in ("model.safetensors", "metrics.json"):
        (run / name).unlink()
    train(small(strands="conjoined"), task, run, resume=True, progress=False)
    assert (run / "model.safetensors").read_bytes() == wanted
    assert {path.name for path in run.iterdir()} == FOLDER


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "pickle", "other rows"])
def test_a_state_that_cannot_be_gone_on_with_is_one_line(
    trained: Path, task: Path, tmp_path: Path, damage: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / "model.safetensors").unlink()
    last = run / "checkpoints" / "last.ckpt"
    whole = last.read_bytes()
    if damage == "pickle":
        last.write_bytes(pickle.dumps(Path("x")))
    elif damage in ("foreign", "other rows"):
        state = torch.load(last, weights_only=True)
        for callback in state["callbacks"].values():
            if "rows" in callback:
                callback["rows"] = [{"step": 7.0}]
        torch.save({"x": 1} if damage == "foreign" else state, last)
    else:
        last.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")
    with pytest.raises(FolderError, match=r"last\.ckpt is damaged, or of another training; remove"):
        train(small(strands="conjoined"), task, run, resume=True, progress=False)
    last.unlink()
    train(small(strands="conjoined"), task, run, resume=True, progress=False)


def test_resume_begins_where_nothing_was_begun(task: Path, tmp_path: Path) -> None:
    run = train(small(), task, tmp_path / "run", resume=True, progress=False)
    assert RunFolder(run).finished


def test_a_run_is_replaced_by_force_only(task: Path, tmp_path: Path) -> None:
    run = train(small(), task, tmp_path / "run", progress=False)
    with pytest.raises(FolderError, match="exists"):
        train(small(seed=1), task, run, progress=False)
    with pytest.raises(FolderError, match="begun with seed=0, not 1"):
        train(small(seed=1), task, run, resume=True, progress=False)
    train(small(seed=1), task, run, force=True, progress=False)
    assert RunConfig.read(run / "run.yaml").seed == 1


def test_the_best_variant_is_trained_with_all_its_members(task: Path, tmp_path: Path) -> None:
    config = small(
        members=2,
        trainer={"monitor": "loss"},
        probe={"share": 0.5},
        variants=[
            {"name": "still", "set": {"optimizer.learning_rate": 1e-9}},
            {"name": "moving", "set": {"optimizer.learning_rate": 0.02, "strands": "single"}},
        ],
    )
    run = train(config, task, tmp_path / "run", progress=False)
    header, _ = load(run)
    assert json.loads((run / "search.json").read_text())["chosen"] == ["moving"]
    assert (header.strands, len(header.model.members)) == ("single", 2)
    assert header.run_id == json.loads((run / "environment.json").read_text())["run_id"]
    assert RunConfig.read(run / "run.yaml") == config
    assert not (run / "search" / "moving" / "checkpoints").exists()
    logs = [
        pl.read_csv(run / place / "log.csv")
        for place in (".", "members/moving-1", "members/moving-2")
    ]
    assert logs[0]["step"].to_list() == logs[1]["step"].to_list() == [8, 16, 24]
    mean = (logs[1]["valid_loss"] + logs[2]["valid_loss"]) / 2
    assert logs[0]["valid_loss"].to_list() == pytest.approx(mean.to_list())


def test_probes_of_the_whole_length_are_members_already(task: Path, tmp_path: Path) -> None:
    config = small(
        members=3,
        trainer={"epochs": 1},
        probe={"share": 1, "tie": 1e6},
        variants=[{"name": name, "set": {"strands": name}} for name in ("conjoined", "single")],
    )
    run = train(config, task, tmp_path / "run", progress=False)
    assert load(run)[0].strands in (
        ("conjoined", "single", "conjoined"), ("single", "conjoined", "single"),
    )  # fmt: skip
    states = list((run / "members").rglob("last.ckpt"))
    assert len(states) == 3
    before = {path: path.stat().st_mtime_ns for path in states}
    (run / "model.safetensors").unlink()
    train(config, task, run, resume=True, progress=False)
    assert {path: path.stat().st_mtime_ns for path in states} == before


def test_small_sets_are_trained_with_their_own_settings(task: Path, tmp_path: Path) -> None:
    config = small(adapt=[{"rows_below": 241, "set": {"trainer.epochs": 1}}])
    run = train(config, task, tmp_path / "run", progress=False)
    assert RunConfig.read(run / "run.yaml") == small(trainer={"epochs": 1}).for_metric("mcc")
    assert len(pl.read_csv(run / "log.csv")) == 1
    train(config, task, run, resume=True, progress=False)


def test_several_classes(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task", classes=("none", "ap1", "sp1")).folder
    run = train(small(), folder, tmp_path / "run", progress=False)
    frame = pl.read_parquet(run / "predictions.parquet")
    sums = frame.select(pl.sum_horizontal("none", "ap1", "sp1")).to_series()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"tokenizer": {"name": "kmer", "k": 8}}, DataError, "row 2: .* need 8"),
        ({"trainer": {"device": "cuda:7"}}, ConfigError, "no device cuda:7"),
        ({"trainer": {"device": "abacus"}}, ConfigError, "abacus"),
        ({"augmentation": {"shift": 30}}, ConfigError, "augmentation.shift 30"),
        (
            {"model": {"name": "encoder", "positions": {"name": "absolute", "longest": 2}}},
            UserError,
            "longer than the 2 positions",
        ),
        (
            {"variants": [{"name": "long", "set": {"tokenizer": {"name": "kmer", "k": 8}}}]},
            DataError,
            "row 2: .* need 8",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_writes_nothing(
    tmp_path: Path, changes: dict[str, Any], error: type[UserError], said: str
) -> None:
    folder = plant(tmp_path / "task").folder
    path = folder / "train.parquet"
    frame = pl.read_parquet(path)
    frame[1, "sequence"] = "ACGTACG"
    frame.write_parquet(path)
    forget_digests(folder)
    with pytest.raises(error, match=said) as caught:
        train(small(**changes), folder, tmp_path / "run", progress=False)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["task"]


def test_resume_and_force_contradict_each_other(task: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="contradict"):
        train(small(), task, tmp_path / "run", resume=True, force=True)


def test_a_training_that_diverges_says_so(task: Path, tmp_path: Path) -> None:
    config = small(optimizer={"learning_rate": 1e30, "clip": None}, trainer={"epochs": 1})
    with pytest.raises(UserError, match="learning rate"):
        train(config, task, tmp_path / "run", progress=False)


def test_a_share_of_the_rows_is_learned_from_and_said(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(small(share=0.1), task, tmp_path / "run")
    assert "learning from 24 training rows (share 0.1)" in capsys.readouterr().err
    assert RunConfig.read(run / "run.yaml").share == 0.1
