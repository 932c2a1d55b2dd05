import json
from pathlib import Path

import polars as pl
import pytest
from tests.models.huggingface import checkpoints

from attendna.cli.main import run
from attendna.tasks.store import Task

SEARCH = """
base:
  tokenizer: {name: kmer, k: 2}
  model: enhancer_attention
  strands: single
  trainer: {epochs: 2, batch_size: 64, threads: 1, device: cpu}
space:
  optimizer.learning_rate: {choices: [5e-5, 4e-5]}
metric: auroc
sampler: {name: grid}
"""


@pytest.fixture
def search(tmp_path: Path) -> Path:
    """A search file."""
    path = tmp_path / "search.yaml"
    path.write_text(SEARCH, encoding="utf-8")
    return path


def test_the_settings_that_win_can_be_trained(
    search: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, task = tmp_path / "out", str(planted.folder)
    words = ["tune", str(search), "--task", task, "--out", str(out)]
    assert run([*words, "--trials", "9", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["metric"], said["trials"]) == ("auroc", {"complete": 2})
    table = pl.read_parquet(out / "trials.parquet")
    assert said["best"]["value"] == table["value"].max()
    text = (out / "tune.html").read_text(encoding="utf-8")
    assert "false positive rate" in text
    assert "learning_rate 5e-05" in text
    assert run([*words, "--trials", "9"]) == 0
    assert "wrote" in capsys.readouterr().err
    assert (
        run(["train", str(out / "best.yaml"), "--task", task, "--out", str(tmp_path / "run")]) == 0
    )
    one = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert one == (out / said["best"]["run"] / "model.safetensors").read_bytes()


def test_the_published_rates_are_tried_on_a_checkpoint(
    repository: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints.dnabert(tmp_path / "dnabert", 3, max_position_embeddings=64)
    recipe = str(repository / "recipes" / "tune_learning_rate.yaml")
    words = ["tune", recipe, "--from", str(tmp_path / "dnabert"), "--task", str(planted.folder)]
    few = ("subset.rows_a_class=20", "base.trainer.threads=1", "base.trainer.device=cpu")
    changes = [word for change in few for word in ("--set", change)]
    out = tmp_path / "out"
    assert run([*words, *changes, "--out", str(out), "--trials", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == {"complete": 5}
    table = pl.read_parquet(out / "trials.parquet").filter(phase="search")
    rates = table["optimizer.learning_rate"].to_list()
    assert sorted(rates) == ["2e-05", "3e-05", "4e-05", "5e-05"]
    assert table["validations"].to_list() == [5, 5, 5, 5]
    page = (out / "tune.html").read_text(encoding="utf-8")
    for title in ("loss", "accuracy", "false positive rate", "F1"):
        assert f'aria-label="{title}"' in page
    for rate in rates:
        assert f"learning_rate {rate}" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "space.modle={choices: [cnn]}"], "modle"),
        (["--set", "metric=f2"], "no metric 'f2'"),
        (["--set", "sampler.name=grit"], "sampler.name"),
        (["--storage", "nonsense"], "--storage nonsense"),
        (["--trials", "0"], "--trials"),
        (["--task", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str],
    said: str,
    search: Path,
    planted: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = ["tune", str(search), "--task", str(planted.folder), "--out", str(tmp_path / "out")]
    assert run([*start, *words]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert error[0].startswith("error: ")
    assert said in error[0]
    assert not (tmp_path / "out" / "search.yaml").exists()
