"""Names of contigs and builds."""

import polars as pl
import pytest

from attendna.genome.contigs import (
    ContigNames,
    natural_key,
    plain_name,
    plain_names,
    recognize_build,
    same_build,
)

UCSC = ["chr1", "chr2", "chrX", "chrM", "chrUn_KI270302v1"]
ENSEMBL = ["1", "2", "X", "MT", "KI270302.1"]


def meant(wanted: list[str], known: list[str]) -> list[str | None]:
    """The contig each name means."""
    names = ContigNames(known)
    return [None if (number := names.number(name)) < 0 else known[number] for name in wanted]


def test_both_styles_mean_the_same_contigs() -> None:
    assert meant(ENSEMBL[:4], UCSC) == UCSC[:4]
    assert meant(UCSC[:4], ENSEMBL) == ENSEMBL[:4]
    assert meant(UCSC, UCSC) == UCSC


@pytest.mark.parametrize("name", ["chrM", "chrMT", "MT", "M", "Mito", "MtDNA", "chrm"])
def test_the_mitochondrion_has_many_names(name: str) -> None:
    for known in ("chrM", "MT", "Mito"):
        assert meant([name], ["chr1", known]) == [known]


def test_names_that_mean_nothing_have_no_number() -> None:
    assert meant(["chr3", "chr", "", "11", "chrchr1"], UCSC) == [None] * 5


def test_a_name_that_could_mean_two_contigs_means_only_itself() -> None:
    known = ["1", "chr1", "MT", "chrM"]
    assert meant(["1", "chr1", "Chr1", "M", "chrM"], known) == ["1", "chr1", None, None, "chrM"]


@pytest.mark.parametrize(
    ("lengths", "build"),
    [
        ({"chr1": 248_956_422, "chr2": 242_193_529, "chrX": 156_040_895}, "hg38"),
        ({"1": 249_250_621, "2": 243_199_373}, "hg19"),
        ({"2": 182_113_224}, "mm10"),
        ({"I": 15_072_434, "V": 20_924_180, "MtDNA": 13_794}, "ce11"),
        ({"Chr1": 30_427_671}, "TAIR10"),
        ({"chr1": 248_956_422, "chr2": 243_199_373}, None),
        ({"chr1": 1_000_000}, None),
        ({"chrX": 156_040_895}, None),
        ({}, None),
    ],
)
def test_builds_are_recognized_by_lengths_that_agree(
    lengths: dict[str, int], build: str | None
) -> None:
    assert recognize_build(lengths) == build


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("hg38", "GRCh38", True),
        ("GRCh38.p14", "hg38", True),
        ("GRCm38", "mm10", True),
        ("hg19", "hg38", False),
        ("GRCh37", "GRCh38", False),
        ("myPlant1", "MYPLANT1", True),
    ],
)
def test_builds_have_two_names(one: str, other: str, same: bool) -> None:
    assert same_build(one, other) is same
    assert same_build(other, one) is same


def test_names_sort_as_people_sort_them() -> None:
    names = ["chrX", "chr10", "chr2", "chrM", "1", "chrII", "chr2_alt"]
    assert sorted(names, key=natural_key) == [
        "1", "chr2", "chr2_alt", "chr10", "chrII", "chrM", "chrX",
    ]  # fmt: skip


def test_one_contig_has_one_plain_name() -> None:
    assert {plain_name(name) for name in ("chr1", "1", "CHR1", "chr01", " Chr1 ")} == {"1"}
    assert [plain_name(name) for name in ("chr10", "chr0", "chrX", "x", "2L", "chrUn_1")] == [
        "10",
        "0",
        "x",
        "x",
        "2l",
        "un_1",
    ]
    names = pl.Series(["chr2", "2", None, "chrM", "MT"])
    assert plain_names(names).to_list() == ["2", "2", None, "mt", "mt"]
    assert plain_names(pl.Series([], dtype=pl.String)).to_list() == []
