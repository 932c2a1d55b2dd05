import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.planted import plant
from tests.training.learnable import learnable

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.prediction.sequences import (
    read_input,
    read_sequences,
    refuse_long,
    refuse_short,
    refuse_unknown_bases,
)
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task

FASTA = ">one first\nACGT\nACGT\n>two\nGGGGGGGGCC\n"
CSV = "id,sequence\none,ACGTACGT\ntwo,GGGGGGGGCC\n"


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.fa", FASTA),
        ("a.fa.gz", FASTA),
        ("a.csv", CSV),
        ("a.csv.gz", CSV),
        ("a.tsv", CSV.replace(",", "\t")),
    ],
)
def test_every_format_gives_the_same(tmp_path: Path, name: str, text: str) -> None:
    ids, sequences = read_sequences(write(tmp_path / name, text))
    assert ids == ("one", "two")
    assert sequences.to_text() == ["ACGTACGT", "GGGGGGGGCC"]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [7, 8], "sequence": ["acgt", "uuuu"]}).write_parquet(path)
    ids, sequences = read_sequences(path)
    assert (ids, sequences.to_text()) == (("7", "8"), ["ACGT", "TTTT"])


def test_rows_without_an_id_are_numbered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "seq,label\nACGTACGT,1\nCCCCCCCC,0\n")
    assert read_sequences(path)[0] == ("1", "2")


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "peak,left,right\np1,AAAAAAAA,CCCCCCCC\n")
    with pytest.raises(DataError, match="no sequence column among peak, left, right"):
        read_sequences(path)
    ids, sequences = read_sequences(path, sequence_column="right", id_column="peak")
    assert (ids, sequences.to_text()) == (("p1",), ["CCCCCCCC"])
    with pytest.raises(DataError, match="no wrong column among"):
        read_sequences(path, sequence_column="wrong")
    with pytest.raises(DataError, match="no wrong column among"):
        read_sequences(path, sequence_column="right", id_column="wrong")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,sequence\na,ACGT\nb,\n", "row 2: the sequence is missing"),
        ("id,sequence\n,ACGT\n", "row 1: the id is missing"),
        ("id,sequence\na,ACGT\nNA,ACGT\n", "row 2: the id is missing"),
        ("id,sequence\na,nan\n", "row 1: the sequence is missing"),
        ("id,sequence\na,ACGT\nb,AC!T\n", "row 2: the character '!' at position 3"),
        ("", "empty"),
        ("id,sequence\n", "no row"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(DataError, match=said) as caught:
        read_sequences(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fasta_records_without_a_name_are_refused_or_numbered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fa", "> x\nACGT\n>\nAAAA\n")
    with pytest.raises(DataError, match=r"row 2: the id is missing.*--id-column none"):
        read_sequences(path)
    ids, sequences = read_sequences(path, id_column="none")
    assert (ids, sequences.to_text()) == (("1", "2"), ["ACGT", "AAAA"])


def test_ambiguous_letters_follow_the_policy_of_the_model(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fa", ">x\nACGR\n")
    assert read_sequences(path)[1].to_text() == ["ACGN"]
    with pytest.raises(DataError, match=r"row 1: .* the model refuses unknown bases"):
        read_sequences(path, "error")


def test_short_sequences_and_unknown_bases_are_refused_by_row() -> None:
    batch = SequenceBatch.from_text(["ACGTA", "ACG", "ACGNA"])
    refuse_short(batch, ("a", "b", "c"), 3, "x.fa")
    with pytest.raises(DataError, match=r"x\.fa, row 2: the sequence 'b' has 3 bases.*need 4"):
        refuse_short(batch, ("a", "b", "c"), 4, "x.fa")
    with pytest.raises(DataError, match=r"x\.fa, row 3: the sequence 'c' .* position 4"):
        refuse_unknown_bases(batch, ("a", "b", "c"), "x.fa")
    refuse_unknown_bases(batch.take(np.array([0, 1])), ("a", "b"), "x.fa")


def test_sequences_far_longer_than_those_of_the_training_are_refused() -> None:
    batch = SequenceBatch.from_text(["A" * 50, "A" * 51])
    refuse_long(batch.take(np.array([0])), ("a",), 5, "x.fa")
    with pytest.raises(
        DataError,
        match=r"x\.fa, row 2: the sequence 'b' has 51 bases, more than 10 times the 5 that the "
        r"model was trained on \(1 such rows\); cut it into windows of 5 bases",
    ):
        refuse_long(batch, ("a", "b"), 5, "x.fa")


def test_a_task_folder_gives_its_test_rows(tmp_path: Path) -> None:
    task = plant(tmp_path / "task")
    rows = task.read("test")
    ids, sequences = read_sequences(task.folder)
    assert ids == rows.ids
    assert sequences.to_text() == rows.sequences.to_text()


def test_folders_without_test_rows_of_single_sequences_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is not a task folder"):
        read_sequences(tmp_path)
    frame = pl.DataFrame({"id": ["a", "b"], "sequence": ["ACGT", "CCGT"], "label": [0, 1]})
    frame = frame.with_columns(pl.col("label").cast(pl.Int8))
    spec = TaskSpec(name="pairs", classes=("no", "yes"), label_kind="binary", paired=True)
    write_task(
        tmp_path / "pairs",
        spec,
        {"test": frame.with_columns(alternative=pl.Series(["ACGA", "CCGA"]))},
    )
    with pytest.raises(FolderError, match="has pairs of sequences"):
        read_sequences(tmp_path / "pairs")
    write_task(tmp_path / "plain", spec.replace(paired=False), {"train": frame})
    with pytest.raises(FolderError, match="has no test split"):
        read_sequences(tmp_path / "plain")


def test_a_split_of_a_task_folder_is_read_with_its_classes(tmp_path: Path) -> None:
    task = plant(tmp_path / "task", rows=(8, 4, 6))
    found, table = read_input(task.folder), read_input(task.path("test"))
    assert found.source == table.source == task.path("test")
    assert found.ids == table.ids == tuple(f"test-{row}" for row in range(6))
    assert found.sequences.to_text() == table.sequences.to_text()
    assert (found.classes, table.classes) == (("background", "bound"), ())
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1] * 3
    assert table.labels is None
    assert len(read_input(task.folder, split="train").ids) == 8
    for option in ("sequence_column", "id_column"):
        with pytest.raises(ConfigError, match=f"--{option.replace('_', '-')} id: .* is a folder"):
            read_input(task.folder, **{option: "id"})


def test_both_alleles_of_a_task_of_pairs_are_read(tmp_path: Path) -> None:
    task = learnable(tmp_path / "task", "regression", ("a",), paired=True, rows=(4, 4, 4))
    found = read_input(task.folder)
    assert found.alternatives is not None
    assert found.alternatives.to_text() == task.read("test").frame["alternative"].to_list()
    assert found.labels is None
    with pytest.raises(FolderError, match="task has pairs of sequences"):
        found.refuse_pairs()


@pytest.mark.parametrize("column", ["sequence", "alternative"])
def test_unknown_bases_of_a_folder_follow_the_policy_of_the_model(
    tmp_path: Path, column: str
) -> None:
    rows = {"id": ["a", "b"], "sequence": ["ACGT"] * 2, "alternative": ["ACGT"] * 2}
    frame = pl.DataFrame(rows | {column: ["ACGT", "ACNT"], "label": [0, 1]})
    spec = TaskSpec(name="x", label_kind="binary", classes=("no", "yes"), paired=True)
    write_task(tmp_path / "task", spec, {"test": frame})
    assert read_input(tmp_path / "task").ids == ("a", "b")
    with pytest.raises(DataError, match=r"test.parquet, row 2: the sequence 'b' .* position 3"):
        read_input(tmp_path / "task", "error")
