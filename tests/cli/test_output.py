import json
import math

import numpy as np
import pytest

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
