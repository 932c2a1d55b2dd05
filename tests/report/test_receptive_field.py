"""The page about how far a model sees."""

from pathlib import Path

import numpy as np
import pytest

from attendna.interpret.receptive_field import ReceptiveField
from attendna.report.receptive_field import ReceptiveFieldPage


def field(left: float = 1.0) -> ReceptiveField:
    """Sixteen bins, of which each base changes its own by ten and all others by one."""
    positions = np.array([0, 64, 127])
    changes = np.ones((3, 16)) * np.array([[left], [1.0], [1.0]])
    changes[[0, 1, 2], [0, 8, 15]] = 10.0
    distant = np.tile([left, 1.0, 1.0], (5, 1))
    return ReceptiveField(positions, changes, changes / 10, distant, 1e-9, 2.0, "human", 128, 8, 0)


def page(left: float = 1.0) -> ReceptiveFieldPage:
    found = field(left)
    return ReceptiveFieldPage(
        "tiny", "drawn at random, seed 0", found.summary(), found.to_frame(), found.by_distance()
    )


def test_the_lead_says_whether_the_sides_are_alike() -> None:
    assert page().sheet().lead.startswith("Both sides of the window count about alike: ")
    assert page(2.0).sheet().lead.startswith("The left side of the window counts more: ")
    assert page(0.5).sheet().lead.startswith("The right side of the window counts more: ")
    assert "0.50 times as much" in page(0.5).sheet().lead


def test_a_model_without_attention_has_no_sides() -> None:
    found = field()
    summary = found.summary() | {"left_over_right": float("nan"), "effects": [0.0, 0.0, 0.0]}
    sheet = ReceptiveFieldPage(
        "tiny", "random", summary, found.to_frame(), found.by_distance()
    ).sheet()
    assert sheet.lead.startswith("No bin is reached through attention")


def test_positions_distances_and_bins_are_drawn(tmp_path: Path) -> None:
    sheet = page(2.0).sheet()
    lines, places = sheet.sections[0].charts[0].figure, sheet.sections[1].charts[0].figure
    assert len(lines.data) == 3
    assert len(lines.data[0].x) == 16
    assert list(places.data[0].y) == pytest.approx([2.0, 1.0, 1.0])
    table = sheet.sections[1].tables[0]
    assert [row[2] for row in table.rows] == ["2.00", "–", "0.50"]
    sheet.write(tmp_path / "page.html")
    assert "How far tiny sees" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_of_one_sequence_there_is_no_error() -> None:
    found = field()
    summary = found.summary() | {"left_over_right_error": float("nan")}
    sheet = ReceptiveFieldPage("one", "drawn", summary, found.to_frame(), found.by_distance())
    name, _, note = sheet.sheet().tiles[0]
    assert (name, note) == ("Left over right", "no standard error of one sequence")
