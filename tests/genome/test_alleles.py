"""Alleles against the genome: REF checked, and variants written in one way."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.genome.genome_files import write_genome

from attendna.core.errors import UserError
from attendna.genome.alleles import check_reference, normalize
from attendna.genome.reference import Reference, open_reference
from attendna.genome.variants import SCHEMA, read_variants

GENOME = {
    "chr1": "GGGCACACACAGGGTTTTTACGTNNACGTACGTCC",
    "chr2": "ACGTT",
    "chr9:10-20": "ACGTACGTAA",
}


def table(*rows: tuple[str, int, str, str]) -> pl.DataFrame:
    full = [(*row, None, line) for line, row in enumerate(rows, start=1)]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    path = write_genome(tmp_path_factory.mktemp("genome"), GENOME, "fa")
    return open_reference(path, keep_in_memory=True)


def test_the_genome_tells_the_status_of_each_variant(reference: Reference) -> None:
    variants = table(
        ("1", 0, "G", "A"),
        ("chr1", 0, "A", "G"),
        ("chr1", 0, "A", "T"),
        ("chr1", 4, "ACA", "A"),
        ("chr1", 23, "N", "A"),
        ("chr1", 22, "TA", "T"),
        ("chr2", 4, "TA", "G"),
        ("chr2", 99, "T", "A"),
        ("chr3", 0, "G", "A"),
        ("chr9", 10, "A", "G"),
        ("chr9", 11, "A", "C"),
        ("chr9", 25, "A", "C"),
    )
    checked = check_reference(variants, reference)
    assert checked.frame["status"].to_list() == [
        "match",
        "swapped",
        "mismatch",
        "match",
        "unchecked",
        "unchecked",
        "mismatch",
        "mismatch",
        "unchecked",
        "match",
        "swapped",
        "unchecked",
    ]
    assert checked.counts == {"match": 3, "swapped": 2, "mismatch": 3, "unchecked": 4}
    assert checked.frame["chrom"][0] == "chr1"


def test_what_becomes_of_a_mismatch_is_a_choice(reference: Reference) -> None:
    variants = table(
        ("chr1", 0, "G", "A"), ("chr1", 0, "A", "G"), ("chr1", 0, "A", "T"), ("chr3", 5, "A", "T")
    )
    counts = check_reference(variants, reference).counts
    dropped = check_reference(variants, reference, mismatch="drop")
    assert dropped.frame["line"].to_list() == [1, 4]
    swapped = check_reference(variants, reference, mismatch="swap")
    assert swapped.frame.select("ref", "alt", "status").rows() == [
        ("G", "A", "match"),
        ("G", "A", "swapped"),
        ("A", "T", "unchecked"),
    ]
    assert dropped.counts == swapped.counts == counts
    with pytest.raises(UserError, match=r"line 2: .* has no A at chr1:1 .1 more variants"):
        check_reference(variants, reference, mismatch="error")


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (("chr1", 8, "ACA", "A"), ("chr1", 2, "GCA", "G")),
        (("chr1", 3, "CAC", "C"), ("chr1", 2, "GCA", "G")),
        (("chr1", 10, "A", "ACA"), ("chr1", 2, "G", "GCA")),
        (("chr1", 18, "TA", "A"), ("chr1", 13, "GT", "G")),
        (("chr1", 2, "GCACA", "GCA"), ("chr1", 2, "GCA", "G")),
        (("chr1", 0, "GG", "G"), ("chr1", 0, "GG", "G")),
        (("chr1", 1, "GG", "G"), ("chr1", 0, "GG", "G")),
        (("chr1", 13, "GT", "GA"), ("chr1", 14, "T", "A")),
        (("chr1", 13, "GTT", "ATC"), ("chr1", 13, "GTT", "ATC")),
        # Not beyond what is known: N, the first base of a part, a contig that is not there.
        (("chr1", 28, "TACGT", "T"), ("chr1", 25, "ACGTA", "A")),
        (("chr9", 14, "ACGTA", "A"), ("chr9", 10, "ACGTA", "A")),
        (("chr3", 7, "CTT", "CT"), ("chr3", 7, "CT", "C")),
        # The reference allele is wrong: shortened but not moved.
        (("chr1", 9, "TAA", "TA"), ("chr1", 9, "TA", "T")),
    ],
)
def test_variants_are_written_in_one_way(
    reference: Reference, variant: tuple, expected: tuple
) -> None:
    got = normalize(table(variant), reference)
    assert got.select("chrom", "start", "ref", "alt").row(0) == expected
    assert got["line"].to_list() == [1]


def test_a_long_repeat_is_crossed(tmp_path: Path) -> None:
    genome = {"a": "G" + "CA" * 1_000 + "T"}
    reference = open_reference(write_genome(tmp_path, genome, "fa"), keep_in_memory=True)
    got = normalize(table(("a", 1_998, "ACA", "A"), ("a", 5, "C", "G")), reference)
    assert got.select("start", "ref", "alt").rows() == [(0, "GCA", "G"), (5, "C", "G")]
    assert normalize(table(), reference).height == 0


def apply(text: str, start: int, ref: str, alt: str) -> str:
    assert text[start : start + len(ref)] == ref
    return text[:start] + alt + text[start + len(ref) :]


@pytest.fixture(scope="module")
def repeats(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Reference]:
    """Short contigs of two letters, which are full of repeats."""
    random = np.random.default_rng(0)
    contigs = {
        f"c{size}": "".join(random.choice(["A", "C"], size, p=[0.7, 0.3])) for size in range(2, 40)
    }
    path = write_genome(tmp_path_factory.mktemp("repeats"), contigs, "fa")
    return contigs, open_reference(path, keep_in_memory=True)


@settings(max_examples=40)
@given(st.data())
def test_the_haplotype_stays_and_equal_haplotypes_are_written_alike(
    repeats: tuple[dict[str, str], Reference], data: st.DataObject
) -> None:
    contigs, reference = repeats
    name = data.draw(st.sampled_from(list(contigs)))
    text, rows = contigs[name], []
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, min(len(text), start + 5)))
        alt = data.draw(st.text("AC", min_size=1, max_size=5))
        if text[start:end] != alt:
            rows.append((name, start, text[start:end], alt))
    variants = table(*rows)
    got = normalize(variants, reference)
    assert normalize(got, reference).equals(got)
    written: dict[str, set[tuple]] = {}
    for before, after in zip(rows, got.select("chrom", "start", "ref", "alt").rows(), strict=True):
        haplotype = apply(text, *before[1:])
        assert apply(text, *after[1:]) == haplotype
        written.setdefault(haplotype, set()).add(after)
    # Where bases were both taken and put in, one haplotype may come of different changes.
    pure = {h: w for h, w in written.items() if all(len(v[2]) == 1 or len(v[3]) == 1 for v in w)}
    assert all(len(ways) == 1 for ways in pure.values())


def test_real_variants_against_their_genomes(shared: Path, tmp_path: Path) -> None:
    def counts(variants: str, genome: str) -> dict[str, int]:
        reference = open_reference(shared / genome, cache=tmp_path)
        return check_reference(read_variants(shared / variants).frame, reference).counts

    regions = "genome/hg38_regions.fa.gz"
    eqtls = "variants/baskerville_eqtl_chr1_hg38.vcf"
    for genome in (regions, "genome/originals/hg38_chr1_first1Mb.fa.gz"):
        assert counts(eqtls, genome) == {"match": 8, "swapped": 0, "mismatch": 0, "unchecked": 0}
    # The regions show the alternative allele at some common SNPs.
    assert counts("variants/allelic_imbalance_HepG2_dnase_hg38.tsv.gz", regions) == {
        "match": 46,
        "swapped": 13,
        "mismatch": 0,
        "unchecked": 14_988,
    }
    assert counts("variants/allelic_imbalance_K562_atac_hg38.tsv.gz", regions) == {
        "match": 25,
        "swapped": 3,
        "mismatch": 0,
        "unchecked": 9_265,
    }


def test_the_thousand_genomes_agree_with_theirs(shared: Path, tmp_path: Path) -> None:
    folder = shared / "genome/originals"
    reference = open_reference(folder / "grch37_chr20_1Mb_relative.fa.gz", cache=tmp_path)
    path = folder / "1000g_chr20_1Mb_relative.vcf.gz"
    variants = read_variants(path).frame
    checked = check_reference(variants, reference)
    assert checked.counts == {"match": 29_120, "swapped": 0, "mismatch": 0, "unchecked": 0}
    assert variants["line"].n_unique() == 28_974
    got = normalize(checked.frame, reference)
    moved = (got["start"] != variants["start"]).sum(), (got["ref"] != variants["ref"]).sum()
    assert moved == (0, 38)
    assert check_reference(got, reference).counts["match"] == 29_120
