"""Curves through measured memory, and what they say of lengths that were not."""

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError
from attendna.training.plan import GB, GPUS, crossover, fit_memory, parse_bytes, per_layer, plan

LENGTHS = np.array([65_536, 131_072, 196_608, 393_216])


def rows(attention: str, peak: np.ndarray, layers: int = 2, lengths: np.ndarray = LENGTHS):
    return pl.DataFrame(
        {
            "mode": ["train"] * len(lengths),
            "attention": [attention] * len(lengths),
            "layers": [layers] * len(lengths),
            "length": lengths,
            "status": ["measured"] * len(lengths),
            "peak_bytes": peak.astype(np.int64),
            "seconds": lengths / 1e5 * layers,
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24GB", 24 * GB),
        ("1.5 gb", 3 * GB // 2),
        ("16GiB", 1 << 34),
        ("800MB", 8 * 10**8),
        ("7", 7),
    ],
)
def test_sizes_are_read(text: str, expected: int) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "0GB", "12 apples", "-3GB", "3iB"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="is no size of memory; write it as 24GB"):
        parse_bytes(text)


def test_an_exact_curve_is_found_and_followed() -> None:
    true = 1e9 + 4e3 * LENGTHS + 0.05 * LENGTHS.astype(float) ** 2
    (fit,) = fit_memory(rows("dense", true))
    assert (fit.fixed, fit.linear, fit.quadratic) == pytest.approx((1e9, 4e3, 0.05), rel=1e-3)
    assert fit.error < 1e-6
    assert abs(fit.ahead) < 1e-3
    longest = fit.longest_within(24 * GB, 128)
    assert longest % 128 == 0
    assert fit.bytes_at(longest) <= 24 * GB < fit.bytes_at(longest + 128)
    assert fit.longest_within(GB // 2, 128) == 0


def test_no_factor_is_negative_and_the_error_is_told() -> None:
    """Points that bend downwards are not followed by a curve that would end in nothing."""
    bent = 1e9 * np.sqrt(LENGTHS)
    (fit,) = fit_memory(rows("sparse", bent))
    assert min(fit.fixed, fit.linear, fit.quadratic) >= 0
    assert fit.quadratic == 0
    assert fit.error > 0.04
    assert fit.ahead > 0.05


def test_only_what_follows_a_change_of_ways_is_fitted() -> None:
    lengths = np.arange(1, 7) * 65_536
    peak = 1e9 + 1e4 * lengths.astype(float)
    peak[:2] = 9e9, 1.1e10
    (fit,) = fit_memory(rows("sparse", peak, lengths=lengths))
    assert fit.points == 4
    assert fit.error < 1e-6
    # Too few are left for a curve.
    assert not list(fit_memory(rows("sparse", peak[:4], lengths=lengths[:4])))


def test_points_that_failed_are_no_points() -> None:
    failed = rows("dense", 1e9 + 1.0 * LENGTHS).with_columns(
        status=pl.when(pl.col("length") > 200_000)
        .then(pl.lit("out of memory"))
        .otherwise(pl.col("status"))
    )
    (fit,) = fit_memory(failed)
    assert (fit.points, fit.longest, fit.ahead) == (3, 196_608, None)


def test_a_plan_says_what_is_guessed() -> None:
    fits = list(fit_memory(rows("sparse", 1e9 + 5e4 * LENGTHS.astype(float))))
    planned = {row["memory"]: row for row in plan(fits, 12 * GB, 128)}
    assert sorted(planned) == [12 * GB, *GPUS]
    assert planned[12 * GB]["longest"] == pytest.approx(11e9 / 5e4, rel=1e-3)
    assert not planned[12 * GB]["extrapolated"]
    assert planned[80 * GB]["extrapolated"]


def test_a_layer_costs_what_one_more_adds() -> None:
    both = pl.concat([rows("dense", 1e9 + layers * 1e3 * LENGTHS, layers) for layers in (0, 2, 4)])
    found = per_layer(both)
    assert found["length"].to_list() == LENGTHS.tolist()
    assert found["peak_bytes"].to_list() == pytest.approx(1e3 * LENGTHS)
    assert found["seconds"].to_list() == pytest.approx(LENGTHS / 1e5)
    assert per_layer(rows("dense", 1e9 + 1.0 * LENGTHS)).is_empty()


@pytest.mark.parametrize(
    ("sparse", "length", "said"),
    [
        ([1, 1, 1, 1], None, "never dearer, from 65,536 bp up"),
        ([3, 4, 5, 9], None, "still dearer at 393,216 bp"),
        ([3, 3, 2.5, 1], 163_840, "cheaper from about 163,840 bp up"),
    ],
)
def test_where_sparse_becomes_cheaper(sparse: list[float], length: int | None, said: str) -> None:
    dense = np.array([1, 2, 3.5, 8])
    both = pl.concat([rows("dense", 1e9 * dense), rows("sparse", 1e9 * np.array(sparse))])
    found = crossover(both, "peak_bytes")
    assert found.length == (None if length is None else pytest.approx(length))
    assert said in found.says
    assert crossover(both.filter(attention="dense"), "peak_bytes") is None
