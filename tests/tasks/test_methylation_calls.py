"""Tables of methylation in the forms of the common callers."""

from pathlib import Path

import pytest

from attendna.core.errors import DataError
from attendna.genome.preflight import BadRowsError
from attendna.tasks.methylation_calls import (
    NO_READS,
    OTHER_MODIFICATION,
    SHARES,
    CallTable,
    read_calls,
)

FORMS = {
    "bedmethyl": "track name=x\nchr1\t9\t10\tn\t8\t+\t9\t10\t0,0,0\t8\t25\n"
    "chr1\t10\t11\tn\t0\t-\t10\t11\t0,0,0\t0\t0\n",
    "named bedmethyl": "chr\tstart\tend\titem\tscore\tstrand\ts\te\tRGB\ttotalReads\tmethReads\n"
    "chr1\t9\t10\tN\t8\t+\t9\t10\t0,0,0\t8\t25\n",
    "bedmethyl of 14 columns": 'chr1\t9\t10\t"lib"\t8\t+\t9\t10\t0,0,0\t8\t25\tCG\tCG\t2\n',
    "bismark": "chr1\t10\t10\t25.0\t2\t6\nchr1\t11\t11\t0\t0\t0\n",
    "bismark from 0": "chr1\t9\t10\t25.0\t2\t6\nchr1\t10\t11\t0\t0\t0\n",
    "MethylDackel": 'track type="bedGraph" description="x y"\nchr1\t9\t10\t25\t2\t6\n',
    "merged CpG": "chr1\t9\t11\t25\t2\t6\n",
    "cytosine report": "chr1\t10\t+\t2\t6\tCG\tCGA\nchr1\t12\t-\t0\t0\tCHH\tCAA\n",
    "gembs": "Contig\tPos0\tPos1\tRef\ta:Call\ta:Flags\ta:Meth\ta:non_conv\ta:conv\tx\ty\n"
    "chr1\t9\t10\tC\tC\tGQ\t0.3\t2\t6\t1\t1\n",
    "methylkit": "chrBase\tchr\tbase\tstrand\tcoverage\tfreqC\tfreqT\n"
    "chr1.10\tchr1\t10\tF\t8\t25.00\t75.00\n",
    "methylkit by R": '"chrBase"\t"chr"\t"base"\t"strand"\t"coverage"\t"freqC"\t"freqT"\n'
    '"1"\t"chr1.10"\t"chr1"\t10\t"F"\t8\t25\t75\n',
    "methylkit's data": "chr\tstart\tend\tstrand\tcoverage\tnumCs\tnumTs\n"
    "chr1\t10\t10\t+\t8\t2\t6\n",
    "methylkit's data as CSV": '"","chr","start","end","strand","coverage","numCs","numTs"\n'
    '"1","chr1",10,10,"+",8,2,6\n',
}
_STRANDLESS = ("bismark", "bismark from 0", "MethylDackel", "merged CpG", "gembs")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / "calls.txt"
    path.write_text(FORMS[form])
    (row,) = read_calls(path).frame.rows()
    strand = None if form in _STRANDLESS else "+"
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
    calls = read_calls(shared / "methylation" / name).frame
    assert calls.height == rows
    assert calls["percent"].is_between(0, 100).all()
    assert calls["reads"].min() > 0


def test_real_files_of_other_callers(shared: Path) -> None:
    for path in sorted((shared / "methylation").glob("methylkit_*")):
        calls = read_calls(path).frame
        assert calls["chrom"].unique().to_list() == ["chr21"]
        assert set(calls["strand"]) == {"+", "-"}
    gembs = read_calls(shared / "methylation" / "ENCSR750CPN_gembs_cpg_chr1_first100k.tsv.gz").frame
    assert 90_000 < gembs.height <= 100_000


def modkit(*rows: tuple[int, str, int, int], separator: str = "\t", motif: str = "") -> str:
    """Rows of modkit: start, code, reads of the modification and of all."""
    lines = []
    for start, code, modified, reads in rows:
        place = ["chr1", start, start + 1, code + motif, reads, "+", start, start + 1, "255,0,0"]
        share = f"{100 * modified / reads:.2f}" if reads else "nan"
        counts = [reads, share, modified, reads - modified, 0, 0, 0, 0, 0]
        lines.append("\t".join(map(str, place)) + "\t" + separator.join(map(str, counts)) + "\n")
    return "".join(lines)


