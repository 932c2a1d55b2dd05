"""A few records and tracks to be looked at."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.track_tasks import BIN_SIZE, BINS, CROP, SMALL, write_task

from attendna.core.config import Config, parse
from attendna.evaluation.track_examples import examples
from attendna.models.track_model import AnyTrackModelConfig
from attendna.prediction.track_records import Records, Window, predict_record

pytest.importorskip("zarr")


class _Described(Config):
    model: AnyTrackModelConfig


def test_best_middle_and_worst_with_what_was_predicted_there(tmp_path: Path) -> None:
    task = write_task(tmp_path / "human", masked=True)
    torch.manual_seed(0)
    model = parse(_Described, {"model": SMALL["model"]}, "test").model.build({"human": 3})
    records = Records(task, "test", Window.of(model, task.spec.window))
    values = np.array([0.1, 0.4, np.nan])
    scores = np.array([0.3, np.nan, 0.9, 0.5])
    frame = examples(
        model, records, "human", tracks=values, scores=scores, about={"head": "human", "n": 4}
    )
    # Two CAGE tracks, of which one is best and the other in the middle; DNase is not defined.
    assert frame["track"].to_list() == [1, 0] * 3
    assert set(frame["assay"]) == {"CAGE"}
    assert frame["id"].to_list() == ["test2"] * 2 + ["test3"] * 2 + ["test1"] * 2
    assert frame["place"].unique(maintain_order=True).to_list() == ["best", "middle", "worst"]
    predicted, observed = predict_record(model, records, "human", 2)
    row = frame.row(0, named=True)
    np.testing.assert_allclose(row["predicted"], predicted[0, :, 1], rtol=1e-6)
    seen = np.array(row["observed"], dtype=np.float64)
    np.testing.assert_allclose(seen, observed[0, :, 1])
    assert np.isnan(seen).sum() == 3
    assert row["start"] == records.split.frame["start"][2] + CROP
    assert (len(seen), row["bin_size"]) == (BINS, BIN_SIZE)
    assert "n" not in frame.columns
