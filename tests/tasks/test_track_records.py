"""Folders of training records: what is found, decoded and refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.track_folders import BINS, CROP, TRACKS, WINDOW, write_records

from attendna.core.errors import DataError, FolderError
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
