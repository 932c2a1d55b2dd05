"""Tables of methylation in the forms of the common callers."""

from pathlib import Path

import pytest

from attendna.core.errors import DataError
from attendna.tasks.methylation_calls import read_calls

FORMS = {
    "bedmethyl": "track name=x\nchr1\t9\t10\tn\t8\t+\t9\t10\t0,0,0\t8\t25\n"
    "chr1\t10\t11\tn\t0\t-\t10\t11\t0,0,0\t0\t0\n",
    "named bedmethyl": "chr\tstart\tend\titem\tscore\tstrand\ts\te\tRGB\ttotalReads\tmethReads\n"
    "chr1\t9\t10\tN\t8\t+\t9\t10\t0,0,0\t8\t25\n",
    "bismark": "chr1\t10\t10\t25.0\t2\t6\nchr1\t11\t11\t0\t0\t0\n",
    "gembs": "Contig\tPos0\tPos1\tRef\ta:Call\ta:Flags\ta:Meth\ta:non_conv\ta:conv\tx\ty\n"
    "chr1\t9\t10\tC\tC\tGQ\t0.3\t2\t6\t1\t1\n",
    "methylkit": "chrBase\tchr\tbase\tstrand\tcoverage\tfreqC\tfreqT\n"
    "chr1.10\tchr1\t10\tF\t8\t25.00\t75.00\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / "calls.txt"
    path.write_text(FORMS[form])
    (row,) = read_calls(path).rows()
    strand = None if form in ("bismark", "gembs") else "+"
    assert row == ("chr1", 9, strand, 8, 25)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chr1\t10\t10\t125.0\t5\t-1\n", r"line 1: 125\.0 is no percentage|is negative|percentage"),
        ("chr1\t0\t0\t25.0\t2\t6\n", r"line 1: the position lies before the chromosome"),
        ("chr1\t10\t10\t25.0\t2\tx\n", r"line 1: the unmethylated 'x' is no whole number"),
        ("chr1\t10\n", r"a table of 2 columns, which no known caller"),
        ("chr1\t9\t10\tn\t8\t+\t9\t10\t0,0,0\t8\t101\n", r"line 1: 101\.0 is no percentage"),
        ("chr1\t9\t10\tn\t8\t+\t9\t10\t0,0,0\t-8\t10\n", r"reads -8 is negative"),
        ("", r"the file is empty"),
    ],
)
def test_bad_rows_are_told(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "calls.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint):
        read_calls(path)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ENCSR156JXJ_wgbs_cpg_chr1_first100k.bed.gz", 99_999),
        ("encode_rrbs_chr12_hg19.bed.gz", 17_143),
    ],
)
def test_real_files(shared: Path, name: str, rows: int) -> None:
    calls = read_calls(shared / "methylation" / name)
    assert calls.height == rows
    assert calls["percent"].is_between(0, 100).all()
    assert calls["reads"].min() > 0


def test_real_files_of_other_callers(shared: Path) -> None:
    for path in sorted((shared / "methylation").glob("methylkit_*")):
        calls = read_calls(path)
        assert calls["chrom"].unique().to_list() == ["chr21"]
        assert set(calls["strand"]) == {"+", "-"}
    gembs = read_calls(shared / "methylation" / "ENCSR750CPN_gembs_cpg_chr1_first100k.tsv.gz")
    assert 90_000 < gembs.height <= 100_000
