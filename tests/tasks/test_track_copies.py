"""What a worker does: records are copied, and compared with the genome where they are from."""

from pathlib import Path

import numpy as np
import pytest
from tests.tasks.track_folders import WINDOW, write_records, write_track_task

from attendna.core.errors import DataError
from attendna.genome.reference import open_reference
from attendna.tasks.track_copies import Copy, RecordUnit
from attendna.tasks.track_records import find_records
from attendna.tasks.track_writer import Slot
from attendna.tasks.tracks import open_track_task

pytest.importorskip("zarr")


def test_records_are_compared_with_their_place(tmp_path: Path) -> None:
    held = write_records(tmp_path / "r")
    sequences = [codes for split in held.values() for codes, _ in split]
    letters = "".join("ACGTN"[code] for codes in sequences for code in codes)
    task = write_track_task(tmp_path / "t")
    folder = find_records(tmp_path / "r")
    places = folder.places({"train": 5, "valid": 2, "test": 2})
    assert places is not None
    file = folder.files[1]
    assert file.path.name == "train-0.tfr"
    unit = RecordUnit(file.path, (Slot("train", 4), Slot("train", 3)), places["train"][:2])
    # One base of the second record is another allele.
    other = letters[:WINDOW] + ("A" if letters[WINDOW] != "A" else "C") + letters[WINDOW + 1 :]
    for text, equal in ((letters, 2), (other, 1)):
        (tmp_path / "g.fa").write_text(f">chr1\n{text}\n")
        reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
        found = Copy(_records(task.folder), folder.shape, None, 1, "mean", reference)(unit)
        assert (found.equal, found.missing) == (equal, 0)
        assert [told.slot.row for told in found.told] == [4, 3]
    again = open_track_task(task.folder).read("train").read([4, 3])
    for row in range(2):
        assert np.array_equal(again.sequences[row], held["train"][row][0])
        assert np.array_equal(again.targets[row], held["train"][row][1])
    (tmp_path / "g.fa").write_text(f">chr1\n{letters[::-1]}\n")
    reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
    with pytest.raises(DataError, match="of its bases are those of the genome where"):
        Copy(_records(task.folder), folder.shape, None, 1, "mean", reference)(unit)


def test_records_where_the_genome_is_not_held_are_counted(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    task = write_track_task(tmp_path / "t")
    folder = find_records(tmp_path / "r")
    places = folder.places({"train": 5, "valid": 2, "test": 2})
    assert places is not None
    (tmp_path / "g.fa").write_text(">chr2\nACGT\n")
    reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
    unit = RecordUnit(folder.files[1].path, (Slot("train", 0), Slot("train", 1)), places["train"])
    for given, missing in ((reference, 2), (None, 0)):
        found = Copy(_records(task.folder), folder.shape, None, 1, "mean", given)(unit)
        assert (found.equal, found.missing) == (0, missing)


def _records(folder: Path):
    from attendna.tasks.track_writer import Records

    return Records(folder, "float16")
