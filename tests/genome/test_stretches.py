import numpy as np
import polars as pl
import pytest
from tests.genome.genome_files import write_genome

from attendna.genome.reference import Reference, open_reference
from attendna.genome.stretches import known_stretches, places_of


@pytest.fixture
def genome(tmp_path) -> Reference:
    contigs = {"chr1": "NNACGTNACG", "chr2:100-108": "ACGTACGT", "chr2:50-54": "GGNG"}
    return open_reference(write_genome(tmp_path, contigs, "fa"), cache=tmp_path / "cache")


def test_runs_of_known_bases_know_their_place(genome: Reference) -> None:
    found = known_stretches(genome)
    assert found.rows() == [
        ("chr1", 2, 6, 2),
        ("chr1", 7, 10, 7),
        ("chr2", 50, 52, 18),
        ("chr2", 53, 54, 21),
        ("chr2", 100, 108, 10),
    ]
    for chrom, start, end, offset in found.iter_rows():
        there = genome.sequence(chrom, start, end)
        assert np.array_equal(genome.codes[offset : offset + end - start], there)


def test_what_is_left_out_cuts_runs(genome: Reference) -> None:
    # Chromosomes are named in another style; what the genome does not hold is nowhere.
    out = pl.DataFrame(
        {"chrom": ["2", "1", "chr9", "2"], "start": [90, 3, 0, 106], "end": [102, 4, 9, 200]}
    )
    runs = places_of(genome, out)
    assert runs.tolist() == [[3, 4], [10, 12], [16, 18]]
    found = known_stretches(genome, runs)
    assert found.filter(pl.col("chrom") == "chr1")["start"].to_list() == [2, 4, 7]
    assert found.filter(pl.col("start") >= 100).rows() == [("chr2", 102, 106, 12)]


def test_real_regions(shared) -> None:
    genome = open_reference(shared / "genome" / "hg38_regions.fa.gz")
    found = known_stretches(genome)
    assert int((found["end"] - found["start"]).sum()) == 10_619_680 - 161_000
