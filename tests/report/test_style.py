import re
from importlib.resources import files
from itertools import product

import pytest

from attendna.report.style import (
    CLASS_COLORS,
    PAPER,
    SPLIT_LINES,
    blank,
    class_color,
    rgba,
)
from attendna.tasks.spec import SPLITS

COLORS = sorted({*CLASS_COLORS, *(line.color for line in SPLIT_LINES.values())})


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("color", "paper"), product(COLORS, PAPER.values()))
def test_every_color_stands_out_on_both_pages(color: str, paper: str) -> None:
    light, dark = sorted((luminance(color), luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_the_pages_are_those_of_the_style_sheet() -> None:
    css = files("attendna.report").joinpath("templates/report.css").read_text()
    assert re.findall(r"--paper: (#\w+)", css)[:2] == [PAPER["light"], PAPER["dark"]]


def test_splits_are_told_apart_without_color() -> None:
    assert set(SPLIT_LINES) == set(SPLITS)
    assert len({line.dash for line in SPLIT_LINES.values()}) == len(SPLITS)
    assert len({line.symbol for line in SPLIT_LINES.values()}) == len(SPLITS)


def test_class_colors_repeat() -> None:
    assert class_color(0) == class_color(len(CLASS_COLORS)) != class_color(1)


def test_rgba() -> None:
    assert rgba("#0a9673", 0.5) == "rgba(10,150,115,0.5)"


def test_blank_leaves_color_to_the_page() -> None:
    layout = blank("x", "y").layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.color is None
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("x", "y")
