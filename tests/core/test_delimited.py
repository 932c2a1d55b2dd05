"""Tables of text: columns by name, delimiters found, misfits named."""

from pathlib import Path

import pytest

from attendna.core.delimited import column_names, parse_delimited
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
