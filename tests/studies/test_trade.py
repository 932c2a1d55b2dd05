import polars as pl

from attendna.studies.trade import trades


def frame(metric: str) -> pl.DataFrame:
    lines = [
        ("P", "small", metric, 0.7, 10, 1.0), ("P", "small", metric, 0.8, 10, 3.0),
        ("P", "large", metric, 0.9, 90, 9.0), ("P", "wasteful", metric, 0.74, 90, 9.0),
        ("P", "slow", metric, 0.8, 10, 20.0), ("P", "transfer", metric, 1.0, 5, None),
        ("Q", "small", metric, 0.1, 10, 1.0), ("P", "small", "other", 9.0, 10, 1.0),
    ]  # fmt: skip
    names = ("task", "row", "metric", "value", "parameters", "seconds")
    return pl.DataFrame(lines, names, orient="row")


def test_a_row_is_worth_its_cost_unless_another_is_better_and_no_dearer() -> None:
    found = trades(frame("auroc"), "P", "auroc")
    assert [(one.row, one.efficient) for one in found] == [
        ("small", True), ("large", True), ("wasteful", False), ("slow", True),
    ]  # fmt: skip
    assert (found[0].value, found[0].parameters, found[0].seconds) == (0.75, 10, 2)


def test_of_errors_the_least_is_the_best() -> None:
    worth = {one.row: one.efficient for one in trades(frame("mse"), "P", "mse")}
    assert worth == {"small": True, "large": False, "wasteful": True, "slow": False}


def test_equal_rows_are_both_worth_it() -> None:
    large = frame("auroc").filter(pl.col("row") == "large")
    twins = pl.concat([large, large.with_columns(row=pl.lit("twin"))])
    assert [one.efficient for one in trades(twins, "P", "auroc")] == [True, True]
