from pathlib import Path

import polars as pl

from attendna.report.embedding_space import EmbeddingPage

POINTS = pl.DataFrame(
    {
        "id": ["a", "<b>", "c"],
        "x": [0.0, 1.0, 2.0],
        "y": [3.0, 4.0, 5.0],
        "gc": [0.4, 0.5, None],
        "class": ["yes", "no", "yes"],
    }
)


def test_classes_have_their_colors() -> None:
    page = EmbeddingPage("run", "pca", POINTS, {}, (0.5, 0.25))
    no, yes = page.by_class().data
    assert (no.name, list(no.x), list(no.text)) == ("no", [1.0], ["&lt;b&gt;"])
    assert (yes.name, list(yes.y)) == ("yes", [3.0, 5.0])


def test_the_page_tells_the_numbers(tmp_path: Path) -> None:
    numbers = {"gc_1": -0.5, "alike": 0.9, "by_chance": 0.5}
    EmbeddingPage("run", "pca", POINTS, numbers, (0.5, 0.25)).sheet().write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for said in ("75.0", "−0.500", "0.900", "By class", "By GC content"):
        assert said in text
    assert "<b>" not in text
    bare = EmbeddingPage("run", "umap", POINTS.drop("class"), {}, None).sheet()
    assert [chart.title for chart in bare.sections[0].charts] == ["By GC content"]


def test_the_same_points_have_one_scale() -> None:
    page = EmbeddingPage("run", "pca", POINTS, {}, None)
    charts = [page.by_class().layout, page.by_gc().layout]
    for axis in ("xaxis", "yaxis"):
        assert charts[0][axis].range == charts[1][axis].range
    assert charts[0].margin == charts[1].margin