def calls(tmp_path: Path, text: str, *modifications: str) -> CallTable:
    path = tmp_path / "calls.bed"
    path.write_text(text)
    return read_calls(path, modifications or ("m",))


def shares(table: CallTable) -> list[tuple[int, float]]:
    return [(start, round(share, 6)) for start, share in table.frame["start", "percent"].rows()]


BOTH = modkit((9, "h", 2, 20), (9, "m", 16, 20), (12, "h", 4, 10), (12, "m", 1, 10))


@pytest.mark.parametrize(
    ("asked", "expected", "left_out"),
    [
        ([], [(9, 80), (12, 10)], 2),
        (["m"], [(9, 80), (12, 10)], 2),
        (["27551"], [(9, 80), (12, 10)], 2),
        (["h"], [(9, 10), (12, 40)], 2),
        (["5hmC"], [(9, 10), (12, 40)], 2),
        (["m", "h"], [(9, 90), (12, 50)], 0),
    ],
)
def test_modifications_are_kept_apart_or_added(
    tmp_path: Path, asked: list[str], expected: list[tuple], left_out: int
) -> None:
    for text in (BOTH, BOTH.replace("\tm\t", "\t27551\t"), BOTH.replace("\th\t", "\t76792\t")):
        table = calls(tmp_path, text, *asked)
        assert shares(table) == expected
        assert table.frame["reads"].to_list() == [20, 10]
        assert table.left_out.get(OTHER_MODIFICATION, 0) == left_out


def test_bedmethyl_of_11_columns_names_modifications_too(tmp_path: Path) -> None:
    short = "".join("\t".join(line.split("\t")[:11]) + "\n" for line in BOTH.splitlines())
    assert shares(calls(tmp_path, short)) == [(9, 80), (12, 10)]
    assert shares(calls(tmp_path, short, "m", "h")) == [(9, 90), (12, 50)]


def test_older_modkit_mixes_tabs_and_blanks(tmp_path: Path) -> None:
    assert shares(calls(tmp_path, modkit((9, "m", 16, 20), separator=" "))) == [(9, 80)]


def test_motifs_of_modkit_count_reads_once(tmp_path: Path) -> None:
    rows = (9, "m", 16, 20), (12, "m", 1, 10)
    text = modkit(*rows, motif=",CG,0") + modkit(rows[0], motif=",C,0")
    assert shares(calls(tmp_path, text)) == [(9, 80), (12, 10)]


def test_rows_without_reads_are_left_out_and_counted(tmp_path: Path) -> None:
    table = calls(tmp_path, modkit((9, "m", 16, 20), (12, "m", 0, 0), (15, "m", 0, 5)))
    assert shares(table) == [(9, 80), (15, 0)]
    assert table.left_out == {NO_READS: 1}
    row = "chr1\t{0}\t{1}\t.\t8\t+\t9\t10\t0,0,0\t8\t{2}\n"
    text = "".join(row.format(at, at + 1, share) for at, share in ((9, "nan"), (12, "NA"), (15, 5)))
    table = calls(tmp_path, text)
    assert shares(table) == [(15, 5)]
    assert table.left_out == {NO_READS: 2}


@pytest.mark.parametrize(
    ("text", "asked", "complaint"),
    [
        (modkit((9, "C", 2, 20)), [], "no row is of the modification m, there are C; choose by"),
        (modkit((9, "a", 2, 20)), ["m", "h"], "no row is of the modification h, there are a"),
        (modkit((9, "m", 2, 20)), ["m", "h"], "no row is of the modification h, there are m"),
        (modkit((9, "m", 2, 20), (9, "m", 2, 20)), [], "line 2: a second row of chr1:10"),
        (modkit((9, "m", 2, 20), (9, "h", 2, 10)), ["m", "h"], "different numbers of reads"),
        (FORMS["bedmethyl"], ["h"], "its rows name no modification in column 4"),
        (FORMS["bismark"], ["h"], "its rows name no modification"),
        ("chr1\t10\t10\t25\t2\t6\n" * 2, [], "line 2: a second row of chr1:10"),
    ],
)
def test_modifications_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, text: str, asked: list[str], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        calls(tmp_path, text, *asked)


