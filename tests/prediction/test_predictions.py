from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.prediction.predictions import Predictions, on_scale, refuse_undefined


def predictions(values: np.ndarray, names: tuple[str, ...]) -> Predictions:
    ids = tuple(f"s{i}" for i in range(len(values)))
    return Predictions(ids, values.astype(np.float32), "logit", names, "run")


def test_probabilities_are_those_of_torch() -> None:
    one = np.array([[-800.0], [0.0], [3.0], [800.0]], dtype=np.float32)
    many = np.array([[1.0, 2.0, -3.0], [900.0, 0.0, -900.0]], dtype=np.float32)
    np.testing.assert_allclose(
        on_scale(one, "binary", "probability"), torch.sigmoid(torch.from_numpy(one)), rtol=1e-6
    )
    np.testing.assert_allclose(
        on_scale(many, "multiclass", "probability"),
        torch.from_numpy(many).softmax(1),
        rtol=1e-5,
        atol=1e-30,
    )
    np.testing.assert_allclose(
        on_scale(many, "multilabel", "probability"), torch.from_numpy(many).sigmoid(), rtol=1e-6
    )
    assert on_scale(one, "binary", "probability").dtype == np.float32


@pytest.mark.parametrize("scale", ["logit", "value"])
def test_numbers_and_logits_are_left_as_they_are(scale: str) -> None:
    values = np.array([[-3.5]], dtype=np.float32)
    assert on_scale(values, "regression", scale) is values


@pytest.mark.parametrize("ending", [".parquet", ".tsv"])
def test_a_file_has_the_ids_the_outputs_and_what_is_added(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    made = predictions(np.array([[0.25, 0.75], [0.5, 0.5]]), ("a", "b"))
    made.write(path, call=["b", "a"])
    read = pl.read_parquet(path) if ending == ".parquet" else pl.read_csv(path, separator="\t")
    assert read.columns == ["id", "a", "b", "call", "precision"]
    assert read.rows() == [("s0", 0.25, 0.75, "b", "fp32"), ("s1", 0.5, 0.5, "a", "fp32")]
    with pytest.raises(FolderError, match="exists"):
        made.write(path)
    made.write(path, force=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [".parquet", ".tsv"])
def test_a_foreign_table_is_not_replaced(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine{ending}"
    made = predictions(np.array([[0.25, 0.75], [0.5, 0.5]]), ("a", "b"))
    frame = pl.DataFrame({"id": ["x"], "a": [1.0], "weight": [2.0]})
    frame.write_parquet(path) if ending == ".parquet" else frame.write_csv(path, separator="\t")
    before = path.read_bytes()
    with pytest.raises(FolderError, match=rf"mine{ending} is no table of predictions"):
        made.write(path, force=True)
    assert path.read_bytes() == before
    path.write_bytes(b"")
    with pytest.raises(FolderError, match=rf"mine{ending} is no table of predictions"):
        made.write(path, force=True)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_by_its_first_row(wrong: float) -> None:
    values = np.zeros((4, 2), dtype=np.float32)
    refuse_undefined(values, "abcd", "rows.fa")
    refuse_undefined(values[:0], "", "rows.fa")
    values[2, 1] = values[3, 0] = wrong
    with pytest.raises(DataError, match=rf"rows\.fa, row 3: the model gives {wrong} for c; "):
        refuse_undefined(values, "abcd", "rows.fa")
    with pytest.raises(DataError, match=r"row 12: "):
        refuse_undefined(values[2:, None], "cd", "rows.fa", first=11)


def test_another_ending_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"out\.xlsx: the ending is not known"):
        predictions(np.array([[0.0]]), ("on",)).write(tmp_path / "out.xlsx")
    assert list(tmp_path.iterdir()) == []
