"""Tables of tracks."""

from pathlib import Path

import pytest
from tests.tasks.track_folders import TABLE

from attendna.core.errors import DataError
from attendna.tasks.track_targets import COLUMNS, read_targets


def read(tmp_path: Path, text: str):
    (tmp_path / "targets.txt").write_text(text)
    return read_targets(tmp_path / "targets.txt")


def test_columns_are_those_there_are_and_null(tmp_path: Path) -> None:
    table = read(tmp_path, TABLE)
    assert table.columns == [*COLUMNS, "file"]
    assert table["clip"].to_list() == [32, 32, None]
    assert table["clip_soft"].to_list() == [None] * 3
    assert table["strand_pair"].to_list() == [1, 0, 2]


@pytest.mark.parametrize(
    ("description", "assay"),
    [
        ("DNASE:K562", "DNase/ATAC"),
        ("ATAC:K562", "DNase/ATAC"),
        ("CHIP:H3K4me3:K562", "histone ChIP"),
        ("CHIP:H2AFZ:K562", "histone ChIP"),
        ("CHIP:H3ac:K562", "histone ChIP"),
        ("CHIP:H3.3:K562", "histone ChIP"),
        ("CHIP:HNF4A:HepG2", "TF ChIP"),
        ("CHIP:HDAC1:HepG2", "TF ChIP"),
        ("CHIP:CTCF:K562", "TF ChIP"),
        ("CAGE:liver", "CAGE"),
        ("RNA:liver", "RNA"),
        ("RNA3:liver", "RNA"),
        ("liver", "other"),
        ("", "other"),
    ],
)
def test_the_assay_is_in_the_description(tmp_path: Path, description: str, assay: str) -> None:
    table = read(tmp_path, f"identifier\tdescription\na\t{description}\n")
    assert table["assay"].to_list() == [assay]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("identifier", "name", "there is no column identifier"),
        ("\tB\t", "\t\t", "row 3: the identifier is missing"),
        ("\t32\t1\tsum\t1\t", "\tlow\t1\tsum\t1\t", "row 1: clip is low; give a number"),
        ("\t32\t1\tsum\t1\t", "\tinf\t1\tsum\t1\t", "row 1: clip is inf"),
        ("sum\t1\t", "sum\t2\t", "row 1: strand_pair is 2"),
        ("sum\t1\t", "sum\t9\t", "row 1: strand_pair is 9"),
        ("sum\t1\t", "sum\t\t", "row 1: strand_pair is None"),
    ],
)
def test_bad_tables_are_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, TABLE.replace(old, new, 1))


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no tracks"):
        read(tmp_path, TABLE.partition("\n")[0] + "\n")


def test_the_published_tables(shared: Path) -> None:
    """Numbers of tracks by type. Enformer's paper counts what begins with H3 (1,860 of human) as
    histones, and H2A, H2B and H4 (138) as transcription factors."""
    human = read_targets(shared / "enformer" / "targets_human.txt.gz")
    mouse = read_targets(shared / "enformer" / "targets_mouse.txt.gz")
    assert dict(human["assay"].value_counts().iter_rows()) == {
        "DNase/ATAC": 684,
        "histone ChIP": 1998,
        "TF ChIP": 1993,
        "CAGE": 638,
    }
    assert dict(mouse["assay"].value_counts().iter_rows()) == {
        "DNase/ATAC": 228,
        "histone ChIP": 750,
        "TF ChIP": 308,
        "CAGE": 357,
    }
    borzoi = read_targets(shared / "enformer" / "borzoi_targets_human.txt.gz")
    assert borzoi.height == 7611
    assert borzoi["strand_pair"][0] == 1
