from pathlib import Path

import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.genome.reference import open_reference
from attendna.tasks.alleles import check_file, exchanged


def test_bases_are_exchanged_put_in_and_taken_out() -> None:
    rows = [("ACGTA", 1, "C", "G"), ("ACGTA", 0, "A", "T"), ("ACGTA", 4, "A", ""),
            ("ACGTA", 1, "CG", "T"), ("ACGTA", 2, "G", "GGG")]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["s", "at", "ref", "alt"], orient="row")
    made = frame.select(exchanged(*map(pl.col, ("s", "at", "ref", "alt"))).alias("made"))
    assert made["made"].to_list() == ["AGGTA", "TCGTA", "ACGT", "ATTA", "ACGGGTA"]


def test_the_file_that_disagrees_is_named(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">chr1\nACGT\n")
    reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
    variants = pl.DataFrame({"chrom": ["1"], "start": [1], "ref": ["T"], "alt": ["G"], "line": [7]})
    with pytest.raises(DataError, match=r"v\.tsv: line 7: g\.fa has no T at chr1:2; .*--mismatch"):
        check_file(Path("v.tsv"), variants, reference, "error")
    assert check_file(Path("v.tsv"), variants, reference, "drop").frame.height == 0
