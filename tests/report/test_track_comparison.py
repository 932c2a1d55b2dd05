"""Two models of tracks, record by record; real runs are drawn in ``test_track_run``."""

import polars as pl
import pytest

from attendna.report.track_comparison import TrackComparisonPage


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.2, "CAGE: better"),
        (-0.2, -0.01, "CAGE: worse"),
        (-0.1, 0.1, "CAGE: neither better nor worse beyond the interval"),
    ],
)
def test_the_lead_says_what_the_interval_says(low: float, high: float, said: str) -> None:
    rows = pl.DataFrame(
        {
            "head": ["human"], "assay": ["CAGE"], "n": [3], "first": [0.4], "second": [0.5],
            "difference": [0.1], "low": [low], "high": [high], "correlation": [float("nan")],
            "as_good": [1.0],
        }
    )  # fmt: skip
    scores = pl.DataFrame(
        {
            "head": ["human"] * 3, "assay": ["CAGE"] * 3, "id": ["a", "b", "c"],
            "first": [0.4] * 3, "second": [0.4] * 3,
        }
    )  # fmt: skip
    sheet = TrackComparisonPage("dense", "sparse", "test", rows, scores).sheet()
    assert said in sheet.lead
    assert sheet.sections[0].tables[0].rows[0][7] == "not defined"
