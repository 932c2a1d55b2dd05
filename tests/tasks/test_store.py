"""The task folder: what it refuses, what it keeps, and that it is whole or absent."""

import contextlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.planted import forget_digests

from attendna.core.errors import ConfigError, DataError, FolderError, UserError
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import find_repeated, open_task, write_task

SPEC = TaskSpec(name="toy", label_kind="binary", classes=("negative", "positive"))


def rows(prefix: str, sequences: list[str], labels: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [f"{prefix}{i}" for i in range(len(labels))],
            "sequence": sequences,
            "label": labels,
        },
        schema_overrides={"sequence": pl.String, "label": pl.Int64},
    )


@pytest.fixture
def frames() -> dict:
    return {
        "train": rows("a", ["ACGT", "ggcc", "AUNR"], [0, 1, 1]),
        "valid": rows("b", ["TTTT", "CCCC"], [1, 0]),
        "test": rows("c", ["ACAC", "GTGT"], [0, 1]),
    }


def test_a_written_task_reads_back(tmp_path: Path, frames: dict) -> None:
    frames["train"] = frames["train"].with_columns(chrom=pl.lit("chr1"), start=pl.lit(5))
    written = write_task(tmp_path / "toy", SPEC, frames)
    opened = open_task(tmp_path / "toy")
    assert opened == written
    assert opened.spec.window == 4
    assert opened.spec.rows == {"train": 3, "valid": 2, "test": 2}
    split = opened.read("train")
    assert split.ids == ("a0", "a1", "a2")
    assert split.sequences.to_text() == ["ACGT", "GGCC", "ATNN"]
    assert split.labels.dtype == np.int8
    assert split.labels.tolist() == [0, 1, 1]
    assert split.frame.columns == ["id", "sequence", "label", "chrom", "start"]
    assert split.frame["sequence"].to_list() == split.sequences.to_text()
    assert len(split) == 3


