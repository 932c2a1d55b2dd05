"""How well known bases are found, against scikit-learn."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from attendna.core.errors import DataError
from attendna.interpret.truth import base_auprc, base_auroc, mark_bases, read_truth


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
    with pytest.raises(DataError, match="not a whole Parquet file"):
        read_truth(path, ["a"], 4)
    pl.DataFrame({"id": ["a"], "start": [0]}).write_parquet(path)
    with pytest.raises(DataError, match="the column end is missing"):
        read_truth(path, ["a"], 4)


def test_the_average_precision_is_of_the_bases_that_are_known() -> None:
    values = np.random.default_rng(0).random((3, 20)).astype(np.float32)
    truth = np.zeros((3, 20), dtype=bool)
    truth[:2, 4:9] = True
    values[0, 6:12] = np.nan
    values[1, :4] = np.nan
    values[1, 9:] = np.nan
    found = base_auprc(values, truth)
    known = ~np.isnan(values[0])
    assert found[0] == pytest.approx(average_precision_score(truth[0, known], values[0, known]))
    assert np.isnan(found[1:]).all()
