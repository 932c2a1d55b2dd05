import json
import math

import numpy as np
import pytest
from rich.table import Table

from attendna.cli import output
from attendna.cli.output import counter, print_json, say, spell_interval, spell_number


def test_json_has_null_for_what_is_not_defined(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [math.nan, 1.5, (math.inf,)], 2: {"b": "x"}, "n": float(np.float64("nan"))})
    read = json.loads(capsys.readouterr().out)
    assert read == {"a": [None, 1.5, [None]], "2": {"b": "x"}, "n": None}


def test_people_are_told_on_the_other_stream(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    with counter("counting") as advance:
        advance(3)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")


def test_numbers_in_tables() -> None:
    assert spell_number(0.12345) == "0.1235"
    assert spell_number(0.5, "+.2f") == "+0.50"
    assert spell_number(math.nan) == "-"
    assert spell_interval(0.1, 0.25, ".2f") == "0.10 to 0.25"
    assert spell_interval(math.nan, 1.0) == "-"


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LINE_EVERY", 0.0)
    with output.counter("mutating") as advance:
        advance(1000)
        advance(500)
    assert "mutating: 1,000 sequences" in capsys.readouterr().err


def test_square_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("name [a]")
    table.add_row("attendna[motifs]")
    output.console().print("runs/[bold]x", table)
    said = capsys.readouterr().out
    assert all(text in said for text in ("runs/[bold]x", "name [a]", "attendna[motifs]"))
