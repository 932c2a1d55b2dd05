"""What a page's figures and tables hold, as files to save."""

import csv
import io
from urllib.parse import unquote

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from attendna.report.download import (
    csv_address,
    figure_csv,
    file_name,
    frame_csv,
    matrix_csv,
    table_csv,
)
from attendna.report.page import Chart
from attendna.report.style import blank


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_a_figure_is_a_row_a_point() -> None:
    figure = blank("epoch", "loss &amp; more")
    figure.add_scatter(x=np.array([1, 2]), y=np.array([0.123456789, np.nan]), name="training")
    figure.add_scatter(
        x=[3], y=[0.5], name="a, b", text=["&lt;row&gt;"],
        error_y={"array": [0.25], "arrayminus": [0.5]},
    )  # fmt: skip
    figure.add_scatter(x=[0, 9], y=[0, 9], hoverinfo="skip")
    assert read(figure_csv(figure)) == [
        ["series", "epoch", "loss & more", "loss & more low", "loss & more high", "label"],
        ["training", "1", "0.1234568", "", "", ""],
        ["training", "2", "", "", "", ""],
        ["a, b", "3", "0.5", "0", "0.75", "<row>"],
    ]


def test_a_heat_map_is_a_row_a_row() -> None:
    figure = blank("is read", "reads")
    figure.add_heatmap(z=np.array([[0.1, 0.2], [0.3, np.nan]]), x=[4, 5], y=["a", "b"])
    assert read(figure_csv(figure)) == [
        ["reads / is read", "4", "5"], ["a", "0.1", "0.2"], ["b", "0.3", ""],
    ]  # fmt: skip


def test_colors_that_are_numbers_are_a_column() -> None:
    figure = blank("1", "2")
    marker = {"color": [0.4, 0.6], "colorbar": {"title": {"text": "GC content"}}}
    figure.add_scatter(x=[1, 2], y=[3, 4], marker=marker)
    assert read(figure_csv(figure))[:2] == [["1", "2", "GC content"], ["1", "3", "0.4"]]
    assert read(figure_csv(go.Figure())) == [[]]


def test_a_chart_may_bring_its_numbers() -> None:
    frame = pl.DataFrame({"title": ["MCC"], "value": [0.5]})
    assert read(Chart("", "", blank("", ""), data=frame).csv) == [
        ["title", "value"],
        ["MCC", "0.5"],
    ]
    assert frame_csv(frame) == Chart("", "", blank("", ""), data=frame).csv


def test_a_table_of_text_becomes_numbers() -> None:
    columns = ("row", "n", "mean", "95 % interval", "share", "95 % interval", "q", "q")
    rows = [
        ("a", "1,234", "−0.5", "−0.6 to +0.1", "5.0\u202f%", "4.0 % to 6.0 %", "–", "x"),
        ("b", "7", "0.5", "–", "–", "–", "0.1", "y"),
    ]
    assert read(table_csv(columns, rows)) == [
        ["row", "n", "mean", "mean low", "mean high", "share (%)", "share low (%)",
         "share high (%)", "q", "q (2)"],
        ["a", "1234", "-0.5", "-0.6", "+0.1", "5.0", "4.0", "6.0", "", "x"],
        ["b", "7", "0.5", "", "", "", "", "", "0.1", "y"],
    ]  # fmt: skip
    assert read(table_csv(("", "told"), [])) == [["column", "told"]]


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|x", "-a"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert read(table_csv(("name",), [(cell,)]))[1] == [f"'{cell}"]
    assert read(table_csv(("name",), [("-0.5",)]))[1] == ["-0.5"]


def test_a_matrix_names_what_is_true_and_what_was_predicted() -> None:
    assert read(matrix_csv([[3, 1], [0, 4]], ("no", "yes"))) == [
        ["true class", "predicted no", "predicted yes"], ["no", "3", "1"], ["yes", "0", "4"],
    ]  # fmt: skip


def test_an_address_holds_the_file() -> None:
    text = 'a,"b"\n%,#&?<é>\n'
    address = csv_address(text)
    assert not set('"<>& \n#') & set(address)
    head, _, rest = address.partition(",")
    assert (head, unquote(rest)) == ("data:text/csv;charset=utf-8", text)


def test_names_of_files_have_plain_letters() -> None:
    assert file_name("human, CAGE (A+): ../x") == "human_CAGE_A_.._x"
    assert file_name("") == file_name("…") == "data"
