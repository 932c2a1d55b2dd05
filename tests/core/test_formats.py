"""Endings of file names."""

import pytest

from attendna.core.formats import ending_of, stem_of


@pytest.mark.parametrize(
    ("name", "ending", "plain"),
    [
        ("a.csv", ".csv", "a"),
        ("b.v2.FA.GZ", ".fa", "b.v2"),
        ("c.narrowPeak.bgz", ".narrowpeak", "c"),
        ("peaks.xls", ".xls", "peaks"),
        ("none", "", "none"),
        ("none.gz", "", "none"),
    ],
)
def test_compression_and_case_do_not_matter(name: str, ending: str, plain: str) -> None:
    assert (ending_of(name), stem_of(name)) == (ending, plain)
