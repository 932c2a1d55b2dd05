"""How well known bases are found, against scikit-learn."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from attendna.core.errors import DataError
from attendna.interpret.truth import base_auroc, mark_bases, read_truth


def test_the_auroc_of_bases_is_that_of_sklearn_sequence_by_sequence() -> None:
    random = np.random.default_rng(0)
    # Few distinct values: ties count half.
    importance = random.integers(-3, 4, (6, 40)).astype(np.float32)
    importance[1, 25:] = np.nan
    importance[2, ::7] = np.nan
    truth = random.random((6, 40)) < 0.2
    truth[4], truth[5] = False, True
    found = base_auroc(importance, truth)
    for row in range(4):
        known = ~np.isnan(importance[row])
        expected = roc_auc_score(truth[row, known], importance[row, known])
        assert found[row] == pytest.approx(expected)
    assert np.isnan(found[4:]).all()


def test_bases_in_intervals_are_marked() -> None:
    intervals = pl.DataFrame({"id": ["b", "b", "x"], "start": [0, 3, 1], "end": [2, 4, 9]})
    marked = mark_bases(intervals, ["a", "b"], 5)
    assert marked.tolist() == [[False] * 5, [True, True, False, True, False]]


def test_shuffled_motifs_are_no_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    columns = {"id": ["a", "a"], "start": [0, 2], "end": [1, 4], "kind": ["motif", "shuffled"]}
    pl.DataFrame(columns).write_parquet(path)
    assert read_truth(path, ["a"], 4).tolist() == [[True, False, False, False]]


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    with pytest.raises(DataError, match="of a simulated task"):
        read_truth(path, ["a"], 4)
    path.write_text("no Parquet")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_truth(path, ["a"], 4)
    pl.DataFrame({"id": ["a"], "start": [0]}).write_parquet(path)
    with pytest.raises(DataError, match="the column end is missing"):
        read_truth(path, ["a"], 4)
