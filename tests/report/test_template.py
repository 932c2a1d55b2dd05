"""What every page is made with."""

import json

import plotly.graph_objects as go
import pytest

from attendna.report.template import counted, duration, embedded, measure, percent, thousands


def test_embedded_json_cannot_end_its_script() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2], name="</script><!--&"))
    text = str(embedded(figure))
    assert not set("<>&") & set(text)
    assert json.loads(text)["data"][0]["name"] == "</script><!--&"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0.4 s"),
        (9.96, "10 s"),
        (59.6, "1 min 0 s"),
        (61.0, "1 min 1 s"),
        (3600.0, "1 h 0 min"),
        (7322.0, "2 h 2 min"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_numbers_as_text() -> None:
    assert [measure(value) for value in (0.7126, -0.05, None, float("nan"))] == [
        "0.713", "−0.050", "–", "–",
    ]  # fmt: skip
    assert measure(-0.0001) == "0.000"
    assert percent(0.4567) == "45.7\u202f%"
    assert thousands(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 epoch"),
        (0, "0 epochs"),
        (1.0, "1 epoch"),
        (2.5, "2.5 epochs"),
        (1200, "1,200 epochs"),
    ],
)
def test_one_of_a_kind_is_singular(count: float, text: str) -> None:
    assert counted(count, "epoch") == text
