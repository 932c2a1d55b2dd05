"""Leak rules and baselines, on data that gives them away, and shares by hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.tasks.audit.rows import Rows, read_rows
from attendna.tasks.audit.rules import gc_of, measure_rules, share
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task


def right(rows: Rows) -> dict[str, float]:
    train, test = (rows.take(np.flatnonzero(rows.inside(s))) for s in ("train", "test"))
    return {rule.rule: rule.accuracy.value for rule in measure_rules(train, test)}


def test_shares_have_wilsons_interval() -> None:
    found = share(8, 10)
    z, p, n = 1.959964, 0.8, 10
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-5)
    assert share(0, 0).high == 1


def test_duplicates_are_looked_up_and_overlaps_known(tmp_path: Path) -> None:
    """All positives have twins in training; no negative has one."""
    tables = {
        "train/negative": apart(40, 100),
        "train/positive": apart(20) * 2,
        "test/negative": apart(10, 200),
        "test/positive": apart(10),
    }
    found = right(read_rows(write_intervals(tmp_path / "set", tables)))
    assert found == {"majority": 0.5, "look-up": 1.0, "overlap": 1.0}
    moved = [(chrom, start + 60, end + 60) for chrom, start, end in apart(10)]
    tables["test/positive"] = moved
    found = right(read_rows(write_intervals(tmp_path / "moved", tables)))
    assert found == {"majority": 0.5, "look-up": 0.5, "overlap": 1.0}


def test_rows_without_a_twin_get_the_class_of_such_rows(tmp_path: Path) -> None:
    """Here the positives are those that stand alone."""
    tables = {
        "train/negative": apart(20, 100) * 2,
        "train/positive": apart(20),
        "test/negative": apart(10, 100),
        "test/positive": apart(10, 50),
    }
    assert right(read_rows(write_intervals(tmp_path / "set", tables)))["look-up"] == 1.0


def test_composition_and_length_give_classes_away(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def rows(count: int, seed: int) -> pl.DataFrame:
        labels = np.arange(count) % 2
        texts = [
            "".join(random.choice(list("ACGT"), 60 + 5 * label, p=ODDS[label])) for label in labels
        ]
        ids = [f"{seed}-{i}" for i in range(count)]
        return pl.DataFrame({"id": ids, "sequence": texts, "label": labels})

    spec = TaskSpec(name="rich", label_kind="binary", classes=("poor", "rich"))
    frames = {"train": rows(200, 1), "valid": rows(20, 2), "test": rows(80, 3)}
    data = read_rows(write_task(tmp_path / "task", spec, frames).folder)
    found = right(data)
    assert found["length"] == 1.0
    assert min(found[rule] for rule in ("GC", "k-mers", "neighbor")) > 0.7
    assert found["look-up"] == found["majority"] == 0.5
    gc = gc_of(data)
    text = data.sequences.to_text()[7] if data.sequences else ""
    assert gc[7] == pytest.approx((text.count("G") + text.count("C")) / len(text))


ODDS = ([0.3, 0.2, 0.2, 0.3], [0.15, 0.35, 0.35, 0.15])
