"""What every page is made with: templates and their filters, plotly.js, and numbers as text.

The charts are Plotly's, and plotly.js lies in a page once, compressed: the ``plotly`` package
holds only the full bundle of 4.8 MB, which gzip and base64 bring to 2.0 MB. Inline SVG would weigh
less, but reading thresholds, bins and bases by pointing is what the charts are for.
"""

import base64
import gzip
import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from attendna.core.provenance import command, version
from attendna.report.download import csv_address, file_name, frame_csv, matrix_csv, table_csv
from attendna.report.examples import blocks
from attendna.report.style import CONFIG

LONGEST_WORD = 40
"""Letters of a word beyond which a cell of a table may break it."""


@cache
def environment() -> Environment:
    """Where the pages' templates are, and the filters they use."""
    environment = Environment(
        loader=PackageLoader("attendna.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = environment.filters
    for function in (
        blocks, cells_csv, chart_csv, csv_address, duration, embedded, file_name, frame_csv,
        is_long, measure, percent, picture, table_csv, thousands,
    ):  # fmt: skip
        filters[function.__name__] = function
    names: dict[str, Any] = environment.globals
    names |= {"command": command, "version": version}
    return environment


def chart_csv(chart: Any) -> str:
    """The numbers of a chart of a page."""
    return chart.csv


def cells_csv(cells: Sequence[Sequence[Any]], classes: Sequence[str]) -> str:
    """The counts of a confusion matrix of a page."""
    return matrix_csv([[cell.sequences for cell in row] for row in cells], classes)


def is_long(text: str) -> bool:
    """Whether a cell holds a sequence, or what else has no place to break a line."""
    return len(max(text.split(), default="", key=len)) > LONGEST_WORD


def part(ending: str) -> Markup:
    """The style sheet ("css") or the script ("js") of every page."""
    text = files("attendna.report").joinpath(f"templates/report.{ending}").read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


@cache
def bundle() -> str:
    """plotly.js, packed to be put into a page."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


def embedded(figure: go.Figure) -> Markup:
    """A figure as JSON that nothing in it can break out of its script element."""
    tree = json.loads(str(plotly.io.to_json(figure, validate=False)))
    text = json.dumps({"data": tree["data"], "layout": tree["layout"], "config": CONFIG})
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - just escaped


def picture(svg: str) -> str:
    """An SVG file as an address within the page; as a picture it runs no script."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def measure(value: float | None) -> str:
    """A metric with three decimals and a true minus sign; a dash where it is not defined."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.3f}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", "−")


def percent(share: float) -> str:
    """A share in percent with one decimal."""
    return f"{100 * share:.1f}\u202f%"


def thousands(count: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{count:,}"


def counted(count: int | float, noun: str) -> str:
    """A number with its noun: 1 epoch, 2.5 epochs, 1,200 rows."""
    number = f"{count:,}" if float(count).is_integer() else f"{count:,.3g}"
    return f"{number.removesuffix('.0')} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
