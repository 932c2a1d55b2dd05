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
    log_axis,
    number_tick,
    rgba,
    series_line,
    value_range,
    whole_axis,
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


def test_no_two_of_many_series_look_alike() -> None:
    looks = [series_line(number) for number in range(24)]
    assert len({(look.color, look.dash) for look in looks}) == 24
    assert len({(look.color, look.symbol) for look in looks}) == 24


@pytest.mark.parametrize(
    ("values", "low", "high", "step"),
    [
        ([0.67, 1.33, 2.0], 0, 2, 1),
        ([0.25, 0.5, 0.75], 0, 1, 1),
        ([1.0], 0, 1, 1),
        ([1, 2, 3], 1, 3, 1),
        ([1, 100], 1, 100, 20),
        ([float("nan"), 3.0, 5.5], 3, 6, 1),
        ([], 0, 1, 1),
    ],
)
def test_what_is_counted_has_ticks_at_whole_numbers(
    values: list[float], low: int, high: int, step: int
) -> None:
    axis = whole_axis(values)
    assert (axis["tick0"], axis["dtick"]) == (0, step)
    room = 0.05 * (high - low)
    assert low - room < axis["range"][0] <= low
    assert high <= axis["range"][1] < high + room


@pytest.mark.parametrize("metric", ["auroc", "valid_auroc", "accuracy", "f1", "mcc", "pearson"])
@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.5, 1.0], [0.2, 0.9], [None, 0.7]])
def test_no_axis_goes_on_where_a_metric_ends(metric: str, values: list[float | None]) -> None:
    low, high = value_range(values, metric)
    known = [value for value in values if value is not None]
    assert low < min(known)
    assert max(known) < high < 1.05


def test_a_range_holds_what_is_beyond_the_limits_too() -> None:
    assert value_range([0.0, 0.1], "loss")[0] > -0.01
    low, high = value_range([-3.0, 0.5], "r2")
    assert (low < -3, 0.5 < high < 1.05) == (True, True)
    assert value_range([], "auroc") == [0, 1]
    assert value_range([5.0, 9.0])[1] > 9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"), (0.005, "0.005"), (500, "500"), (2000, "2,000"), (20_000, "20k"),
        (1_500_000, "1.5M"), (1e-5, "10<sup>−5</sup>"), (2e-6, "2·10<sup>−6</sup>"), (0, "0"),
    ],
)  # fmt: skip
def test_ticks_have_no_milli_and_no_micro(value: float, text: str) -> None:
    assert number_tick(float(value)) == text
    axis = blank("x", "y").layout.xaxis
    assert (axis.exponentformat, axis.separatethousands) == ("power", True)


@pytest.mark.parametrize(
    "values", [[0.2], [3], [0.2, 8], [3, 3e6], [1e-7, 1e9], [0, -1], [1e-3, 2e-3]]
)
def test_a_logarithmic_axis_has_some_ticks_and_not_too_many(values: list[float]) -> None:
    axis = log_axis(values)
    ends = [10**end for end in axis["range"]]
    assert 1 <= len(axis["tickvals"]) <= 6
    assert all(ends[0] <= tick <= ends[1] for tick in axis["tickvals"])
    assert all(ends[0] < value < ends[1] for value in values if value > 0)
