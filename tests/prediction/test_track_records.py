"""Records cut to what a model reads and predicts."""

from pathlib import Path

import numpy as np
import pytest
from tests.genome.genome_files import write_genome
from tests.training.track_tasks import BINS, WINDOW, genome_of, signal, write_task

from attendna.core.errors import ConfigError
from attendna.genome.alphabet import decode
from attendna.prediction.track_records import Records, Window, tracks_of
from attendna.tasks.tracks import TrackTask, open_track_task

pytest.importorskip("zarr")

ROWS = np.array([0, 2])


@pytest.fixture
def task(tmp_path: Path) -> TrackTask:
    return open_track_task(write_task(tmp_path / "t").folder)


def starts(rows: np.ndarray) -> np.ndarray:
    return 1000 + WINDOW * rows


def test_the_middle_of_bases_and_bins(task: TrackTask) -> None:
    records = Records(task, "train", Window(256, 8, 20))
    genome = genome_of(0)
    codes = records.sequences(ROWS)
    for start, row in zip(starts(ROWS), codes, strict=True):
        np.testing.assert_array_equal(row, genome[start + 64 : start + 64 + 256])
    whole = np.stack([signal(genome[s : s + WINDOW]) for s in starts(ROWS)])
    np.testing.assert_array_equal(records.targets(ROWS), whole[:, 6:26])
    wide = Records(task, "train", Window(WINDOW, 16, 16))
    np.testing.assert_allclose(wide.targets(ROWS), whole.reshape(2, 16, 2, 3).mean(2))
    # A shift within the record moves real bases in.
    moved = records.sequences(ROWS, np.array([3, -2]))
    np.testing.assert_array_equal(moved[0], genome[starts(ROWS)[0] + 67 :][:256])
    np.testing.assert_array_equal(moved[1], genome[starts(ROWS)[1] + 62 :][:256])


def test_more_than_the_record_comes_from_the_genome(task: TrackTask, tmp_path: Path) -> None:
    genome = genome_of(0)
    path = write_genome(tmp_path, {"chr1": decode(genome)}, "fa")
    records = Records(task, "train", Window(WINDOW + 128, 8, BINS), path)
    for move in (0, 5):
        codes = records.sequences(ROWS, np.array([move, move]))
        for start, row in zip(starts(ROWS), codes, strict=True):
            np.testing.assert_array_equal(row, genome[start - 64 + move :][: WINDOW + 128])
    far = Records(task, "train", Window(WINDOW + 2048, 8, BINS), path).sequences(ROWS)
    assert (far[0, :24] == 4).all()
    np.testing.assert_array_equal(far[0, 24:424], genome[:400])


def test_bins_that_are_not_there_are_refused(task: TrackTask) -> None:
    with pytest.raises(ConfigError, match=r"the records of .* have 32 such; set model.bins=32"):
        Records(task, "train", Window(WINDOW, 8, 34))
    with pytest.raises(ConfigError, match="name the genome in genomes"):
        Records(task, "train", Window(WINDOW + 8, 8, BINS))


def test_tracks_are_those_of_the_table(task: TrackTask) -> None:
    found = tracks_of(task)
    assert [track.strand_pair for track in found] == [1, 0, 2]
    assert found[0].identifier == "A+"
