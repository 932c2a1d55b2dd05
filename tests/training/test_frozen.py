import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from tests.training.learnable import learnable

from attendna.core.errors import ConfigError, FolderError
from attendna.evaluation.compare import compare
from attendna.evaluation.evaluate import evaluate, read_metrics
from attendna.models.learners.average import AverageConfig
from attendna.models.learners.boosted import XGBoostConfig
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.kernel import KernelRidgeConfig
from attendna.models.learners.linear import LogisticConfig, RidgeConfig
from attendna.prediction.transfer import TransferPredictor
from attendna.tasks.store import Task, open_task
from attendna.training.frozen import TransferConfig, transfer

FOREST = RandomForestConfig(trees=40)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))


def config_of(run: Path, learner=FOREST, **more: object) -> TransferConfig:
    return TransferConfig.model_validate({"run": run, "learner": learner.to_tree()} | more)


def test_a_binary_task_is_learned_measured_and_compared(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = transfer(config_of(runs[0], trials=2), planted.folder, out, device="cpu", progress=False)
    assert made == out
    assert {path.name for path in out.iterdir()} == {
        ".attendna.json", "backbone", "learner.safetensors", "metrics.json", "predictions.parquet",
        "search.json", "transfer.yaml",
    }  # fmt: skip
    copied = (out / "backbone" / "model.safetensors").read_bytes()
    assert copied == (runs[0] / "model.safetensors").read_bytes()
    # The better of the trials was taken.
    trials = json.loads((out / "search.json").read_text())
    best = max(trials, key=lambda trial: trial["valid_mcc"])
    assert yaml.safe_load((out / "transfer.yaml").read_text())["learner"] == best["learner"]
    valid = {row["metric"]: row["value"] for row in read_metrics(out)}
    assert valid["mcc"] == best["valid_mcc"]
    assert {row["split"] for row in read_metrics(out)} == {"valid"}
    result = evaluate(out, planted.folder, device="cpu", resamples=50)
    assert result.value("auroc") > 0.9
    assert {row["split"] for row in read_metrics(out)} == {"valid", "test"}
    compared = compare([runs[1], out], planted.folder, device="cpu", resamples=50)
    value = next(r.value for r in compared.rows if r.run == str(out) and r.metric == "auroc")
    assert value == result.value("auroc")


KINDS = [
    ("binary", ("no", "yes"), LogisticConfig(), True),
    ("multilabel", ("there", "absent"), LogisticConfig(), False),
    ("regression", ("a", "b"), RidgeConfig(penalty=1.0), False),
    ("regression", ("effect",), XGBoostConfig(rounds=60), True),
    ("regression", ("effect",), AverageConfig(of=(RidgeConfig(), KernelRidgeConfig())), True),
]


@pytest.mark.parametrize(("kind", "classes", "learner", "paired"), KINDS)
@pytest.mark.filterwarnings("ignore:.*was trained on")
def test_every_kind_of_task_is_learned(
    kind, classes, learner, paired: bool, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    task = learnable(tmp_path / "task", kind, classes, paired=paired)
    reading = {"pair": "both"}
    config = config_of(runs[0], learner, reading=reading)
    out = transfer(config, task.folder, tmp_path / "out", device="cpu", progress=False)
    result = evaluate(out, task.folder, device="cpu", resamples=50)
    assert result.value("pearson" if kind == "regression" else "auroc") > 0.8
    assert (out / "track_metrics.parquet").is_file() == (kind in ("multilabel", "regression"))


def test_a_share_is_learned_from_and_said(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transfer(config_of(runs[0], share=0.05), planted.folder, tmp_path / "out", device="cpu")
    assert "learning from 12 training rows (share 0.05)" in capsys.readouterr().err
    assert yaml.safe_load((tmp_path / "out" / "transfer.yaml").read_text())["rows"] == 12


def test_the_test_rows_are_not_read(runs: tuple[Path, Path], planted: Task, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    for name in ("task.yaml", "train.parquet", "valid.parquet"):
        (folder / name).write_bytes((planted.folder / name).read_bytes())
    (folder / "test.parquet").write_bytes(b"nothing")
    transfer(config_of(runs[0]), folder, tmp_path / "out", device="cpu", progress=False)


def test_what_is_read_back_predicts_the_same(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    out = transfer(config_of(runs[0]), planted.folder, tmp_path / "out", device="cpu")
    valid = open_task(planted.folder).read("valid")
    found = TransferPredictor.load(out, "cpu").predict(valid.sequences).values[:, 0]
    held = pl.read_parquet(out / "predictions.parquet")
    np.testing.assert_allclose(found, held["bound"].to_numpy(), atol=1e-6)


def test_wrong_use_is_one_line(runs: tuple[Path, Path], planted: Task, tmp_path: Path) -> None:
    task = planted.folder
    with pytest.raises(ConfigError, match="ridge does not learn classes"):
        transfer(config_of(runs[0], RidgeConfig()), task, tmp_path / "out")
    with pytest.raises(FolderError, match="no trained model is there"):
        transfer(config_of(tmp_path), task, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "transfer.yaml").write_text("precious")
    with pytest.raises(FolderError, match="not written by attendna"):
        transfer(config_of(runs[0]), task, tmp_path / "mine", force=True)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "mine" / "transfer.yaml").read_text() == "precious"


@pytest.mark.filterwarnings("ignore:.*was trained on")
def test_roots_are_learned_and_numbers_told(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    task = learnable(tmp_path / "task", "regression", ("effect",))
    train = task.read("train")
    labels = train.labels_of_all(1)[:, 0].astype(np.float64)
    config = config_of(runs[0], RidgeConfig(penalty=1.0), targets="roots")
    out = transfer(config, task.folder, tmp_path / "out", device="cpu", progress=False)
    predictor = TransferPredictor.load(out, "cpu")
    features = predictor.vectors.of(train.sequences)
    learner = RidgeConfig(penalty=1.0)
    roots = np.sign(labels) * np.sqrt(np.abs(labels))
    learned = learner.fit(features, roots, 0, seed=0, threads=1)
    told = learner.predict(learned, features, 0)[:, 0]
    found = predictor.predict(train.sequences).values[:, 0]
    np.testing.assert_allclose(found, np.sign(told) * told**2, rtol=1e-3, atol=1e-4)
    config = config_of(runs[0], targets="roots")
    with pytest.raises(ConfigError, match="no roots of classes"):
        transfer(config, planted.folder, tmp_path / "other", device="cpu", progress=False)
    assert not (tmp_path / "other").exists()


def test_what_is_fixed_is_the_same_in_every_trial(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    forest = RandomForestConfig(trees=5, leaf=7)
    settings = config_of(runs[0], forest, trials=6, fixed=["leaf"])
    transfer(settings, planted.folder, tmp_path / "out", device="cpu", progress=False)
    trials = [t["learner"] for t in json.loads((tmp_path / "out" / "search.json").read_text())]
    assert {trial["leaf"] for trial in trials} == {7}
    assert len({trial["features"] for trial in trials}) > 1


def test_progress_counts_the_sequences_whose_vectors_are_made(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    counts: list[int] = []
    config, out = config_of(runs[0]), tmp_path / "run"
    transfer(config, planted.folder, out, device="cpu", progress=False, advance=counts.append)
    assert sum(counts) == 240 + 120
