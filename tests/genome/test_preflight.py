"""Rules about rows, and the list of those that break them."""

import pickle
from pathlib import Path

import polars as pl

from attendna.genome.preflight import COMPLAINTS, BadRowsError, Rule, judge, no_complaints

RULES = [
    Rule(pl.col("size") < 0, pl.format("size {} is negative", "size"), "turn it around"),
    Rule(pl.col("size") % 2 != 0, pl.lit("odd"), "make it even"),
    Rule(pl.col("absent") > 0, pl.lit("never"), "never"),
]


def test_each_bad_row_is_told_once_and_the_good_ones_stay() -> None:
    frame = pl.DataFrame({"line": [1, 2, 5, 9], "size": [-3, 4, None, 7]})
    good, complaints = judge(frame, RULES)
    assert good["line"].to_list() == [2, 5]
    assert complaints.rows() == [
        (1, "size -3 is negative", "turn it around"),
        (9, "odd", "make it even"),
    ]
    assert complaints.schema == COMPLAINTS


def test_without_a_bad_row_the_table_stays_as_it_is() -> None:
    frame = pl.DataFrame({"line": [1], "size": [2]})
    good, complaints = judge(frame, RULES)
    assert good is frame
    assert complaints.equals(no_complaints())
    assert judge(frame, [])[0] is frame


def test_the_error_shows_three_rows_and_holds_all() -> None:
    lines = list(range(1, 6))
    complaints = pl.DataFrame({"line": lines, "problem": "odd", "fix": "make it even"})
    error = BadRowsError(Path("peaks.bed"), complaints)
    assert str(error) == (
        "peaks.bed: 5 bad rows: line 1: odd (make it even); line 2: odd (make it even); "
        "line 3: odd (make it even); and 2 more"
    )
    assert "peaks.bed: 1 bad row: line 1" in str(BadRowsError(Path("peaks.bed"), complaints[:1]))
    assert pickle.loads(pickle.dumps(error)).complaints.equals(complaints)
