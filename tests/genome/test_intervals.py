"""Intervals of every format, by hand and from real files, and what is said of bad ones."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.genome.intervals import SCHEMA, Intervals, centered, read_intervals
from attendna.genome.preflight import BadRowsError

PEAK = "chr1\t100\t200\tp\t5\t.\t7.5\t-1\t-1\t40"
GENE = 'chr1\tHAVANA\tgene\t101\t200\t.\t-\t.\tgene_id "A"'


def read(folder: Path, name: str, text: str, **options: object) -> Intervals:
    path = folder / name
    content = text.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith("gz") else content)
    return read_intervals(path, **options)


def rows(intervals: Intervals) -> list[tuple]:
    assert dict(intervals.frame.schema) == {name: kind() for name, kind in SCHEMA.items()}
    return intervals.frame.drop("thick_start", "thick_end").rows()


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("a.bed", "chr1\t100\t200", (None, None, ".", None, None)),
        ("a.bed", "chr1 100 200 x", ("x", None, ".", None, None)),
        ("a.bed", "chr1\t100\t200\tx\t5\t-", ("x", 5.0, "-", None, None)),
        (
            "a.bed",
            "chr1\t100\t200\tx\t5\t-\t100\t100\t0\t2\t10,20,\t0,80,",
            ("x", 5.0, "-", None, None),
        ),
        ("a.narrowPeak", PEAK, ("p", 5.0, ".", 7.5, 140)),
        ("a.bed", PEAK, ("p", 5.0, ".", 7.5, 140)),
        ("a.narrowPeak", PEAK[:-2] + "-1", ("p", 5.0, ".", 7.5, None)),
        ("a.broadPeak", PEAK[:-3], ("p", 5.0, ".", 7.5, None)),
        ("a.csv", "chrom,start,end\nchr1,100,200", (None, None, ".", None, None)),
        ("a.csv", "id,region,start,end,strand\n8,chr1,100,200,-", ("8", None, "-", None, None)),
        ("a.csv", 'a,chr,end,start\n"x, y",chr1,200,100', (None, None, ".", None, None)),
        ("a.tsv", "#chr\tstart\tend\tscore\nchr1\t100\t200\t3", (None, 3.0, ".", None, None)),
        ("a.txt", "seqnames;start;end;strand\nchr1;100;200;*", (None, None, ".", None, None)),
    ],
)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_one_schema_for_every_format(
    tmp_path: Path, name: str, text: str, row: tuple, packed: str
) -> None:
    assert rows(read(tmp_path, name + packed, text + "\n")) == [("chr1", 100, 200, *row)]


def test_a_gtf_gives_the_start_site_of_its_genes(tmp_path: Path) -> None:
    found = read(tmp_path, "a.gtf", f"##provider: X\n{GENE}\n")
    assert rows(found) == [("chr1", 199, 200, "A", None, "-", None, None)]


def test_headers_comments_and_windows_line_ends_are_no_rows(tmp_path: Path) -> None:
    text = (
        '\ufeffbrowser position chr1\r\ntrack name="x y"\r\n# note\r\n\r\n'
        "chrom\tstart\tend\r\nchr1\t1\t2\r\n#chr1\t5\t6\r\nchr1\t3\t4\r\n\r\n"
    )
    assert [row[:3] for row in rows(read(tmp_path, "a.bed", text))] == [
        ("chr1", 1, 2),
        ("chr1", 3, 4),
    ]


def test_tables_count_from_one_where_it_is_said(tmp_path: Path) -> None:
    text = "gene,where,from,to\nA,chr1,101,200\nB,chr1,0,5\n"
    names = {"chrom": "where", "start": "from", "end": "to", "name": "gene"}
    found = read(tmp_path, "a.csv", text, columns=names, one_based=True, bad="drop")
    assert rows(found) == [("chr1", 100, 200, "A", None, ".", None, None)]
    assert found.complaints["problem"].to_list() == ["the start 0 lies before the chromosome"]


BAD = """\
track name=bad
chr1\t100\t200\ta\t1\t+
chr1\t-5\t200\ta\t1\t+
chr1\t200\t100\ta\t1\t+
chr1\t100\t100\ta\t1\t+
chr1\t100\t200\ta\t1\tplus
chr1\t100\t2x0\ta\t1\t+
chr1\t100\t200
chr1\t100\t20000000000000\ta\t1\t+
1\t100\t200\ta\t1\t+
chr7\t100\t200\ta\t1\t+
chr1\t100\t1001\ta\t1\t+
"""


def test_the_preflight_lists_every_bad_row_with_its_fix(tmp_path: Path) -> None:
    found = read(tmp_path, "a.bed", BAD, contigs={"chr1": 1000}, bad="drop")
    assert [row[:3] for row in rows(found)] == [("chr1", 100, 200)] * 2
    assert found.complaints.rows() == [
        (3, "the start -5 lies before the chromosome", "clip or remove the interval"),
        (4, "the end 100 lies before the start 200", "swap them"),
        (5, "the interval is empty", "move the end or remove the row"),
        (6, "the strand 'plus' is unknown", "write +, - or ."),
        (7, "the end '2x0' is no whole number", "write a whole number"),
        (
            8,
            "it has 3 columns where there should be 6",
            "complete the row, and separate columns as in the first row",
        ),
        (9, "the end 20000000000000 lies beyond any chromosome", "correct the number"),
        (
            11,
            "the genome has no chromosome chr7",
            "leave the row out, or use the genome it was made with",
        ),
        (
            12,
            "the end 1001 lies beyond chr1 with its 1000 bases",
            "clip the interval, or use the genome it was made with",
        ),
    ]
    with pytest.raises(BadRowsError, match=r"a\.bed: 9 bad rows: line 3: .*; and 6 more") as caught:
        read(tmp_path, "a.bed", BAD, contigs={"chr1": 1000})
    assert caught.value.complaints.equals(found.complaints)


def test_names_of_chromosomes_become_those_of_the_genome(tmp_path: Path) -> None:
    text = "chr1\t1\t2\nMT\t1\t2\n"
    found = read(tmp_path, "a.bed", text, contigs={"1": 9, "chrM": 9})
    assert found.frame["chrom"].to_list() == ["1", "chrM"]


def test_blocks_of_bed12_must_be_as_many_as_it_says(tmp_path: Path) -> None:
    line = "chr1\t100\t200\tx\t5\t-\t100\t100\t0\t3\t10,20\t0,80"
    with pytest.raises(BadRowsError, match="the sizes and starts of 3 blocks do not fit"):
        read(tmp_path, "a.bed", line)


def test_a_summit_outside_of_its_peak_is_null_and_counted(tmp_path: Path) -> None:
    text = "\n".join(PEAK[:-2] + offset for offset in ("0", "99", "100", "-1", "-7", "40"))
    found = read(tmp_path, "a.narrowPeak", text)
    assert found.frame["summit"].to_list() == [100, 199, None, None, None, 140]
    assert found.lost_summits == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"x", "the ending '.xlsx' is no format of intervals; name it .bed"),
        ("a", b"x", "the file has no ending; name it .bed"),
        ("a.bed", b"", "the file is empty"),
        ("a.bed", b"# only\ntrack\n", "there is no row in it"),
        ("a.csv", b"chrom,start,end\n", "there is no row in it"),
        ("a.csv", b"chr1,100,200\n", "there is no chrom column among chr1, 100, 200"),
        ("a.bed", "chr1\t1\t2".encode("utf-16"), "the text is UTF-16; save it as UTF-8"),
        ("a.bed", b"chr1\t1\t2\nch\0r1\t1\t2", "line 2 holds a NUL byte"),
        ("a.bed", b"chr1\t1\t2\nch\xff1\t1\t2", "line 2 is not UTF-8 text"),
        ("a.bed.gz", gzip.compress(b"chr1\t1\t2\n" * 99, mtime=0)[:-9], "the gzip is truncated"),
        ("a.narrowPeak", b"chr1\t1\t2\n", "it has 3 columns where there should be 10"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_intervals(tmp_path / name)
    assert message in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_wrong_column_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_intervals(tmp_path / "a.bed")
    with pytest.raises(DataError, match="there is no gene column among chrom, start, end"):
        read(tmp_path, "a.csv", "chrom,start,end\n1,2,3", columns={"name": "gene"})


def test_two_columns_that_could_be_one_are_told(tmp_path: Path) -> None:
    text = "id,name,region,chrom,start,end\na,b,chr1,chr2,5,6\n"
    with pytest.raises(DataError, match="chrom and region could both be the chrom; say which"):
        read(tmp_path, "a.csv", text)
    found = read(tmp_path, "a.csv", text, columns={"chrom": "region"})
    assert rows(found) == [("chr1", 5, 6, "b", None, ".", None, None)]


@pytest.mark.parametrize(("width", "start", "end"), [(5, 148, 153), (4, 148, 152), (1, 150, 151)])
def test_windows_are_centered_on_the_middle_or_the_summit(width: int, start: int, end: int) -> None:
    frame = pl.DataFrame({"start": [100, 100, 0], "end": [200, 201, 10], "summit": [None, 150, 1]})
    got = centered(frame, width)
    assert got["start"].to_list()[:2] == [start, start]
    assert got["end"].to_list()[:2] == [end, end]
    assert got["start"][2] == 1 - width // 2
    assert centered(frame.drop("summit"), width)["start"][2] == 5 - width // 2


REAL = {
    "epd/human_epdnew_hg38.bed.gz": 29_598,
    "genome/hg38_regions.bed": 68,
    "enformer/borzoi_sequences_human.bed.gz": 55_497,
    "peaks/hg19/ChIPseq.HepG2.MAFK.conservative.train.narrowPeak.gz": 62_819,
    "peaks/hg19/wgEncodeHaibTfbsGm12878Sp1Pcr1xPkRep1.broadPeak.gz": 26_121,
    "peaks/hg38/dhs_peaks_encode.narrowPeak.gz": 159_277,
    "methylation/ENCSR156JXJ_wgbs_cpg_chr1_first100k.bed.gz": 99_999,
    "expression/xpresso_hg38_promoters_cage_corrected.bed.gz": 18_413,
    "genome/gencode_chr9_hg19.gtf.gz": 536,
    "expression/gencode_v10_genes_hg19.gtf.gz": 43_575,
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole(shared: Path, name: str) -> None:
    found = read_intervals(shared / name)
    assert found.frame.height == REAL[name]
    assert found.complaints.height == 0


def test_peaks_of_36_experiments(shared: Path) -> None:
    files = sorted((shared / "peaks/hg19").glob("*.narrowPeak.gz"))
    found = [read_intervals(path) for path in files]
    assert len(files) == 36
    assert sum(each.frame.height for each in found) == 939_787
    assert sum(each.lost_summits for each in found) == 153
    assert all("chr8" not in each.frame["chrom"] for each in found)


def test_summits_of_dnase_peaks(shared: Path) -> None:
    found = read_intervals(shared / "peaks/hg38/dhs_peaks_encode.narrowPeak.gz")
    assert found.lost_summits == 5_931


BENCHMARKS = {
    "demo_coding_vs_intergenomic_seqs": 100_000,
    "demo_human_or_worm": 100_000,
    "drosophila_enhancers_stark": 6_914,
    "dummy_mouse_enhancers_ensembl": 1_210,
    "human_enhancers_cohn": 27_791,
    "human_enhancers_ensembl": 154_842,
    "human_ensembl_regulatory": 289_061,
    "human_nontata_promoters": 36_131,
    "human_ocr_ensembl": 174_756,
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_genomic_benchmarks_are_read_whole(shared: Path, name: str) -> None:
    files = sorted((shared / "genomic_benchmarks/intervals" / name).glob("*/*.csv.gz"))
    found = [read_intervals(path) for path in files]
    assert sum(each.frame.height for each in found) == BENCHMARKS[name]
    assert sum(each.complaints.height for each in found) == 0


def test_start_sites_are_those_a_line_of_the_gtf_tells(shared: Path) -> None:
    path = shared / "expression/gencode_v10_genes_hg19.gtf.gz"
    told: dict[tuple[str, str], int] = {}
    with gzip.open(path, "rt") as stream:
        for line in stream:
            if not line.startswith("#"):
                chrom, _, feature, start, end, _, strand, _, more = line.split("\t")
                assert feature == "gene"
                name = more.split('gene_id "')[1].split('"')[0]
                told[chrom, name] = int(start) - 1 if strand == "+" else int(end) - 1
    frame = read_intervals(path).frame
    got = dict(zip(frame.select("chrom", "name").iter_rows(), frame["start"], strict=True))
    assert got == told


@pytest.mark.parametrize(
    ("header", "row", "summit"),
    [
        ("chrom,start,end,peak", "chr1,100,200,40", 140),
        ("chrom,start,end,peak", "chr1,100,200,40.0", 140),
        ("chrom,start,end,peak", "chr1,100,200,-1", None),
        ("chrom,start,end,peak", "chr1,100,200,NA", None),
        ("chrom,start,end,peak", "chr1,100,200,140", 140),
        ("chrom,start,end,peak", "chr1,100,200,peak_1", None),
        ("chrom,start,end,summit", "chr1,100,200,40", 140),
        ("chrom,start,end,summit", "chr1,100,200,140", 140),
        ("chrom,start,end,abs_summit", "chr1,100,200,140", 140),
        ("chrom,start,end,abs_summit,peak", "chr1,100,200,140,x", 140),
        # R and MACS count from 1, as the width of a row shows.
        ("seqnames,start,end,width,strand,peak", "chr1,101,200,100,*,40", 140),
        ("chr,start,end,length,abs_summit", "chr1,101,200,100,141", 140),
        ("chr,start,end,length,summit", "chr1,101,200,100,41", 140),
        ("chr,start,end,length", "chr1,100,200,100", None),
        ("chr,start,end,length", "chr1,100,200,7", None),
    ],
)
def test_summits_of_tables_are_read_and_their_first_number_is_known(
    tmp_path: Path, header: str, row: str, summit: int | None
) -> None:
    found = read(tmp_path, "a.csv", f"{header}\n{row}\n")
    assert found.frame.select("chrom", "start", "end", "summit").row(0) == (
        "chr1", 100, 200, summit
    )  # fmt: skip


def test_what_macs_calls_xls_is_a_table_that_counts_from_1(tmp_path: Path) -> None:
    text = (
        "# This file is generated by MACS version 2.2.7.1\n# Command line: callpeak -t a, b\n\n"
        "chr\tstart\tend\tlength\tabs_summit\tpileup\t-log10(pvalue)\tname\n"
        "chr1\t101\t200\t100\t141\t7\t5.5\tx_peak_1\nchr2\t1\t50\t50\t1\t7\t5.5\tx_peak_2\n"
    )
    found = read(tmp_path, "x_peaks.xls", text).frame
    assert found.select("start", "end", "name", "summit").rows() == [
        (100, 200, "x_peak_1", 140), (0, 50, "x_peak_2", 0)
    ]  # fmt: skip


def test_summits_outside_of_their_peaks_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "chrom,start,end,peak\nchr1,100,200,40\nchr1,300,400,900\n")
    assert found.frame["summit"].to_list() == [140, None]
    assert found.lost_summits == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chrom,start,end,summit\nchr1,100,300,150\n", "could hold offsets or positions"),
        ("chrom,start,end,summit\nchr1,100,200,900\n", "neither offsets nor positions"),
        (
            "chr,start,end,width\nchr1,100,200,100\nchr1,101,200,100\n",
            "row 2: .* from 0 and from 1",
        ),
    ],
)
def test_columns_that_could_mean_two_things_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, "a.csv", text)


@pytest.mark.parametrize("name", ["a.bed", "a.narrowPeak"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_commas_between_the_columns_of_bed_are_named(
    tmp_path: Path, name: str, separator: str
) -> None:
    text = separator.join(["chr1", "1", "2", "x"])
    with pytest.raises(DataError, match="separated by commas or semicolons, not by tabs"):
        read(tmp_path, name, f"# x\n{text}\n{text}\n")


@pytest.mark.parametrize("name", ["a.gff3", "a.gff", "a.gtf.bgz", "a.BED.BGZ", "a.tab", "a.xls"])
def test_endings_of_the_field_are_known(tmp_path: Path, name: str) -> None:
    bed, table = "chr1\t100\t200\n", "chrom\tstart\tend\nchr1\t100\t200\n"
    text = bed if "BED" in name else GENE + "\n" if name[2] == "g" else table
    path = tmp_path / name
    path.write_bytes(
        gzip.compress(text.encode()) if name.lower().endswith("bgz") else text.encode()
    )
    assert read_intervals(path).frame.height == 1
