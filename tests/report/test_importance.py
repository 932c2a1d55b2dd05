from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError, FolderError
from attendna.interpret.mutagenesis import Mutagenesis, saturation_mutagenesis
from attendna.prediction.predictor import Predictor
from attendna.report.importance import LOGO, MOST_SEQUENCES, SCORES, Importance
from attendna.tasks.store import Task


def mutate(trained: Path, task: Task, rows: range) -> Mutagenesis:
    split = task.read("test")
    ids = [split.ids[row] for row in rows]
    return saturation_mutagenesis(Predictor.load(trained), split.sequences.take(rows), ids)


def test_importance_is_that_of_the_mutagenesis(trained: Path, task: Task, tmp_path: Path) -> None:
    result = mutate(trained, task, range(5))
    result.write(tmp_path / "ism")
    read = Importance.read(tmp_path / "ism")
    assert read.ids == result.ids
    assert read.total == 5
    np.testing.assert_allclose(read.values, result.importance(), rtol=1e-6)
    assert np.isnan(read.values).any()
    assert read.logo.startswith("<svg")


def test_only_the_first_sequences_are_shown(trained: Path, task: Task, tmp_path: Path) -> None:
    result = mutate(trained, task, range(3))
    many = MOST_SEQUENCES // 3 + 1
    result.to_frame().select("id", "position", "importance").write_parquet(tmp_path / SCORES)
    repeated = Mutagenesis(
        result.ids * many,
        result.sequences.take(list(range(3)) * many),
        result.classes * many,
        np.tile(result.log_odds, many),
        np.tile(result.changes, (many, 1, 1)),
        result.run_id,
    )
    repeated.write(tmp_path / "ism")
    read = Importance.read(tmp_path / "ism")
    assert (read.total, len(read.ids), len(read.values)) == (
        3 * many,
        MOST_SEQUENCES,
        MOST_SEQUENCES,
    )
    np.testing.assert_array_equal(read.values[:3], read.values[3:6])


def test_what_is_no_such_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"has no scores\.parquet"):
        Importance.read(tmp_path)
    (tmp_path / SCORES).write_bytes(b"PAR1")
    with pytest.raises(FolderError, match=r"has no logo\.svg"):
        Importance.read(tmp_path)
    (tmp_path / LOGO).write_text("<svg/>")
    with pytest.raises(DataError, match=r"scores\.parquet: damaged"):
        Importance.read(tmp_path)
