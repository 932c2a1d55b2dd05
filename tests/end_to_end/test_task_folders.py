"""Every verb that reads sequences takes a task folder: the rows of --split, with their ids."""

import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.training.learnable import learnable

from attendna.cli.main import run
from attendna.prediction.transfer import load_predictor
from attendna.tasks.store import Task

WRITTEN = {
    "predict": ".parquet",
    "embed": ".parquet",
    "interpret ism": "/scores.parquet",
    "interpret attention": "/profiles.parquet",
    "interpret motifs": "/motifs.parquet",
    "interpret embeddings": "/points.parquet",
}
"""What is compared of each verb's output: the file itself, or one of its folder."""

MORE = {
    "interpret ism": "--limit 1",
    "interpret attention": "--limit 1 --mutate 0 --maps 1",
    "interpret motifs": "--limit 20 --mutate 1 --resamples 10 --p-value 0.005 --motifs some.meme",
}
MEME = """MEME version 4

ALPHABET= ACGT

MOTIF AP1
letter-probability matrix: alength= 4 w= 4
0 0 0 1
0 0 1 0
1 0 0 0
0 1 0 0
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some.meme").write_text(MEME)
    monkeypatch.chdir(tmp_path)


def read(verb: str, model: object, source: object, name: str, *more: str) -> int:
    ending = WRITTEN[verb].partition("/")[0]
    words = [*verb.split(), str(model), str(source), "--out", f"{name}{ending}"]
    return run([*words, *MORE.get(verb, "").split(), *more])


@pytest.mark.parametrize("verb", WRITTEN)
def test_a_folder_gives_what_the_table_of_its_split_gives(
    verb: str, light: Path, planted: Task
) -> None:
    if verb == "interpret motifs" and importlib.util.find_spec("memelite") is None:
        pytest.skip("memelite (extra motifs) is not installed")
    for split, more in (("test", ()), ("valid", ("--split", "valid"))):
        assert read(verb, light, planted.path(split), f"{split}-file") == 0
        assert read(verb, light, planted.folder, f"{split}-folder", *more) == 0
        file, folder = (
            pl.read_parquet(f"{split}-{name}{WRITTEN[verb]}") for name in ("file", "folder")
        )
        assert_frame_equal(folder.select(file.columns), file)
        if "id" in file.columns:
            assert file["id"][0].startswith(split)


@pytest.mark.parametrize("verb", WRITTEN)
def test_a_folder_without_such_sequences_is_one_line(
    verb: str, light: Path, planted: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("tracks", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "tracks" / "task.yaml").write_text("format: 1\nlabel_kind: tracks\n")
    small = learnable(tmp_path / "small", "binary", ("no", "yes"), rows=(8, 4, 4)).folder
    card = small / "task.yaml"
    card.write_text(card.read_text().replace("  test: 4\n", ""))
    (small / "test.parquet").unlink()
    for source, said in (
        (tmp_path / "tracks", "is a task of tracks; choose one of sequences"),
        (tmp_path / "empty", "is not a task folder"),
        (small, "has no test split, only train, valid"),
    ):
        assert read(verb, light, source, "out") == 2
        (error,) = capsys.readouterr().err.splitlines()
        assert said in error
    assert not list(tmp_path.glob("out*"))


def test_a_model_of_pairs_predicts_from_both_alleles(
    runs: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    task = learnable(tmp_path / "task", "binary", ("no", "yes"), paired=True)
    words = ["transfer", str(runs[0]), "--task", "task", "--learner", "logistic", "--out", "run"]
    assert run(words) == 0
    assert read("predict", "run", task.folder, "pairs") == 0
    rows = task.read("test")
    wanted = load_predictor("run").predict(rows.sequences, rows.ids, alternatives=rows.alternatives)
    found = pl.read_parquet("pairs.parquet")
    assert tuple(found["id"]) == rows.ids
    assert found["yes"].to_list() == wanted.values[:, 0].tolist()
    capsys.readouterr()
    assert read("predict", runs[0], task.folder, "single") == 2
    assert "the model was not trained on pairs" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [verb for verb in WRITTEN if verb.startswith("interpret")])
def test_pairs_are_no_input_of_single_sequences(
    verb: str, light: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learnable(tmp_path / "task", "binary", ("no", "yes"), paired=True, rows=(8, 4, 4))
    assert read(verb, light, "task", "out") == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert "task has pairs of sequences; choose a task of single sequences, or a file" in error


def test_points_of_a_folder_have_classes_and_those_of_a_file_none(
    runs: tuple[Path, Path], planted: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, source in (("folder", planted.folder), ("file", planted.path("test"))):
        assert read("interpret embeddings", runs[0], source, name, "--json") == 0
        assert ("alike" in json.loads(capsys.readouterr().out)) == (name == "folder")
    assert set(pl.read_parquet("folder/points.parquet")["class"]) == {"background", "bound"}
