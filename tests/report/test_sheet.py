"""A page about one measurement."""

from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go

from attendna.report.page import Chart
from attendna.report.sheet import Section, Sheet, Table

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
    links = [attrs["href"] for tag, attrs in elements if tag == "a"]
    assert links == ["#result", "#cost"]
    cells = [attrs.get("class") for tag, attrs in elements if tag in ("td", "th")]
    assert cells == [None, "number", None, "number"]
