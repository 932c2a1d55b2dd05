"""``data show`` of a task of tracks."""

import json
from pathlib import Path

import pytest
from tests.tasks.track_folders import write_track_task

from attendna.cli.data_show import data_show

pytest.importorskip("zarr")


def test_a_card_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_track_task(tmp_path / "t", title="Liver", notes=("mean of 4",))
    data_show(str(tmp_path / "t"))
    said = capsys.readouterr().out
    for line in (
        "title: Liver",
        "bases: 96 a record; 8 bins of 8 in the middle, 16 at either end without targets",
        "tracks: 3: histone ChIP 1, CAGE 2",
        "note: mean of 4",
    ):
        assert line in said
    assert [line.split()[:3] for line in said.splitlines()[-4:-1]] == [
        ["train", "5", "unknown"],
        ["valid", "2", "unknown"],
        ["test", "2", "unknown"],
    ]


def test_a_card_is_written_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_track_task(tmp_path / "t")
    data_show(str(tmp_path / "t"), json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["assays"] == {"histone ChIP": 1, "CAGE": 2}
    assert told["split"]["train"] == {
        "records": 5,
        "chromosomes": None,
        "unknown": 0,
        "masked": 0,
    }
