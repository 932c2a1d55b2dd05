"""A page of words, tables and charts about one measurement; looks as the page about a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import attendna
from attendna.report.page import Cell, Chart
from attendna.report.template import bundle, environment, part

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Cells as text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    """Columns that hold words; those to their right hold numbers."""
    caption: str = ""


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix."""

    title: str
    classes: Sequence[str]
    cells: Sequence[Sequence[Cell]]
    """Of each true class, the sequences given each class."""


@dataclass(frozen=True)
class Picture:
    """An SVG file."""

    svg: str
    said: str
    """What is to be seen, for those who do not see it."""


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    id: str
    title: str
    texts: Sequence[str] = ()
    warnings: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    facts: Pairs = ()
    matrices: Sequence[Matrix] = ()
    """Side by side."""
    pictures: Sequence[Picture] = ()
    code: Pairs = ()
    """Titles and long texts, such as settings, that are folded away."""


@dataclass(frozen=True)
class Sheet:
    """The whole page."""

    eyebrow: str
    title: str
    lead: str
    tiles: Sequence[tuple[str, str, str]]
    """Name, value and what is said below it."""
    sections: Sequence[Section]

    version = attendna.__version__

    def write(self, path: Path) -> None:
        """Write the page as one file that needs no other."""
        template = environment().get_template("sheet.html.j2")
        text = template.render(sheet=self, plotly=bundle(), css=part("css"), script=part("js"))
        path.write_text(text, encoding="utf-8")
