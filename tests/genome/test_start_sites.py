"""Which base of a row is the start site."""

from pathlib import Path

import pytest

from attendna.core.errors import DataError
from attendna.genome.start_sites import read_start_sites

EPD = (
    "chr1 959245 959305 NOC2L_1 900 - 959245 959256\n"
    "chr1 960583 960643 KLHL17_1 900 + 960632 960643\n"
)
"""As EPDnew distributes them: 60 bases, of which the thick ones begin at the site."""

REFUSED = "marks none of them as the start site .*--site start"


def sites(path: Path, text: str, **options: object) -> list[tuple]:
    path.write_text(text)
    frame = read_start_sites(path, **options)
    assert (frame["end"] == frame["start"] + 1).all()
    return frame.select("name", "chrom", "start", "strand").rows()


def bed(name: str, start: int, end: int, strand: str, *further: object) -> str:
    return "\t".join(map(str, ("chr1", start, end, name, 0, strand, *further))) + "\n"


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_epdnew_has_the_site_where_the_thick_part_begins(tmp_path: Path, separator: str) -> None:
    text = EPD.replace(" ", separator)
    assert sites(tmp_path / "epd.bed", text) == [
        ("NOC2L_1", "chr1", 959255, "-"),
        ("KLHL17_1", "chr1", 960632, "+"),
    ]


@pytest.mark.parametrize(
    ("row", "site"),
    [
        (bed("a", 10, 11, "+"), 10),
        (bed("a", 10, 11, "-"), 10),
        (bed("one base, thick", 10, 11, "-", 10, 11), 10),
        (bed("one base, nothing thick", 10, 11, "+", 10, 10), 10),
        (bed("one thick base", 10, 70, "+", 30, 31), 30),
        (bed("one thick base", 10, 70, "-", 30, 31), 30),
        (bed("colored", 10, 70, "-", 10, 31, "255,0,0"), 30),
        (bed("blocks and one thick base", 10, 70, "-", 30, 31, 0, 1, "60", "0"), 30),
    ],
)
def test_rows_that_mark_a_base(tmp_path: Path, row: str, site: int) -> None:
    ((_, _, found, _),) = sites(tmp_path / "sites.bed", row)
    assert found == site


@pytest.mark.parametrize(
    "row",
    [
        bed("a gene", 10, 70, "-"),
        bed("all thick", 10, 70, "+", 10, 70),
        bed("nothing thick", 10, 70, "+", 10, 10),
        bed("thick elsewhere", 10, 70, "+", 0, 0),
        bed("thick outside", 10, 70, "+", 5, 30),
        bed("no thick numbers", 10, 70, "+", ".", "."),
        bed("a transcript with its coding part", 10, 70, "+", 20, 50, 0, 1, "60", "0"),
    ],
)
def test_longer_rows_that_mark_none_are_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(DataError, match=f"line 2: the row has 60 bases and {REFUSED}"):
        sites(tmp_path / "genes.bed", bed("first", 1, 2, "+", *row.split("\t")[6:]) + row)


@pytest.mark.parametrize(
    ("site", "forward", "reverse"),
    [("start", 10, 69), ("end", 69, 10), ("middle", 40, 40), ("thick", 20, 29)],
)
def test_the_base_may_be_chosen(tmp_path: Path, site: str, forward: int, reverse: int) -> None:
    rows = bed("a", 10, 70, "+", 20, 30) + bed("b", 10, 70, "-", 20, 30)
    found = sites(tmp_path / "genes.bed", rows, site=site)
    assert [row[2] for row in found] == [forward, reverse]


def test_thick_bases_that_are_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: the row has 60 bases"):
        sites(tmp_path / "genes.bed", bed("a", 10, 70, "+"), site="thick")
    all_thick = bed("a", 10, 70, "-", 10, 70)
    assert sites(tmp_path / "genes.bed", all_thick, site="thick")[0][2] == 69


@pytest.mark.parametrize("strand", [".", "*"])
def test_a_site_needs_its_strand(tmp_path: Path, strand: str) -> None:
    with pytest.raises(DataError, match=r"line 1: the strand is '\.'"):
        sites(tmp_path / "sites.bed", bed("a", 10, 11, strand))


def test_tables_and_annotations_name_the_same_sites(tmp_path: Path) -> None:
    expected = [("g", "chr1", 10, "+"), ("h", "chr1", 69, "-")]
    table = "id,seqnames,strand,TSS\ng,chr1,+,11\nh,chr1,-,70\n"
    assert sites(tmp_path / "tss.csv", table) == expected
    places = "name\tchrom\tstart\tend\tstrand\ng\tchr1\t10\t11\t+\nh\tchr1\t69\t70\t-\n"
    assert sites(tmp_path / "places.tsv", places) == expected
    genes = [("g", "+"), ("h", "-")]
    gtf = "".join(
        f'chr1\tx\tgene\t11\t70\t.\t{strand}\t.\tgene_id "{gene}";\n' for gene, strand in genes
    )
    assert sites(tmp_path / "genes.gtf", gtf) == expected
    gff = "##gff-version 3\n" + "".join(
        f"chr1\tx\tgene\t11\t70\t.\t{strand}\t.\tID=gene:{gene};Name=x\n" for gene, strand in genes
    )
    assert sites(tmp_path / "genes.gff3", gff) == expected


def test_a_table_of_longer_rows_is_refused(tmp_path: Path) -> None:
    text = "name,chrom,start,end,strand\ng,chr1,10,70,-\n"
    with pytest.raises(DataError, match=REFUSED):
        sites(tmp_path / "genes.csv", text)
    assert sites(tmp_path / "genes.csv", text, site="start")[0][2] == 69
