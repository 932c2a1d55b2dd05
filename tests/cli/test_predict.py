import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml
from tests.planted import plant
from tests.training.conftest import SMALL

from attendna.cli.main import run
from attendna.core.parquet import precision_of
from attendna.models.hardware import BF16
from attendna.models.header import read_header


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predict")
    plant(folder / "task")
    settings = SMALL | {"tokenizer": {"name": "kmer", "k": 4}, "letters": "error"}
    (folder / "run.yaml").write_text(yaml.safe_dump(settings))
    words = ["train", folder / "run.yaml", "--task", folder / "task", "--out", folder / "run"]
    assert run([str(word) for word in words]) == 0
    return folder / "run"


def predict(trained: Path, source: Path, out: Path, *more: str) -> int:
    return run(["predict", str(trained), str(source), "--out", str(out), *more])


def fasta(path: Path, *sequences: str) -> Path:
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(sequences, start=1)))
    return path


def test_every_sequence_has_a_probability_and_a_call(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = fasta(tmp_path / "a.fa", "ACGT" * 8, "TGACTCAT" * 4, "GGCA" * 6)
    assert predict(trained, source, tmp_path / "a.tsv", "--json") == 0
    frame = pl.read_csv(tmp_path / "a.tsv", separator="\t")
    assert frame.columns == ["id", "bound", "call", "precision"]
    assert frame["id"].to_list() == ["s1", "s2", "s3"]
    threshold = json.loads((trained / "metrics.json").read_text())[0]["threshold"]
    calls = ["bound" if p >= threshold else "background" for p in frame["bound"]]
    assert frame["call"].to_list() == calls
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], sum(told["called"].values())) == (3, 3)

    assert predict(trained, source, tmp_path / "a.parquet") == 0
    parquet = pl.read_parquet(tmp_path / "a.parquet")
    assert parquet["bound"].to_list() == pytest.approx(frame["bound"].to_list(), abs=1e-6)


def test_the_validation_rows_get_what_training_wrote(trained: Path, tmp_path: Path) -> None:
    source = trained.parent / "task" / "valid.parquet"
    assert predict(trained, source, tmp_path / "valid.parquet") == 0
    mine = pl.read_parquet(tmp_path / "valid.parquet")
    stored = pl.read_parquet(trained / "predictions.parquet")
    assert mine["id"].to_list() == stored["id"].to_list()
    assert mine["bound"].to_list() == stored["bound"].to_list()


def test_unusual_lengths_are_said_in_one_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = fasta(tmp_path / "long.fa", "ACGT" * 100, "ACGT" * 8)
    assert predict(trained, source, tmp_path / "long.tsv") == 0
    lines = capsys.readouterr().err.splitlines()
    assert any(
        line.startswith("warning: 1 of 2 sequences have 400 bases, the model was trained on 24")
        for line in lines
    )


def test_a_task_folder_stands_for_its_test_rows(trained: Path, tmp_path: Path) -> None:
    task = trained.parent / "task"
    assert predict(trained, task, tmp_path / "folder.tsv") == 0
    assert predict(trained, task / "test.parquet", tmp_path / "file.tsv") == 0
    assert (tmp_path / "folder.tsv").read_bytes() == (tmp_path / "file.tsv").read_bytes()
    words = ["interpret", "ism", str(trained), str(task), "--limit", "2"]
    assert run([*words, "--out", str(tmp_path / "ism")]) == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.fa", ">x\nACGTACGT\n>y\nAC\n", "a.fa, row 2: the sequence 'y' has 2 bases"),
        (
            "a.fa",
            ">x\nACGTACGN\n",
            "a.fa, row 1: the sequence 'x' has an unknown base at position 8",
        ),
        ("a.csv", "id,dna\n1,ACGTACGT\n2,\n", "a.csv, row 2: the sequence is missing"),
        ("a.csv", "id,peak\n1,chr1\n", "a.csv: there is no sequence column among id, peak"),
        ("a.csv", "", "a.csv"),
        ("a.bed", "chr1\t1\t9\n", "a.bed: intervals need a genome"),
        ("a.docx", "x", "a.docx: the ending '.docx' is not known"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    said: str,
) -> None:
    (tmp_path / name).write_text(text)
    capsys.readouterr()
    assert predict(trained, tmp_path / name, tmp_path / "out.tsv") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "out.tsv").exists()