def test_plain_polars_and_arrow_read_the_files(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    frame = pl.read_parquet(tmp_path / "toy" / "train.parquet")
    assert frame.schema == {"id": pl.String, "sequence": pl.String, "label": pl.Int8}


def test_the_window_is_none_when_lengths_differ(tmp_path: Path, frames: dict) -> None:
    frames["test"] = rows("c", ["ACA", "GTGT"], [0, 1])
    assert write_task(tmp_path / "toy", SPEC, frames).spec.window is None


def test_training_cannot_reach_the_test_rows(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    (tmp_path / "toy" / "test.parquet").write_bytes(b"never opened")
    task = open_task(tmp_path / "toy", splits=("train", "valid"))
    assert len(task.read("valid")) == 2
    with pytest.raises(FolderError, match="open for train, valid only, not test"):
        task.read("test")
    with pytest.raises(DataError, match=r"test\.parquet: damaged or changed: its SHA-256"):
        open_task(tmp_path / "toy")


def test_the_split_hash_follows_train_and_valid_only(tmp_path: Path, frames: dict) -> None:
    first = write_task(tmp_path / "one", SPEC, frames).split_hash()
    assert open_task(tmp_path / "one", ("train", "valid")).split_hash() == first
    frames["test"] = rows("c", ["ACAC", "GTGA"], [0, 1])
    assert write_task(tmp_path / "two", SPEC, frames).split_hash() == first
    frames["valid"] = rows("b", ["TTTT", "CCCC"], [0, 1])
    assert write_task(tmp_path / "three", SPEC, frames).split_hash() != first


def test_a_task_may_hold_only_a_test_split(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, {"test": frames["test"]})
    assert open_task(tmp_path / "toy").splits == ("test",)
    with pytest.raises(FolderError, match="has no train split, only test"):
        open_task(tmp_path / "toy", ("train", "valid"))


BAD_ROWS = {
    "missing column": (lambda f: f.drop("label"), r"train\.parquet: the column label is missing"),
    "missing value": (
        lambda f: f.with_columns(sequence=pl.Series([None, "A", "C"], dtype=pl.String)),
        r"train\.parquet, row 1: the sequence is missing",
    ),
    "missing label of pandas": (
        lambda f: f.with_columns(label=pl.Series([0.0, 1.0, float("nan")])),
        r"train\.parquet, row 3: the label is missing",
    ),
    "text labels": (
        lambda f: f.with_columns(label=pl.Series(["x", "y", "z"])),
        "the column label is String; make it class numbers",
    ),
    "numeric sequences": (
        lambda f: f.with_columns(sequence=pl.Series([1, 2, 3])),
        "the column sequence is Int64; make it text",
    ),
    "duplicate id": (
        lambda f: f.with_columns(id=pl.Series(["a0", "x", "a0"])),
        r"train\.parquet, row 3: the id 'a0' is also row 1 of train\.parquet",
    ),
    "id of another split": (
        lambda f: f.with_columns(id=pl.Series(["a0", "a1", "b1"])),
        r"valid\.parquet, row 2: the id 'b1' is also row 3 of train\.parquet",
    ),
    "label outside": (
        lambda f: f.with_columns(label=pl.Series([0, 1, 2])),
        r"train\.parquet, row 3: the label 2 is none of 0 to 1 \(negative, positive\)",
    ),
    "huge label": (
        lambda f: f.with_columns(label=pl.Series([0, 1, 257])),
        "row 3: the label 257 is none of",
    ),
    "negative label": (
        lambda f: f.with_columns(label=pl.Series([0, -1, 1])),
        "row 2: the label -1",
    ),
    "one class": (
        lambda f: f.with_columns(label=pl.Series([1, 1, 1])),
        r"every row has the label 1 \(positive\); add rows of another class",
    ),
    "no rows": (lambda f: f.clear(), "the split has no rows"),
    "empty sequence": (
        lambda f: f.with_columns(sequence=pl.Series(["A", "", "C"])),
        "row 2: the sequence is empty",
    ),
    "not a base": (
        lambda f: f.with_columns(sequence=pl.Series(["A", "AC GT", "C"])),
        "row 2: the character ' ' at position 3 is not a base",
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_are_refused_and_nothing_is_written(
    tmp_path: Path, frames: dict, name: str
) -> None:
    spoil, message = BAD_ROWS[name]
    frames["train"] = spoil(frames["train"])
    with pytest.raises(DataError, match=message) as caught:
        write_task(tmp_path / "toy", SPEC, frames)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in BAD_ROWS if name != "not a base"])
def test_a_folder_spoiled_afterwards_is_refused_on_opening(
    tmp_path: Path, frames: dict, name: str
) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    spoil, _ = BAD_ROWS[name]
    forget_digests(tmp_path / "toy")
    spoil(frames["train"]).write_parquet(tmp_path / "toy" / "train.parquet")
    with pytest.raises(UserError, match=r"train\.parquet") as caught:
        open_task(tmp_path / "toy").read("train")
    assert "\n" not in str(caught.value)


def test_an_empty_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="needs at least one split"):
        write_task(tmp_path / "toy", SPEC, {})


def test_a_stated_window_must_hold(tmp_path: Path, frames: dict) -> None:
    with pytest.raises(DataError, match="sequences of 4 to 4 bases, but the window is 5"):
        write_task(tmp_path / "toy", SPEC.replace(window=5), frames)


def test_an_existing_folder_is_kept_without_force(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    before = (tmp_path / "toy" / "train.parquet").read_bytes()
    frames["train"] = rows("d", ["AAAA", "CCCC"], [0, 1])
    with pytest.raises(FolderError, match="exists"):
        write_task(tmp_path / "toy", SPEC, frames)
    assert (tmp_path / "toy" / "train.parquet").read_bytes() == before
    assert write_task(tmp_path / "toy", SPEC, frames, force=True).read("train").ids == ("d0", "d1")


def test_a_missing_file_is_named(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    (tmp_path / "toy" / "valid.parquet").unlink()
    with pytest.raises(FolderError, match=r"valid\.parquet is missing"):
        open_task(tmp_path / "toy")


def test_a_truncated_file_is_named(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    path = tmp_path / "toy" / "train.parquet"
    whole = path.read_bytes()
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"train\.parquet: damaged or changed"):
            open_task(tmp_path / "toy")
    forget_digests(tmp_path / "toy")
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"train\.parquet: damaged, or not a whole Parquet"):
            open_task(tmp_path / "toy")


def test_flipped_bytes_never_give_a_traceback(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    path = tmp_path / "toy" / "train.parquet"
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(200):
        spoiled = bytearray(whole)
        spoiled[generator.integers(len(whole))] ^= 1 << int(generator.integers(8))
        path.write_bytes(spoiled)
        with pytest.raises(DataError, match=r"train\.parquet: damaged or changed"):
            open_task(tmp_path / "toy")
    forget_digests(tmp_path / "toy")
    for _ in range(200):
        spoiled = bytearray(whole)
        spoiled[generator.integers(len(whole))] ^= 1 << int(generator.integers(8))
        path.write_bytes(spoiled)
        with contextlib.suppress(UserError):
            open_task(tmp_path / "toy").read("train")


def test_rows_changed_by_hand_are_refused_with_what_to_do(tmp_path: Path, frames: dict) -> None:
    task = write_task(tmp_path / "toy", SPEC, frames)
    assert set(task.spec.sha256) == {"train.parquet", "valid.parquet", "test.parquet"}
    frames["valid"].with_columns(label=1 - frames["valid"]["label"]).write_parquet(
        tmp_path / "toy" / "valid.parquet"
    )
    open_task(tmp_path / "toy", ("train", "test"))
    with pytest.raises(DataError, match=r"valid\.parquet: damaged or changed.*data import"):
        open_task(tmp_path / "toy")


def test_folders_of_another_version_are_refused(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    card = tmp_path / "toy" / "task.yaml"
    card.write_text(card.read_text().replace("format: 1", "format: 99"))
    with pytest.raises(FolderError, match=r"has format 99, attendna .* reads format 1"):
        open_task(tmp_path / "toy")


def test_an_unknown_key_in_the_card_is_refused(tmp_path: Path, frames: dict) -> None:
    write_task(tmp_path / "toy", SPEC, frames)
    card = tmp_path / "toy" / "task.yaml"
    card.write_text(card.read_text() + "clases: [a, b]\n")
    with pytest.raises(ConfigError, match="did you mean classes"):
        open_task(tmp_path / "toy")


def test_what_is_no_task_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no such task folder"):
        open_task(tmp_path / "nowhere")
    with pytest.raises(FolderError, match=r"it has no task\.yaml"):
        open_task(tmp_path)
    (tmp_path / "a.csv").write_text("sequence,label\n")
    with pytest.raises(FolderError, match=r"a\.csv is a file; name the folder"):
        open_task(tmp_path / "a.csv")


def test_a_folder_made_by_hand_is_read(tmp_path: Path, frames: dict) -> None:
    (tmp_path / "task.yaml").write_text(
        "format: 1\nname: mine\nlabel_kind: binary\nclasses: [closed, open]\n"
    )
    frames["train"].write_parquet(tmp_path / "train.parquet")
    task = open_task(tmp_path)
    assert task.splits == ("train",)
    assert task.read("train").labels.tolist() == [0, 1, 1]


def test_the_second_sequences_of_pairs_are_checked_and_kept(tmp_path: Path) -> None:
    spec = SPEC.replace(paired=True)
    frame = rows("a", ["ACGT", "CCGT"], [0, 1])
    with pytest.raises(DataError, match="the column alternative is missing"):
        write_task(tmp_path / "task", spec, {"train": frame})
    bad = frame.with_columns(alternative=pl.Series(["ACGA", "CC!T"]))
    with pytest.raises(DataError, match="row 2: the character '!' at position 3 is not a base"):
        write_task(tmp_path / "task", spec, {"train": bad})
    null = frame.with_columns(alternative=pl.Series(["ACGA", None]))
    with pytest.raises(DataError, match="row 2: the alternative is missing"):
        write_task(tmp_path / "task", spec, {"train": null})
    assert not (tmp_path / "task").exists()
    good = frame.with_columns(alternative=pl.Series(["acga", "CCG"]))
    write_task(tmp_path / "task", spec, {"train": good})
    split = open_task(tmp_path / "task").read("train")
    assert split.alternatives is not None
    assert split.alternatives.to_text() == ["ACGA", "CCG"]
    assert split.sequences.to_text() == ["ACGT", "CCGT"]
    # A task of single sequences has none, even if a column is called so.
    write_task(tmp_path / "plain", SPEC, {"train": good})
    assert open_task(tmp_path / "plain").read("train").alternatives is None


def test_repeated_sequences_of_a_class_are_counted() -> None:
    texts = ["ACGT"] * 50 + ["AAAA", "CCCC"] * 4 + ["GGGG", "TTTT", "GGGG"]
    frame = pl.DataFrame({"sequence": texts, "label": [0] * 50 + [1] * 8 + [2] * 3})
    assert find_repeated(frame, ("a", "b", "c")) == [
        "the 50 rows of the class a are one sequence, repeated",
        "the 8 rows of the class b are 2 sequences, repeated",
    ]
