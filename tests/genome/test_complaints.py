"""What users complain about in tools that read genome files, told as they would meet it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.genome.genome_files import FORMATS, write_genome

from attendna.core.errors import DataError, UserError
from attendna.genome.alleles import check_reference, normalize
from attendna.genome.intervals import centered, read_intervals
from attendna.genome.preflight import BadRowsError
from attendna.genome.reference import Reference, WindowError, open_reference
from attendna.genome.signal import open_signal
from attendna.genome.variants import read_variants

GENOME = {"1": "ACGTTGCAAC" * 5, "2": "GGgcRYKn", "MT": "TTTTTTTTTA"}


@pytest.fixture(params=FORMATS)
def reference(request: pytest.FixtureRequest, tmp_path: Path) -> Reference:
    return open_reference(write_genome(tmp_path, GENOME, request.param), keep_in_memory=True)


def peaks(folder: Path, text: str) -> Path:
    path = folder / "peaks.bed"
    path.write_text(text)
    return path


def test_a_peak_at_zero_and_jitter_off_the_end_are_a_choice_with_counts(
    reference: Reference, tmp_path: Path
) -> None:
    found = read_intervals(peaks(tmp_path, "1\t0\t2\n1\t20\t30\n1\t48\t50\n"))
    windows = centered(found.frame, 8)
    assert windows["start"].to_list() == [-3, 21, 45]
    padded = reference.windows(windows, edge="pad")
    assert padded.sequences.to_text() == ["NNNACGTT", "CGTTGCAA", "GCAACNNN"]
    assert padded.padded == 2
    dropped = reference.windows(windows, edge="drop")
    assert (dropped.rows.tolist(), dropped.dropped) == ([1], 2)
    with pytest.raises(WindowError, match="window 1, 1:-3-5: it reaches over 0 on 1"):
        reference.windows(windows)
    jittered = reference.windows(windows, shift=np.array([3, 0, -3]), edge="error")
    assert (jittered.padded, jittered.dropped) == (0, 0)


def test_contigs_may_be_called_as_elsewhere(reference: Reference, tmp_path: Path) -> None:
    path = peaks(tmp_path, "chr1\t0\t4\nchrM\t6\t10\n")
    found = read_intervals(path, contigs=reference.lengths)
    assert found.frame["chrom"].to_list() == ["1", "MT"]
    for frame in (found.frame, read_intervals(path).frame):
        assert reference.windows(frame).sequences.to_text() == ["ACGT", "TTTA"]


def test_a_contig_that_is_nowhere_is_one_line_in_every_reader(
    reference: Reference, tmp_path: Path
) -> None:
    path = peaks(tmp_path, "chr1\t0\t4\nchr7\t6\t10\n")
    with pytest.raises(BadRowsError, match="line 2: the genome has no chromosome chr7"):
        read_intervals(path, contigs=reference.lengths)
    with pytest.raises(WindowError, match=r"window 2, chr7:6-10: .* has no contig chr7"):
        reference.windows(read_intervals(path).frame)


def test_builds_that_are_mixed_up_are_refused(tmp_path: Path, shared: Path) -> None:
    yeast = open_reference(shared / "genome/sacCer3.fa.gz", cache=tmp_path)
    with pytest.raises(DataError, match="this is sacCer3, not hg38; give the genome hg38"):
        yeast.require_build("hg38")


def test_variants_of_another_build_disagree(tmp_path: Path, shared: Path) -> None:
    """hg38 variants that are checked against GRCh37 bases: most REF alleles are wrong."""
    chr20 = open_reference(
        shared / "genome/originals/grch37_chr20_1Mb_relative.fa.gz", cache=tmp_path
    )
    eqtls = read_variants(shared / "variants/baskerville_eqtl_chr1_hg38.vcf").frame
    moved = eqtls.with_columns(chrom=pl.lit("z"))
    counts = check_reference(moved, chr20).counts
    assert counts["match"] < 8
    assert counts["match"] + counts["mismatch"] + counts["swapped"] == 8
    with pytest.raises(UserError, match="use the genome the variants were called on"):
        check_reference(moved, chr20, mismatch="error")


@pytest.mark.parametrize("kind", ["fa", "fa.gz", "bgz.fa.gz"])
def test_letters_of_any_kind_are_read(tmp_path: Path, kind: str) -> None:
    reference = open_reference(write_genome(tmp_path, GENOME, kind), keep_in_memory=True)
    windows = pl.DataFrame({"chrom": ["2", "2"], "start": [0, 0], "end": [8, 8]})
    both = windows.with_columns(strand=pl.Series(["+", "-"]))
    assert reference.windows(both).sequences.to_text() == ["GGGCNNNN", "NNNNGCCC"]


def test_a_strand_that_is_not_told_is_forward(reference: Reference, tmp_path: Path) -> None:
    found = read_intervals(
        peaks(tmp_path, "1\t0\t4\tx\t0\t.\n1\t0\t4\tx\t0\t+\n1\t0\t4\tx\t0\t-\n")
    )
    assert reference.windows(found.frame).sequences.to_text() == ["ACGT", "ACGT", "ACGT"]
    assert read_intervals(peaks(tmp_path, "1\t0\t4\n")).frame["strand"].to_list() == ["."]


def test_a_vcf_with_everything_in_it_is_neither_refused_nor_off_by_one(
    reference: Reference, tmp_path: Path
) -> None:
    path = tmp_path / "a.vcf"
    path.write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "chr1\t1\tfirst\tA\tC,<DEL>\t.\t.\t.\n"
        "chr1\t50\tlast\tC\tG,*\t.\t.\t.\n"
        "chr1\t4\tdeletion\tTT\tT\t.\t.\t.\n"
        "chr1\t5\tinsertion\tT\tTT\t.\t.\t.\n"
        "chr1\t2\tswapped\tT\tC\t.\t.\t.\n"
        "chr1\t2\twrong\tT\tG\t.\t.\t.\n"
        "chrM\t10\tmitochondrion\tA\tT\t.\t.\t.\n"
        "chr9\t10\telsewhere\tA\tT\t.\t.\t.\n"
    )
    variants = read_variants(path)
    assert (variants.left_out["symbolic"], variants.left_out["star"]) == (1, 1)
    checked = check_reference(variants.frame, reference)
    status = dict(checked.frame.select("id", "status").iter_rows())
    assert [name for name in status if status[name] == "match"] == [
        *("first", "last", "deletion", "insertion", "mitochondrion")
    ]
    assert (status["swapped"], status["wrong"]) == ("swapped", "mismatch")
    assert status["elsewhere"] == "unchecked"
    written = normalize(checked.frame, reference)
    rows = {row[0]: row[1:] for row in written.select("id", "start", "ref", "alt").iter_rows()}
    assert rows["deletion"] == (2, "GT", "G")
    assert rows["insertion"] == (2, "G", "GT")


def test_a_contig_that_is_absent_from_a_bigwig_is_not_zero(shared: Path) -> None:
    signal = open_signal(shared / "bigwig/GM12878_hg38_H3K27me3.chr21.bw")
    windows = pl.DataFrame({"chrom": ["chr21", "chr1"], "start": 20_000_000, "end": 20_000_200})
    with pytest.raises(WindowError, match=r"window 2, .* has no contig chr1"):
        signal.bins(windows, 2)
    got = signal.bins(windows, 2, absent_contig="no_data")
    assert np.isfinite(got.values[0]).all()
    assert np.isnan(got.values[1]).all()
    assert got.absent == 1


def test_a_plainly_gzipped_genome_needs_no_index(tmp_path: Path) -> None:
    path = write_genome(tmp_path, GENOME, "fa.gz")
    reference = open_reference(path, cache=tmp_path / "cache")
    assert reference.lengths == {"1": 50, "2": 8, "MT": 10}
    assert not list(tmp_path.glob("*.fai"))
