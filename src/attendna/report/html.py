"""One self-contained page about a run: works offline, prints, follows a light or a dark theme.

The charts are Plotly's, and plotly.js lies in the page once, compressed: the ``plotly`` package
holds only the full bundle of 4.8 MB, which gzip and base64 bring to 2.0 MB. Inline SVG would weigh
less, but reading thresholds, bins and bases by pointing is what the charts are for.
"""

import base64
import gzip
import json
import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from attendna.core.errors import FolderError
from attendna.core.files import publish_file, refuse_existing
from attendna.report.data_card import describe
from attendna.report.examples import blocks
from attendna.report.importance import Importance
from attendna.report.page import Page
from attendna.report.run import Run
from attendna.report.style import CONFIG
from attendna.tasks.audit.audit import read_audit
from attendna.tasks.store import Task, open_task


def write_report(
    run_folder: str | Path,
    out: str | Path,
    task_folder: str | Path | None = None,
    *,
    ism_folder: str | Path | None = None,
    force: bool = False,
) -> Path:
    """Write the page about a run.

    Parameters
    ----------
    run_folder
        What ``train`` made, finished or not.
    out
        The HTML file.
    task_folder
        The task, for the data card and the sequences of the examples.
    ism_folder
        What ``interpret ism`` made, for the importance of bases; by default ``ism`` of the run
        folder, if it is there.
    force
        Replace an existing file.

    Raises
    ------
    FolderError
        A folder is none or is damaged, or ``out`` exists.
    DataError
        The task cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise FolderError(f"{out} is a folder", "name a file, such as report.html")
    refuse_existing(out, force=force)
    run = Run(Path(run_folder))
    if ism_folder is None and (run.path / "ism").is_dir():
        ism_folder = run.path / "ism"
    text = render(
        run,
        open_task(task_folder) if task_folder else None,
        Importance.read(ism_folder) if ism_folder else None,
    )
    with publish_file(out, force=force) as partial:
        partial.write_text(text, encoding="utf-8")
    return out


def render(run: Run, task: Task | None = None, importance: Importance | None = None) -> str:
    """The text of the page."""
    audit = read_audit(task.folder) if task else None
    page = Page(run, task, describe(task) if task else None, importance, audit)
    template = _environment().get_template("report.html.j2")
    return template.render(page=page, plotly=_bundle(), css=_part("css"), script=_part("js"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("attendna.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = environment.filters
    for function in (blocks, duration, embedded, measure, percent, picture, thousands):
        filters[function.__name__] = function
    return environment


def _part(ending: str) -> Markup:
    text = files("attendna.report").joinpath(f"templates/report.{ending}").read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


@cache
def _bundle() -> str:
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
    return f"{value:.3f}".replace("-", "−")


def percent(share: float) -> str:
    """A share in percent with one decimal."""
    return f"{100 * share:.1f}\u202f%"


def thousands(count: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{count:,}"


def duration(seconds: float) -> str:
    """A time as a person says it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
