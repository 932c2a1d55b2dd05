"""Text as typed rows: the quick way and the careful one agree, and every misfit is listed."""

from pathlib import Path

import pytest

from attendna.core.errors import DataError
from attendna.genome import rows
from attendna.genome.rows import Layout, read_rows

LAYOUT = Layout(
    ("chrom", "start", None, "score"),
    "\t",
    ("start",),
    ("score",),
    required=("chrom", "start"),
)
PATH = Path("some.bed")


def read(text: str, layout: Layout = LAYOUT) -> tuple[list[tuple], list[tuple]]:
    good, complaints = read_rows(PATH, text.encode(), layout, first_line=3)
    return good.rows(), complaints.rows()


@pytest.mark.parametrize("careful", [False, True])
def test_rows_are_typed_alike_on_both_ways(monkeypatch: pytest.MonkeyPatch, careful: bool) -> None:
    if careful:
        monkeypatch.setattr(rows, "_read_plain", lambda *_: None)
    else:
        monkeypatch.setattr(rows, "_split", None)
    text = "chr1\t5\tx\t.\nchr2\t-6\t\t1.5\nchrÜ\t+7\t\t1e3"
    assert read(text) == ([("chr1", 5, None, 3), ("chr2", -6, 1.5, 4), ("chrÜ", 7, 1e3, 5)], [])


def test_every_misfit_is_listed_with_its_line_and_fix() -> None:
    text = "\n".join(
        [
            "chr1\t5\tx\t2",
            "# a comment",
            "",
            "chr1\t5\tx",
            "chr1\t5\tx\t2\t9",
            ".\t5\tx\t2",
            "chr1\t5.0\tx\t2",
            "chr1\t1e3\tx\t2",
            "chr1\t\tx\t2",
            "chr1\t5\tx\tmuch",
            "track name=peaks",
            " chr1 \t 5\tx\t.",
            "chr1\t99999999999999999999\tx\t2",
        ]
    )
    good, complaints = read(text)
    assert good == [("chr1", 5, 2.0, 3), ("chr1", 5, None, 14)]
    assert [(line, problem) for line, problem, _ in complaints] == [
        (6, "it has 3 columns where there should be 4"),
        (7, "it has 5 columns where there should be 4"),
        (8, "the chrom is missing"),
        (9, "the start '5.0' is no whole number"),
        (10, "the start '1e3' is no whole number"),
        (11, "the start is missing"),
        (12, "the score 'much' is no number"),
        (15, "the start '99999999999999999999' is no whole number"),
    ]
    assert complaints[-2][2] == "write a number, or . where it is not known"


def test_a_short_row_and_a_long_one_do_not_cancel_out() -> None:
    good, complaints = read("chr1\t5\tx\nchr1\t5\tx\t2\t9\nchr1\t5\tx\t2")
    assert [row[-1] for row in good] == [5]
    assert [line for line, *_ in complaints] == [3, 4]


def test_blanks_separate_where_nothing_else_does() -> None:
    layout = Layout(LAYOUT.fields, None, LAYOUT.whole, LAYOUT.real, LAYOUT.required)
    assert read("chr1  5 x \t 2", layout) == ([("chr1", 5, 2.0, 3)], [])


def test_quoted_fields_may_hold_the_separator_and_line_ends() -> None:
    layout = Layout(LAYOUT.fields, ",", LAYOUT.whole, LAYOUT.real, LAYOUT.required, quoted=True)
    text = 'chr1,5,"a, b",2\n#no row\n"chr1",6,"two\nlines",3\nchr1,7,x'
    good, complaints = read(text, layout)
    assert good == [("chr1", 5, 2.0, 3), ("chr1", 6, 3.0, 6)]
    assert [line for line, *_ in complaints] == [7]
    with pytest.raises(DataError, match=r"some\.bed: line 4: .*; close every quote"):
        read('chr1,5,x,2\nchr1,"6,x,3', layout)


def test_quotes_mean_nothing_where_no_field_is_quoted() -> None:
    assert read('"chr1\t5\tx\t2')[0] == [('"chr1', 5, 2.0, 3)]


def test_a_text_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="there is no row in it"):
        read("# nothing\n\ntrack")
