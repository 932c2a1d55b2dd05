"""Folders of training records: what is found, decoded and refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.track_folders import BINS, CROP, TRACKS, WINDOW, write_records

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.tasks.track_records import decode, find_records, read_shape

HERE = Path("train-0.tfr")


def test_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = ["train-10.tfr", "train-2.tfr", "fold1-0-1.tfrecord", "fold1-0-0.tfr", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()
    found = find_records(tmp_path)
    assert [file.path.name for file in found.files] == [
        "fold1-0-0.tfr",
        "fold1-0-1.tfrecord",
        "train-2.tfr",
        "train-10.tfr",
    ]
    assert [file.group for file in found.files] == ["fold1", "fold1", "train", "train"]


def test_folders_without_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no such folder"):
        find_records(tmp_path / "none")
    with pytest.raises(FolderError, match="holds no records"):
        find_records(tmp_path)


def test_both_layouts_and_both_types_are_read(tmp_path: Path) -> None:
    shape = _shape(tmp_path)
    codes = np.arange(WINDOW, dtype=np.uint8) % 5
    one_hot = np.eye(5, dtype=np.uint8)[codes][:, :4]
    for kind in ("f2", "f4"):
        targets = np.linspace(0, 9, BINS * TRACKS).reshape(BINS, TRACKS).astype(kind)
        for sequence in (codes, one_hot):
            example = {"sequence": sequence.tobytes(), "target": targets.tobytes()}
            found, values = decode(example, shape, HERE, 1)
            assert np.array_equal(found, codes)
            assert values.dtype == targets.dtype
            assert np.array_equal(values, targets)
        example = {"sequence": codes.astype(np.int64), "target": targets.ravel().astype("f4")}
        assert np.array_equal(decode(example, shape, HERE, 1)[0], codes)


def test_records_of_another_shape_or_layout_are_refused(tmp_path: Path) -> None:
    shape = _shape(tmp_path)
    codes = np.zeros(WINDOW, np.uint8)
    targets = np.zeros((BINS, TRACKS), np.float16)
    six, two = codes.copy(), np.tile(np.array([1, 0, 0, 0], np.uint8), WINDOW)
    six[4], two[5] = 6, 1
    far = targets.copy()
    far[2, 1] = np.inf
    good = {"sequence": codes.tobytes(), "target": targets.tobytes()}
    for change, said in (
        ({"sequence": six.tobytes()}, "6 at base 5 is no index of a base"),
        ({"sequence": two.tobytes()}, r"base 2 is \[1, 1, 0, 0\]"),
        ({"sequence": codes[:-1].tobytes()}, "a sequence of 95 bytes"),
        ({"target": targets[:, :2].tobytes()}, "the target has 2 tracks of 8 bins, not 3"),
        ({"target": targets.tobytes()[:-1]}, "the target has"),
        ({"target": np.zeros(24, np.int64)}, "the target has"),
        ({"target": far.tobytes()}, "track 1 is infinite in bin 2"),
    ):
        with pytest.raises(DataError, match=f"train-0.tfr, row 7: .*{said}"):
            decode(good | change, shape, HERE, 7)
    with pytest.raises(DataError, match="there is no target, only sequence"):
        decode({"sequence": codes.tobytes()}, shape, HERE, 1)
    with pytest.raises(DataError, match="written as indices, not one_hot; add --layout indices"):
        decode(good, shape, HERE, 1, "one_hot")


def test_masked_targets_stay_masked(tmp_path: Path) -> None:
    targets = np.zeros((BINS, TRACKS), np.float16)
    targets[1] = np.nan
    example = {"sequence": bytes(WINDOW), "target": targets.tobytes()}
    assert np.isnan(decode(example, _shape(tmp_path), HERE, 1)[1]).sum() == TRACKS


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"num_targets": 3', '"num_targets": "3"', "num_targets is 3; give a whole number"),
        ('"num_targets": 3', '"num_targets": 0', "num_targets is 0"),
        ('"target_length": 8, ', "", "target_length is None"),
        ('"seq_length": 96', '"seq_length": 95', "8 bins of 8 bases and twice 16"),
        ("{", "", "not a JSON file"),
    ],
)
def test_bad_statistics_are_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    write_records(tmp_path / "records")
    path = tmp_path / "records" / "statistics.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=said):
        read_shape(path)


def test_statistics_that_are_missing_or_no_object(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_shape(tmp_path / "statistics.json")
    (tmp_path / "statistics.json").write_text("[1]")
    with pytest.raises(DataError, match="not a JSON object"):
        read_shape(tmp_path / "statistics.json")


@pytest.mark.parametrize("central", [True, False])
def test_places_are_windows_in_the_order_of_the_records(tmp_path: Path, central: bool) -> None:
    write_records(tmp_path / "r")
    bed = tmp_path / "r" / "sequences.bed"
    counts = {"train": 5, "valid": 2, "test": 2}
    if not central:
        rows = [line.split("\t") for line in bed.read_text().splitlines()]
        bed.write_text(
            "".join(f"{c}\t{int(a) - CROP}\t{int(b) + CROP}\t{s}\n" for c, a, b, s in rows)
        )
    places = find_records(tmp_path / "r").places(counts)
    assert places is not None
    assert places["valid"].rows() == [("chr1", 480, 576), ("chr1", 576, 672)]
    with pytest.raises(DataError, match="2 test intervals, but 3 records"):
        find_records(tmp_path / "r").places(counts | {"test": 3})
    bed.write_text("chr1\t0\t50\ttrain\n")
    with pytest.raises(DataError, match="intervals of 50 to 50 bases, not 96"):
        find_records(tmp_path / "r").places(counts)
    bed.unlink()
    assert find_records(tmp_path / "r").places(counts) is None


def _shape(tmp_path: Path):
    write_records(tmp_path / "records")
    shape = read_shape(tmp_path / "records" / "statistics.json")
    assert json.loads((tmp_path / "records" / "statistics.json").read_text())["crop_bp"] == CROP
    return shape


@pytest.mark.parametrize(
    ("names", "groups", "ids"),
    [
        (["train-00001-of-00002", "train-00000-of-00002"], ["train"] * 2,
         ["train-00000-of-00002", "train-00001-of-00002"]),
        (["x-train.tfrecord-00000-of-00001.gz", "x-val.tfrecord-00000-of-00001"],
         ["train", "valid"], ["x-train-00000-of-00001", "x-val-00000-of-00001"]),
        (["train-00000-of-00001.tfr"], ["train"], ["train-00000-of-00001"]),
        (["hg38.Validation.TFRECORDS", "train.tfr"], ["train", "valid"],
         ["train", "hg38.Validation"]),
        (["train_10.tfr", "train_9.tfr"], ["train"] * 2, ["train_9", "train_10"]),
        (["train.1.tfrecord"], ["train"], ["train.1"]),
        (["test/0.tfrecord", "train/1.tfrecord", "tfrecords/dev/1.tfr"],
         ["test", "train", "valid"], ["test/0", "train/1", "dev/1"]),
        (["fold_1.tfr", "fold_2.tfr", "part-00000-of-00001"], ["fold_1", "fold_2", "part"],
         ["fold_1", "fold_2", "part-00000-of-00001"]),
    ],
)  # fmt: skip
def test_files_are_found_under_any_name(
    tmp_path: Path, names: list[str], groups: list[str], ids: list[str]
) -> None:
    for name in [*names, "statistics.json", "events.out", "train.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_records(tmp_path)
    assert [file.group for file in found.files] == groups
    assert [file.name for file in found.files] == ids
    assert found.missing_shards == []


def test_a_folder_of_files_or_one_file_may_be_named(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    assert len(find_records(tmp_path / "r" / "tfrecords").files) == 5
    assert find_records(tmp_path / "r" / "tfrecords").folder == tmp_path / "r"
    (file,) = find_records(tmp_path / "r" / "tfrecords" / "valid-0.tfr").files
    assert (file.group, file.name) == ("valid", "valid-0")
    (tmp_path / "records").touch()
    assert [file.group for file in find_records(tmp_path / "records").files] == ["records"]


def test_missing_and_doubled_files_are_seen(tmp_path: Path) -> None:
    for number in (0, 3):
        (tmp_path / f"train-0000{number}-of-00004").touch()
    assert find_records(tmp_path).missing_shards == ["train-00001-of-00004", "train-00002-of-00004"]
    (tmp_path / "train-00000-of-00002").touch()
    with pytest.raises(FolderError, match="may hold the same records"):
        find_records(tmp_path)
    (tmp_path / "r").mkdir()
    for ending in ("tfr", "tfr.gz"):
        (tmp_path / "r" / f"train-0.{ending}").touch()
    with pytest.raises(FolderError, match="may hold the same records"):
        find_records(tmp_path / "r")


def test_splits_of_files_can_be_given(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"part-0000{number}-of-00004").touch()
    rules = ("part-00003-*=test", "*-00002-of*=valid", "part*=train")
    found = find_records(tmp_path, rules)
    assert [file.group for file in found.files] == ["test", "train", "train", "valid"]
    assert find_records(tmp_path).files[0].group == "part"
    for wrong, message in (
        (("part*",), "no files or no split"),
        (("part*=fold1",), r"write GLOB=train\|valid\|test"),
        (("x*=train",), "no file is called so"),
        (("part-00003*=test",), "no split for part-0000"),
    ):
        with pytest.raises(ConfigError, match=message):
            find_records(tmp_path, wrong)


@pytest.mark.parametrize("kind", ["f2", "f4"])
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_record_shows_its_shape(tmp_path: Path, kind: str, one_hot: bool) -> None:
    write_records(tmp_path / "r", kind=kind, one_hot=one_hot)
    folder = find_records(tmp_path / "r")
    assert folder.measure(TRACKS, 8, CROP) == replace(folder.shape, counts={})
    for tracks, width, crop in ((TRACKS, 8, 0), (TRACKS, 7, CROP), (TRACKS + 1, 8, CROP)):
        with pytest.raises(DataError, match=r"row 1: a sequence of .* do not fit"):
            folder.measure(tracks, width, crop)
