"""What every page is made with."""

import json

import plotly.graph_objects as go
import pytest

from attendna.report.template import duration, embedded, measure, percent, thousands


def test_embedded_json_cannot_end_its_script() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2], name="</script><!--&"))
    text = str(embedded(figure))
    assert not set("<>&") & set(text)
    assert json.loads(text)["data"][0]["name"] == "</script><!--&"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
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
    assert percent(0.4567) == "45.7\u202f%"
    assert thousands(1234567) == "1,234,567"
