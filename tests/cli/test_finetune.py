"""Fine-tuning from one command, and what is wrong in one line."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from tests.models.huggingface import checkpoints

from attendna.cli.main import run as attendna
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Task, write_task

SHORT = ("trainer.epochs=1", "trainer.threads=1", "variants=[]", "optimizer.learning_rate=1e-3")


@pytest.fixture
def dnabert(tmp_path: Path) -> Path:
    checkpoints.dnabert(tmp_path / "dnabert", 3, max_position_embeddings=64)
    return tmp_path / "dnabert"


def words(repository: Path, start: Path | str, task: Task, out: Path, *more: str) -> list[str]:
    recipe = str(repository / "recipes" / "finetune.yaml")
    said = ["finetune", recipe, "--from", str(start), "--task", str(task.folder)]
    changes = [word for change in SHORT for word in ("--set", change)]
    return [*said, "--out", str(out), "--resamples", "50", *changes, *more]


@pytest.mark.parametrize("method", ["full", "lora", "probe"])
@pytest.mark.parametrize("tokens", ["overlapping", "non-overlapping"])
def test_a_checkpoint_is_measured_before_and_after(
    repository: Path,
    dnabert: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    method: str,
    tokens: str,
) -> None:
    if method == "lora":
        pytest.importorskip("peft")
    more = ("--method", method, "--tokens", tokens, "--json")
    assert attendna(words(repository, dnabert, planted, tmp_path / "run", *more)) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["metric"] for row in found["metrics"]} >= {"accuracy", "mcc", "auroc"}
    assert sum(map(sum, found["confusion"]["before"])) == 60
    page = (tmp_path / "run" / "finetuning.html").read_text()
    learned = {"full": "all of the model", "lora": "adapters of rank 8", "probe": "the head alone"}
    assert learned[method] in page
    settings = (tmp_path / "run" / "run.yaml").read_text()
    assert ("name: patch" in settings) == (tokens == "non-overlapping")


def test_the_rates_of_the_recipe_are_searched_and_people_get_a_table(
    repository: Path,
    dnabert: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = repository / "recipes" / "finetune.yaml"
    said = ["finetune", str(recipe), "--from", str(dnabert), "--task", str(planted.folder)]
    short = ["--set", "trainer.max_steps=4", "--set", "trainer.threads=1", "--resamples", "20"]
    assert attendna([*said, "--out", str(tmp_path / "run"), *short]) == 0
    tried = json.loads((tmp_path / "run" / "search.json").read_text())["variants"]
    assert list(tried) == ["5e-5", "4e-5", "3e-5", "2e-5"]
    told = capsys.readouterr()
    assert "planted, test: 60 rows" in told.out
    assert "specificity" in told.out
    assert told.err.endswith(f"wrote {tmp_path / 'run' / 'finetuning.html'}\n")
    # And the plain training takes the same settings.
    plain = ["train", str(recipe), "--from", str(dnabert), "--frozen", "--task", said[-1]]
    assert attendna([*plain, "--out", str(tmp_path / "plain"), *short[:4]]) == 0
    assert attendna(["predict", str(tmp_path / "plain"), "--help"]) == 0


def unpickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def test_a_pickle_is_read_when_allowed(
    repository: Path,
    dnabert: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unpickled(dnabert)
    given = words(repository, dnabert, planted, tmp_path / "run")
    assert attendna(given) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), "--allow-pickle" in error) == (1, True)
    assert not (tmp_path / "run").exists()
    assert attendna([*given, "--allow-pickle"]) == 0


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda f: (f / "vocab.txt").unlink(), "has neither vocab.txt nor tokenizer.json"),
        (lambda f: change(f, vocab_size=4101), "vocab_size is 4101, vocab.txt has 69 words"),
        (lambda f: change(f, model_type="mamba"), "of which the class is not known here"),
        (lambda f: change(f, num_hidden_layers=3), "its class is not the standard one"),
        (lambda f: (f / "config.json").unlink(), "no model of attendna"),
        (lambda f: (f / "model.safetensors").write_bytes(b"no"), "damaged"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_one_line(
    repository: Path,
    dnabert: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    break_it: Any,
    said: str,
) -> None:
    break_it(dnabert)
    assert attendna(words(repository, dnabert, planted, tmp_path / "run")) == 2
    error = capsys.readouterr().err
    assert (error.startswith("error: "), error.count("\n")) == (True, 1)
    assert said in error
    assert not os.path.lexists(tmp_path / "run")


def test_a_name_on_the_hub_is_not_fetched_unasked(
    repository: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = words(repository, "attendna-nobody/nothing", planted, tmp_path / "run")
    assert attendna(given) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the network is not used unless asked for; " in error
    assert "add --hub" in error


def test_lower_case_is_read_and_an_n_is_refused_by_its_row(
    repository: Path,
    dnabert: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frames = {
        name: planted.read(name).frame.select("id", "sequence", "label")
        for name in ("train", "valid", "test")
    }
    spec = TaskSpec(name="planted", label_kind="binary", classes=("background", "bound"))
    row = frames["train"]["sequence"][6]
    frames["train"] = frames["train"].with_columns(
        pl.col("sequence").replace(row, f"{row[:5]}N{row[6:]}")
    )
    with_n = write_task(tmp_path / "n", spec, frames)
    given = words(repository, dnabert, with_n, tmp_path / "run")
    assert attendna(given) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "train.parquet, row 7: the sequence 'train-6' has an unknown base at position 6" in error
    assert "letters: unknown" in error
    assert attendna([*given, "--set", "letters=unknown"]) == 0

    fasta = tmp_path / "a.fa"
    fasta.write_text(">upper\nACGTTGCAAGGCTTGACTCAT\n>lower\nacgttgcaaggcttgactcat\n")
    out = tmp_path / "predictions.tsv"
    assert attendna(["predict", str(tmp_path / "run"), str(fasta), "--out", str(out)]) == 0
    values = pl.read_csv(out, separator="\t")["bound"]
    assert values[0] == pytest.approx(values[1])
