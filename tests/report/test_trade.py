from attendna.report.trade import Point, trade_charts

POINTS = [
    Point("light", 0.8, 30_000.0, 12.0, efficient=True),
    Point("heavy", 0.79, 900_000.0, 300.0, efficient=False),
]


def test_rows_worth_their_cost_have_names_and_both_costs_a_chart() -> None:
    by_size, by_time = trade_charts(POINTS, "auroc")
    other, worth = by_size.figure.data
    assert (list(worth.x), list(worth.y), list(worth.text)) == ([30_000], [0.8], ["light"])
    assert (worth.mode, other.mode) == ("markers+text", "markers")
    assert [list(trace.x) for trace in by_time.figure.data] == [[300.0], [12.0]]
    assert by_time.title == "auroc and seconds of a training"