def test_combined_modifications_are_asked_for_by_their_code(tmp_path: Path) -> None:
    assert shares(calls(tmp_path, modkit((9, "C", 18, 20)), "C")) == [(9, 90)]


@pytest.mark.parametrize(
    "text",
    [
        "chr1\t10\t10\t25\t2\t6\nchr1\t19\t20\t25\t2\t6\n",
        "chr1\t19\t20\t25\t2\t6\nchr1\t10\t10\t25\t2\t6\n",
        "chr1\t19\t20\t25\nchr1\t10\t10\t25\n",
        "chr1\t19\t20\t25\t2\t6\nchr1\t10\t12\t25\t2\t6\n",
        "chr1\t9\t10\t.\t8\t+\t9\t10\t0\t8\t25\nchr1\t9\t99\t.\t8\t+\t9\t10\t0\t8\t25\n",
    ],
)
def test_positions_that_count_both_ways_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"line 2: the end is the start \+ \d+, where \+ \d is"):
        calls(tmp_path, text)


@pytest.mark.parametrize(
    "track", ["", "track type=bedGraph\n", '# x\nbrowser y\ntrack name="a b"\n']
)
def test_a_bedgraph_does_not_count_reads(tmp_path: Path, track: str) -> None:
    table = calls(tmp_path, f"{track}chr1\t9\t10\t25\nchr1\t12\t13\t75.5\n")
    assert shares(table) == [(9, 25), (12, 75.5)]
    assert not table.counted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chr1\t9\t10\t0.25\nchr1\t12\t13\t1\n", [(9, 25), (12, 100)]),
        ("chr1\t9\t10\t0\nchr1\t12\t13\t0\n", [(9, 0), (12, 0)]),
        ("chr1\t9\t10\t0.5\nchr1\t12\t13\t50\n", [(9, 0.5), (12, 50)]),
    ],
)
def test_shares_are_noticed(tmp_path: Path, text: str, expected: list[tuple]) -> None:
    table = calls(tmp_path, text)
    assert shares(table) == expected
    assert table.left_out.get(SHARES, 0) == (2 if expected[1][1] == 100 else 0)


@pytest.mark.parametrize(("reads", "expected"), [(20, 80), (2_000, 0.8)])
def test_few_percent_of_many_reads_are_percentages(
    tmp_path: Path, reads: int, expected: float
) -> None:
    text = f"chr1\t9\t10\tm\t8\t+\t9\t10\t0,0,0\t{reads}\t0.80\n"
    assert shares(calls(tmp_path, text)) == [(9, expected)]


def test_counts_are_believed_before_percentages(tmp_path: Path) -> None:
    assert shares(calls(tmp_path, "chr1\t10\t10\t0.8\t16\t4\n")) == [(9, 80)]
    assert shares(calls(tmp_path, modkit((9, "m", 16, 20)).replace("80.00", "0.80"))) == [(9, 80)]


def test_counts_that_contradict_their_percentage_are_refused(tmp_path: Path) -> None:
    # Methylated reads and all reads, where methylated and unmethylated ones are expected.
    path = tmp_path / "calls.bed"
    path.write_text("chr1\t100\t101\t80\t16\t20\nchr1\t200\t201\t50\t10\t20\n")
    with pytest.raises(BadRowsError, match="80 is not the share of 16 in 36 reads"):
        read_calls(path)
    path.write_text("chr1\t100\t101\t33\t1\t2\nchr1\t200\t201\t0.5\t10\t10\n")
    assert read_calls(path).frame["percent"].to_list() == pytest.approx([100 / 3, 50])


def test_counts_of_methyldackel_are_no_percentages(tmp_path: Path) -> None:
    track = 'track type="bedGraph" description="a CpG methylation {}"\n'
    row = "chr1\t9\t10\t12\n"
    with pytest.raises(DataError, match="numbers of reads"):
        calls(tmp_path, track.format("counts") + row)
    assert shares(calls(tmp_path, track.format("levels") + row)) == [(9, 12)]
