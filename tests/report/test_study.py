import math
from pathlib import Path

from attendna.report.sheet import Table
from attendna.report.study import Mark, MetricPart, StudyPage, TaskPart, dots

NONE = math.nan
MARKS = [
    Mark("rotary", 0.9, 0.88, 0.91, 0.98, kind="run"),
    Mark("<none>", 0.8, NONE, NONE, NONE, kind="run"),
    Mark("majority", 0.5, 0.4, 0.6, NONE, kind="reference"),
]
PART = MetricPart("auroc", MARKS, Table(("row", "mean"), [("rotary", "0.9000")]))


def test_points_have_their_intervals_and_what_was_published() -> None:
    runs, baselines, published = dots(PART).data
    assert list(runs.x) == [0.9, 0.8]
    assert abs(runs.error_x.array[0] - 0.01) < 1e-9
    assert list(runs.error_x.arrayminus)[1] == 0
    assert list(baselines.y) == ["majority"]
    assert (list(published.x), list(published.y)) == ([0.98], ["rotary"])


def test_the_page_says_what_came_to_nothing(tmp_path: Path) -> None:
    costs = Table(("task", "row", "finished"), [("P", "rotary", "2 of 3")], 2)
    page = StudyPage(
        "Positions <b>", "Why", "A note", [TaskPart("P", "Audit: clean.", [PART])], costs, ["lost"]
    )
    sheet = page.sheet()
    assert sheet.tiles[0] == ("Runs", "2", "of 3")
    sheet.write(tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<b>" not in text.partition("<title>")[2].partition("</title>")[0]
    for said in ("Audit: clean.", "A note", "lost", "P, auroc"):
        assert said in text
