"""Tasks of many tracks, of numbers and of pairs, from training to predictions for new sequences."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from tests.training.conftest import SMALL

from attendna.cli.main import run
from attendna.tasks.spec import SPLITS, TaskSpec
from attendna.tasks.store import write_task

MOTIFS = ("TGACTCAT", "GGGCGGGG", "ATTTGCAT")
ROWS = (400, 100, 100)


def planted(seed: int, chosen: np.ndarray) -> str:
    """A random sequence in which the chosen motifs lie."""
    random = np.random.default_rng(seed)
    bases = random.choice(list("ACGT"), 60)
    for number in np.flatnonzero(chosen):
        place = 20 * number + int(random.integers(0, 12))
        bases[place : place + 8] = list(MOTIFS[number])
    return "".join(bases)


def frames(kind: str) -> dict[str, pl.DataFrame]:
    random = np.random.default_rng(0)
    made: dict[str, pl.DataFrame] = {}
    seed = 0
    for split, rows in zip(SPLITS, ROWS, strict=True):
        here = random.random((rows, 3)) < 0.4
        texts = [planted(seed + row, chosen) for row, chosen in enumerate(here)]
        ids = [f"{split}{row}" for row in range(rows)]
        columns: dict[str, object] = {"id": ids, "sequence": texts}
        if kind == "multilabel":
            lists = [np.flatnonzero(row).tolist() for row in here]
            columns["label"] = pl.Series(lists, dtype=pl.List(pl.UInt16))
        elif kind == "shares":
            values = np.where(here, 0.9, 0.1) + random.normal(0, 0.02, here.shape)
            known = random.random(here.shape) < 0.7
            known[:, 0] = True
            columns["label"] = [
                [float(v) if k else None for v, k in zip(*pair, strict=True)]
                for pair in zip(values.clip(0, 1), known, strict=True)
            ]
        else:
            other = random.random((rows, 3)) < 0.4
            columns["alternative"] = [planted(seed + row, o) for row, o in enumerate(other)]
            effect = 2.0 * other[:, 0] - 2.0 * here[:, 0]
            columns["label"] = [[float(e)] for e in effect]
        seed += rows
        made[split] = pl.DataFrame(columns)
    return made


def prepare(folder: Path, kind: str, **settings: object) -> None:
    names = ("effect",) if kind == "pairs" else ("a", "b", "c")
    spec = TaskSpec(
        name=kind,
        label_kind="multilabel" if kind == "multilabel" else "regression",
        classes=names,
        paired=kind == "pairs",
    )
    write_task(folder / "task", spec, frames(kind))
    trainer = SMALL["trainer"] | {"epochs": 12, "validations": 3}
    optimizer = {"learning_rate": 0.01}
    model = {"name": "cnn", "width": 16, "blocks": 1}
    recipe = SMALL | {"model": model, "trainer": trainer, "optimizer": optimizer} | settings
    (folder / "run.yaml").write_text(yaml.safe_dump(recipe))


@pytest.mark.parametrize(
    ("kind", "objective", "metric", "least"),
    [
        ("multilabel", {"loss": "focal", "alpha": 0.6}, "auprc", 0.85),
        ("shares", {}, "spearman", 0.6),
        ("pairs", {"loss": "huber"}, "spearman", 0.6),
    ],
)
def test_a_task_is_learned_measured_and_predicted(
    kind: str,
    objective: dict[str, object],
    metric: str,
    least: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, kind, objective=objective, strands="single")
    assert run(["train", "run.yaml", "--task", "task", "--out", "run"]) == 0
    log = pl.read_csv("run/log.csv")
    assert f"valid_{metric}" in log.columns
    capsys.readouterr()
    words = ["evaluate", "run", "--task", "task", "--resamples", "100", "--json"]
    assert run(words) == 0
    rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[metric]["value"] > least
    assert rows[metric]["low"] < rows[metric]["value"] < rows[metric]["high"]
    assert rows[metric]["n"] == 100
    tracks = pl.read_parquet("run/track_metrics.parquet").filter(split="test")
    assert tracks.height == (1 if kind == "pairs" else 3)
    assert tracks[metric].mean() == pytest.approx(rows[metric]["value"])
    if kind == "shares":
        assert tracks["n"][0] == 100 > tracks["n"][1]
    held = pl.read_parquet("run/predictions.parquet").filter(split="test")
    assert held.height == 100
    Path("new.fa").write_text(f">one\n{planted(1, np.array([1, 0, 0]))}\n")
    code = run(["predict", "run", "new.fa", "--out", "new.parquet"])
    if kind == "pairs":
        assert code == 2
        assert "the model was not trained on single sequences" in capsys.readouterr().err
        return
    assert code == 0
    said = pl.read_parquet("new.parquet")
    assert said.columns == ["id", "a", "b", "c", "precision"]
    assert 0 <= said["b"][0] < said["a"][0] <= 1


def test_two_runs_are_compared_on_every_track_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, "multilabel")
    for name, steps in (("one", 2), ("two", 60)):
        words = ["train", "run.yaml", "--task", "task", "--out", name]
        assert run([*words, "--set", f"trainer.max_steps={steps}"]) == 0
    capsys.readouterr()
    assert run(["compare", "one", "two", "--task", "task", "--resamples", "50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    test = next(row for row in found["tests"] if row["metric"] == "auroc")
    assert (test["test"], test["difference"] > 0) == ("bootstrap", True)


def test_what_does_not_fit_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, "pairs")
    for settings, said in (
        (["objective.loss=cross_entropy"], "are no shares, which cross entropy is for; set"),
        (["objective.loss=focal"], "objective.loss focal is not for a regression task"),
        (["objective.loss=mse", "trainer.monitor=mcc"], "trainer.monitor mcc is no metric of a"),
        (["trainer.monitor=charm"], "there is no metric 'charm'"),
        (["objective.loss=mse", "objective.class_weights=balanced"], "class_weights is for cl"),
    ):
        words = ["train", "run.yaml", "--task", "task", "--out", "run"]
        changed = [part for setting in settings for part in ("--set", setting)]
        assert run([*words, *changed]) == 2, settings
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert not Path("run").exists()
