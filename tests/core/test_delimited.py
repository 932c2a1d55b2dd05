"""Tables of text: columns by name, delimiters found, misfits named."""

from pathlib import Path

import polars as pl
import pytest

from attendna.core.delimited import (
    MISSING,
    column_names,
    harmless,
    header_start,
    known,
    parse_delimited,
)
from attendna.core.errors import DataError

PATH = Path("a.csv")


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    text = f"a{delimiter}b\n1{delimiter}\n".encode()
    assert column_names(text, ",") == (["a", "b"], delimiter)
    assert parse_delimited(PATH, text, ",").rows() == [("1", None)]


def test_one_column_is_a_table_too() -> None:
    assert column_names(b"a\n1\n", ",") == (["a"], ",")
    assert parse_delimited(PATH, b"a\n1\n2", "\t").rows() == [("1",), ("2",)]


def test_quoted_fields_may_hold_the_delimiter() -> None:
    assert parse_delimited(PATH, b'a,b\n"x,y",2', ",").rows() == [("x,y", "2")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a,b\n1,2\n1,2,3\n", "a.csv, row 2: 3 fields where the header has 2; quote fields"),
        (b'a,b\n1,"2\n' + b"x" * 200_000, "a.csv: not a table"),
    ],
)
def test_misfits_are_one_line(text: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_delimited(PATH, text, ",")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_null_however_it_is_written() -> None:
    rows = "".join(f"a,{word}\n" for word in MISSING)
    frame = parse_delimited(Path("x.csv"), f"id,label\n{rows}a, NA \nb,none\nc,0\n".encode(), ",")
    assert frame["label"].to_list() == [None] * (len(MISSING) + 1) + ["none", "0"]
    frame = known(pl.DataFrame({"y": [0.0, float("nan"), None], "name": ["x", None, " nan"]}))
    assert frame.rows() == [(0.0, "x"), (None, None), (None, None)]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# made by a, b\n",
        "##x\n\n# a comment\n",
        "# d = 200\n#\n\n",
        "\n\n",
        "## one,two\n",
    ],
)
@pytest.mark.parametrize("header", ["id,n", "#id,n", "# id,n"])
def test_comments_before_the_header_are_passed_over(before: str, header: str) -> None:
    text = f"{before}{header}\na,1\n".encode()
    assert parse_delimited(Path("x.csv"), text, ",").to_dicts() == [{"id": "a", "n": "1"}]


@pytest.mark.parametrize("text", ["#", "# only a comment\n", "", "\n\n"])
def test_a_file_of_comments_has_no_header_to_skip_to(text: str) -> None:
    assert 0 <= header_start(text.encode()) <= len(text)


def test_no_cell_is_a_formula_or_a_code() -> None:
    frame = pl.DataFrame(
        {
            "id": [
                "=1+1",
                "+cmd",
                "-x",
                "@sum",
                "-",
                "-1.5e3",
                "+7",
                "chr1:1-9",
                "\x1b[2J",
                "a\tb",
            ],
            "@f": ["\r=1", None, "", "a=b", "'", "- 1", "=", "b\nc", "\t=1", "é"],
            "number": [-1.5] * 10,
        }
    )
    shown = harmless(frame)
    assert shown.columns == ["id", "'@f", "number"]
    assert shown["id"].to_list() == [
        "'=1+1", "'+cmd", "'-x", "'@sum", "-", "-1.5e3", "+7", "chr1:1-9", r"\x1b[2J", r"a\tb",
    ]  # fmt: skip
    assert shown["'@f"].to_list() == [
        r"\r=1", None, "", "a=b", "'", "'- 1", "=", r"b\nc", r"\t=1", "é",
    ]  # fmt: skip
    assert shown["number"].to_list() == [-1.5] * 10
