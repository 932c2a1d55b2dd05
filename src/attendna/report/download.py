"""The data of a page as CSV: of every figure, table and matrix, as what a link can save.

A link holds the file itself, so that it works from the disk, in a mail and without JavaScript.
"""

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
import plotly.graph_objects as go
import polars as pl

_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~,;:/!*()+=|"
"""Letters that stand in an address as they are."""

_NUMBER = re.compile(r"[-+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_MISSING = ("", "–", "-")
_BLANKS = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " ", "−": "-"})


def csv_address(text: str) -> str:
    """A CSV file as the address of a link that saves it."""
    return "data:text/csv;charset=utf-8," + quote(text, safe=_SAFE)


def file_name(title: str) -> str:
    """A title as the name of a file, without its ending."""
    return re.sub(r"[^A-Za-z0-9.]+", "_", title).strip("_.")[:60] or "data"


def figure_csv(figure: go.Figure) -> str:
    """The numbers of a figure.

    A row is a point of a series, with the ends of its interval and its label where it has them; of
    a heat map a row is a row of it. Lines that only guide the eye are left out.
    """
    names = _axis_name(figure, "x"), _axis_name(figure, "y")
    traces: tuple[Any, ...] = figure.data  # pyright: ignore[reportAssignmentType]
    for trace in traces:
        if trace.type == "heatmap":
            return _written(*_map_rows(trace, names))
    points = [
        point for trace in traces if trace.hoverinfo != "skip" for point in _points(trace, names)
    ]
    columns = dict.fromkeys(key for point in points for key in point)
    return _written(list(columns), [[point.get(key, "") for key in columns] for point in points])


def frame_csv(frame: pl.DataFrame) -> str:
    """A table of numbers."""
    return _written(frame.columns, frame.rows())


def table_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text, in which numbers, percents and intervals become numbers.

    ``1,234`` is written as 1234, ``–`` as an empty cell, ``5 %`` as 5 in a column whose name ends
    in ``(%)``, and ``0.1 to 0.3`` as two columns, low and high.
    """
    names: list[str] = []
    cells: list[list[str]] = []
    for place, column in enumerate(columns):
        texts = [row[place].translate(_BLANKS).strip() for row in rows]
        texts = ["" if text in _MISSING else text for text in texts]
        parts = {
            name: [part[end] if part else "" for part in map(_interval, texts)]
            for end, name in enumerate(("low", "high"))
        }
        if all(bool(text) == bool(low) for text, low in zip(texts, parts["low"], strict=True)) and (
            any(texts)
        ):
            about = columns[place - 1] if place and "interval" in column else column
            split = [(f"{about} {end}", found) for end, found in parts.items()]
        else:
            split = [(column, texts)]
        for name, found in split:
            title, values = _without_percents(name, found)
            names.append(_unused(title or "column", names))
            cells.append([_number(value) for value in values])
    return _written(names, list(zip(*cells, strict=True)))


def matrix_csv(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """A confusion matrix: rows are true classes, columns the classes they were given."""
    rows = [[name, *counts] for name, counts in zip(classes, confusion, strict=True)]
    return _written(["true class", *(f"predicted {name}" for name in classes)], rows)


def _axis_name(figure: go.Figure, letter: str) -> str:
    return html.unescape(figure.layout[f"{letter}axis"].title.text or letter)


def _points(trace: Any, names: tuple[str, str]) -> Iterator[dict[str, Any]]:
    x, y = names
    y = y if y != x else f"{y} (vertical)"
    count = len(trace.y if trace.y is not None else trace.x)
    values: dict[str, Any] = {x: trace.x, y: trace.y}
    for name, held, error in ((x, trace.x, trace.error_x), (y, trace.y, trace.error_y)):
        if error.array is not None:
            middle = np.asarray(held, dtype=np.float64)
            low = error.array if error.arrayminus is None else error.arrayminus
            values[f"{name} low"] = middle - np.asarray(low, dtype=np.float64)
            values[f"{name} high"] = middle + np.asarray(error.array, dtype=np.float64)
    color = trace.marker.color if trace.type == "scatter" else None
    if color is not None and not isinstance(color, str):
        values[trace.marker.colorbar.title.text or "color"] = color
    if trace.text is not None and not isinstance(trace.text, str):
        values["label"] = [html.unescape(str(text)) for text in trace.text]
    series = {"series": html.unescape(trace.name)} if trace.name else {}
    for place in range(count):
        yield series | {name: held[place] for name, held in values.items() if held is not None}


def _map_rows(trace: Any, names: tuple[str, str]) -> tuple[list[str], list[list[Any]]]:
    cells = np.asarray(trace.z)
    across = range(cells.shape[1]) if trace.x is None else trace.x
    down = range(cells.shape[0]) if trace.y is None else trace.y
    columns = [f"{names[1]} / {names[0]}", *(_text(place) for place in across)]
    return columns, [[place, *row] for place, row in zip(down, cells.tolist(), strict=True)]


def _interval(text: str) -> tuple[str, str] | None:
    """The ends of ``0.1 to 0.3``; none of any other text."""
    low, to, high = text.partition(" to ")
    ends = low.strip(), high.strip()
    if to and all(_NUMBER.fullmatch(end.rstrip("% ")) for end in ends):
        return ends
    return None


def _without_percents(name: str, texts: Sequence[str]) -> tuple[str, list[str]]:
    known = [text for text in texts if text]
    if known and all(text.endswith("%") and _NUMBER.fullmatch(text.rstrip("% ")) for text in known):
        return f"{name} (%)", [text.rstrip("% ") for text in texts]
    return name, list(texts)


def _unused(name: str, names: Sequence[str]) -> str:
    """The name, with a number where a column before has it too."""
    return next(
        found
        for found in (name, *(f"{name} ({number})" for number in range(2, len(names) + 3)))
        if found not in names
    )


def _number(text: str) -> str:
    return text.replace(",", "") if _NUMBER.fullmatch(text) else text


def _text(value: object) -> str:
    """A value as it is written: seven digits of numbers, nothing of what is missing."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.7g}"
    text = str(value)
    # A spreadsheet would run it as a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not _NUMBER.fullmatch(text) else text


def _written(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(_text, columns))
    writer.writerows([_text(value) for value in row] for row in rows)
    return stream.getvalue()
