"""The page about a task."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.report.data_card import describe
from attendna.report.task_page import Example, TaskPage, TrackTaskPage
from attendna.tasks.audit.audit import audit
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task
from attendna.tasks.track_spec import TrackSpec


def page(folder: Path) -> TaskPage:
    """Rows on three chromosomes, of which the test rows are all training rows."""
    random = np.random.default_rng(0)
    train = pl.DataFrame(
        {
            "id": [f"a{n}" for n in range(60)],
            "sequence": ["".join(random.choice(list("ACGT"), 50)) for _ in range(60)],
            "label": [n % 2 for n in range(60)],
            "chrom": [("chr10", "chr2", "chrX")[n % 3] for n in range(60)],
            "start": [1_000 * n for n in range(60)],
            "end": [1_000 * n + 50 for n in range(60)],
            "strand": ["+"] * 60,
        }
    )
    test = train.head(30).with_columns(id="t" + pl.col("id"))
    spec = TaskSpec(name="toy", label_kind="binary", classes=("shut", "open"), licence="CC0")
    task = write_task(folder, spec, {"train": train, "test": test})
    return TaskPage(spec, describe(task), audit(folder), (Example("a0", "shut", "ACGT" * 40),))


def test_the_verdict_comes_first_with_what_was_found(tmp_path: Path) -> None:
    sheet = page(tmp_path / "toy").sheet()
    assert sheet.lead.startswith("This data can be answered from memory")
    assert sheet.sections[0].id == "audit"
    assert any("15 of 15 open rows (100.0%) are also training rows" in w
               for w in sheet.sections[0].warnings)  # fmt: skip
    rules, baselines = sheet.sections[0].tables
    assert rules.columns[0] == "Leak rule, test"
    assert baselines.columns[0] == "Learning baseline, test"
    assert [row[0] for row in baselines.rows] == ["logistic regression on 5-mers"]
    assert any(row[1] == "100.0%" for row in rules.rows)
    assert sheet.tiles[3][1] == "leaks"


def test_chromosomes_are_drawn_in_their_order(tmp_path: Path) -> None:
    sheet = page(tmp_path / "toy").sheet()
    figure = next(s for s in sheet.sections if s.id == "chromosomes").charts[0].figure
    assert [bar.name for bar in figure.data] == ["training", "test"]
    assert list(figure.data[0].x) == ["chr2", "chr10", "chrX"]
    assert list(figure.data[0].y) == [20, 20, 20]
    sheet.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for said in ("CC0", "ACGTACGT", "Rows by chromosome", "GC content"):
        assert said in text


@pytest.mark.parametrize("rows", [Counter({"chr1": 3}), Counter()])
def test_a_task_of_tracks_has_a_page_too(tmp_path: Path, rows: Counter[str]) -> None:
    found = page(tmp_path / "toy").audit
    spec = TrackSpec(
        name="tracks", window=128, bin_size=8, bins=8, crop=32, tracks=3, rows={"train": 3}
    )
    sheet = TrackTaskPage(spec, found, {"CAGE": 2, "DNase/ATAC": 1}, {"train": rows}).sheet()
    assert [tile[1] for tile in sheet.tiles[:3]] == ["3", "128", "3"]
    assert sheet.sections[1].tables[0].rows == [["CAGE", "2"], ["DNase/ATAC", "1"]]
    chromosomes = next(s for s in sheet.sections if s.id == "chromosomes")
    assert bool(chromosomes.charts) == bool(rows)
    assert bool(chromosomes.texts) != bool(rows)
