"""Counting overlaps against looking at every pair."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.loci import count_overlaps, covered_bases, merge_loci

PLACES = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2", "chrX"]), st.integers(0, 60), st.integers(1, 20)),
    min_size=1,
    max_size=25,
)


def table(places: list[tuple[str, int, int]]) -> pl.DataFrame:
    rows = [(chrom, start, start + size) for chrom, start, size in places]
    schema = {"chrom": pl.String, "start": pl.Int64, "end": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(PLACES, PLACES, st.integers(0, 5))
def test_counts_are_those_of_all_pairs(
    asked: list[tuple[str, int, int]], others: list[tuple[str, int, int]], flank: int
) -> None:
    found = count_overlaps(table(asked), table(others), flank=flank)
    expected = [
        sum(c == d and s - flank < t + m and t < s + n + flank for d, t, m in others)
        for c, s, n in asked
    ]
    assert found.tolist() == expected


@given(PLACES, PLACES)
def test_covered_bases_are_those_that_some_stretch_holds(
    asked: list[tuple[str, int, int]], stretches: list[tuple[str, int, int]]
) -> None:
    held = {(chrom, place) for chrom, start, n in stretches for place in range(start, start + n)}
    expected = [sum((c, place) in held for place in range(s, s + n)) for c, s, n in asked]
    assert covered_bases(table(asked), table(stretches)).tolist() == expected


def test_nothing_covers_anything() -> None:
    assert covered_bases(table([("chr1", 3, 4)]), table([])).tolist() == [0]


@given(PLACES, st.integers(0, 5))
def test_loci_are_the_connected_parts_of_the_graph_of_overlaps(
    places: list[tuple[str, int, int]], flank: int
) -> None:
    from scipy.sparse import csgraph

    near = np.array(
        [
            [c == d and s < t + m + flank and t < s + n + flank for d, t, m in places]
            for c, s, n in places
        ]
    )
    expected = csgraph.connected_components(near, directed=False)[1]
    found = merge_loci(table(places), flank=flank)
    pairs = zip(expected.tolist(), found.tolist(), strict=True)
    assert len(set(pairs)) == len(set(expected.tolist())) == len(set(found.tolist()))


@given(PLACES, PLACES)
def test_names_of_one_chromosome_are_one(
    asked: list[tuple[str, int, int]], others: list[tuple[str, int, int]]
) -> None:
    one, two = table(asked), table(others)
    bare = two.with_columns(pl.col("chrom").str.strip_prefix("chr"))
    for count in (count_overlaps, covered_bases):
        assert count(one, bare).tolist() == count(one, two).tolist()
    both = merge_loci(pl.concat([one, bare])).tolist()
    assert both == merge_loci(pl.concat([one, two])).tolist()
