"""A page about one measurement."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import plotly.graph_objects as go
import pytest

from attendna.core.provenance import commanded, version
from attendna.report.page import Cell, Chart
from attendna.report.sheet import Matrix, Picture, Section, Sheet, Table
from attendna.report.style import blank
from attendna.report.template import part

HOSTILE = "<script>alert(1)</script>"


class Elements(HTMLParser):
    """Elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_all_that_is_given_is_on_the_page_and_nothing_runs(tmp_path: Path) -> None:
    figure = go.Figure(layout={"height": 300})
    section = Section(
        "cost", "What it costs", [f"A text {HOSTILE}"], ["A warning"],
        [Chart("A chart", "and its note", figure)],
        [Table(("Name", "Value"), [(HOSTILE, "1.5")], caption="Under the table.")],
        [("Machine", "two cores")],
    )  # fmt: skip
    path = tmp_path / "page.html"
    Sheet("eyebrow", HOSTILE, "the lead", [("Tile", "12", "of 24")], [section]).write(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert HOSTILE not in text
    for said in ("A warning", "A chart", "and its note", "Under the table.", "two cores", "of 24"):
        assert said in text
    elements = Elements(text).found
    assert not [tag for tag, attrs in elements if attrs.get("src") or attrs.get("onload")]
    links = [attrs["href"] for tag, attrs in elements if tag == "a" and "download" not in attrs]
    assert links == ["#result", "#cost"]
    cells = [attrs.get("class") for tag, attrs in elements if tag in ("td", "th")]
    assert cells == [None, "number", None, "number"]


def test_every_figure_table_and_matrix_can_be_saved(tmp_path: Path) -> None:
    figure = blank("epoch", "loss")
    figure.add_scatter(x=[1, 2], y=[0.5, 0.25])
    matrix = Matrix(
        "After", ("no", "yes"), [[Cell(3, 0.75), Cell(1, 0.25)], [Cell(0, 0.0), Cell(4, 1.0)]]
    )
    section = Section(
        "one", "Part one", charts=[Chart("The loss", "", figure)],
        tables=[Table(("Name", "Value"), [("a", "1,234"), ("b", "5 %")])], matrices=[matrix],
        pictures=[Picture("<svg></svg>", "Letters")], code=[("All settings", "a:\n  b: 1")],
    )  # fmt: skip
    path = tmp_path / "page.html"
    with commanded(["report", "run", "--out", "<page>.html"]):
        Sheet("", "Title", "", [], [section]).write(path)
    text = path.read_text(encoding="utf-8")
    elements = Elements(text).found
    saved = {
        str(attrs["download"]): unquote(str(attrs["href"]).partition(",")[2])
        for tag, attrs in elements
        if tag == "a" and "download" in attrs
    }
    assert saved == {
        "The_loss.csv": "epoch,loss\n1,0.5\n2,0.25\n",
        "Part_one.csv": "Name,Value\na,1234\nb,5 %\n",
        "confusion_matrix.csv": "true class,predicted no,predicted yes\nno,3,1\nyes,0,4\n",
    }
    pictures = [attrs["data-picture"] for tag, attrs in elements if tag == "button"]
    assert sorted(map(str, pictures)) == ["file", "png", "svg"]
    assert "<pre>attendna report run --out &#39;&lt;page&gt;.html&#39;</pre>" in text
    assert f"Written by attendna {version()}" in text
    assert "a:\n  b: 1" in text


def test_a_long_word_may_break_and_others_do_not(tmp_path: Path) -> None:
    table = Table(("Row", "Sequence"), [("train-2", "ACGT" * 30)], words=2)
    path = tmp_path / "page.html"
    Sheet("", "", "", [], [Section("one", "", tables=[table])]).write(path)
    cells = [attrs.get("class") for tag, attrs in Elements(path.read_text()).found if tag == "td"]
    assert cells == [None, "long"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node reads the script, and is not there")
def test_the_script_has_no_syntax_error(tmp_path: Path) -> None:
    (tmp_path / "report.js").write_text(part("js"))
    subprocess.run(["node", "--check", str(tmp_path / "report.js")], check=True)