def test_files_are_replaced_by_force_only_and_endings_are_known(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = fasta(tmp_path / "a.fa", "ACGT" * 8)
    earlier = "id\tbound\ts1\n"
    (tmp_path / "a.tsv").write_text(earlier)
    assert predict(trained, source, tmp_path / "a.tsv") == 2
    assert (tmp_path / "a.tsv").read_text() == earlier
    assert predict(trained, source, tmp_path / "a.tsv", "--force") == 0
    assert predict(trained, source, tmp_path / "a.xlsx") == 2
    assert predict(trained / "nothing", source, tmp_path / "b.tsv") == 2
    assert "no such run folder" in capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def other_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that was trained where bf16 has units; prediction goes on where it has none."""
    folder = tmp_path_factory.mktemp("bf16")
    plant(folder / "task")
    trainer = SMALL["trainer"] | {"precision": "auto"}
    settings = SMALL | {"tokenizer": "onehot", "trainer": trainer}
    (folder / "run.yaml").write_text(yaml.safe_dump(settings))
    words = ["train", folder / "run.yaml", "--task", folder / "task", "--out", folder / "run"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BF16, "on")
        assert run([str(word) for word in words]) == 0
        patch.setenv(BF16, "off")
        yield folder / "run"


def test_a_model_is_computed_as_it_was_trained_on_every_machine(
    other_machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_header(other_machine)["precision"] == "bf16"
    capsys.readouterr()
    source = other_machine.parent / "task" / "valid.parquet"
    assert predict(other_machine, source, tmp_path / "own.parquet") == 0
    assert capsys.readouterr().err.count("this machine has no units for") == 1
    own = pl.read_parquet(tmp_path / "own.parquet")
    stored = pl.read_parquet(other_machine / "predictions.parquet")
    assert own["bound"].to_list() == stored["bound"].to_list()
    assert set(own["precision"]) == {"bf16"}
    assert predict(other_machine, source, tmp_path / "fp32.tsv", "--precision", "fp32") == 0
    assert "no units" not in capsys.readouterr().err
    exact = pl.read_csv(tmp_path / "fp32.tsv", separator="\t")
    assert set(exact["precision"]) == {"fp32"}
    assert exact["bound"].to_list() != own["bound"].to_list()


def test_what_is_measured_embedded_and_mutated_says_its_precision(
    other_machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = str(other_machine.parent / "task")
    for wanted, more in {"bf16": (), "fp32": ("--precision", "fp32")}.items():
        assert run(["evaluate", str(other_machine), "--task", task, "--resamples", "5", *more]) == 0
        rows = json.loads((other_machine / "metrics.json").read_text())
        assert {row["precision"] for row in rows if row["split"] == "test"} == {wanted}
        assert {row["precision"] for row in rows if row["split"] == "valid"} == {"bf16"}
        out = tmp_path / f"{wanted}.parquet"
        assert run(["embed", str(other_machine), task, "--out", str(out), *more]) == 0
        assert precision_of(out) == wanted
    source = str(fasta(tmp_path / "a.fa", "ACGT" * 8))
    for wanted, more in {"fp32": (), "bf16": ("--precision", "auto")}.items():
        out = tmp_path / f"ism-{wanted}"
        words = ["interpret", "ism", str(other_machine), source, "--out", str(out), *more]
        assert run(words) == 0
        assert precision_of(out / "scores.parquet") == wanted
    capsys.readouterr()
    assert run(["predict", str(other_machine), source, "--out", "x.tsv", "--precision", "8"]) == 2
