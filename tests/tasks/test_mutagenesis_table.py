from pathlib import Path

import pytest

from attendna.core.errors import DataError
from attendna.tasks.mutagenesis_table import elements_of, read_mutagenesis


def read(tmp_path: Path, rows: str, header: str = "chrom,pos,ref,alt,effect"):
    path = tmp_path / "LDLR.csv"
    path.write_text(f"{header}\n{rows}")
    return read_mutagenesis(path, release="GRCh38")


def test_a_table_of_one_element_has_its_name(tmp_path: Path) -> None:
    frame, counts = read(tmp_path, "1,5,a,c,0.5\n1,5,A,-,-1\n1,7,G,T,2\nNA,NA,NA,NA,1\n")
    assert frame["element"].unique().to_list() == ["LDLR"]
    assert frame.select("position", "ref", "alt", "effect").rows() == [
        (4, "A", "C", 0.5), (4, "A", "-", -1.0), (6, "G", "T", 2.0)
    ]  # fmt: skip
    assert counts == {"rows": 4, "rows of other releases": 0, "rows without a place": 1}
    element = elements_of(frame).row(0, named=True)
    assert element == {
        "element": "LDLR", "chrom": "1", "start": 4, "end": 7, "sequence": "ANG", "unknown": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("1,5,A,A,0.5\n", "line 2: ref and alt are the same"),
        ("1,5,A,C,0.5\n1,5,C,G,1\n", "line 3: its reference is C, but a row before says A"),
        ("1,5,A,C,0.5\n1,5,A,C,1\n", "line 3: this variant stands there before"),
        ("1,5,A,C,0.5\n2,6,A,C,1\n", "line 3: the element LDLR is on two chromosomes"),
        ("1,5,A,CC,0.5\n", "line 2: the alternative 'CC' is neither one base nor -"),
        ("1,x,A,C,0.5\n", "line 2: the position 'x' is no whole number"),
        ("1,5,A,C,much\n", "line 2: the effect 'much' is no number"),
        ("1,5,A,C\n", "line 2: it has 4 columns where there should be 5"),
    ],
)
def test_bad_rows_are_told(tmp_path: Path, rows: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read(tmp_path, rows)


def test_a_release_is_known_by_its_other_name(tmp_path: Path) -> None:
    frame, _ = read(
        tmp_path, "1,5,A,C,1,hg38\n1,9,A,C,1,hg19\n", "chrom,pos,ref,alt,effect,release"
    )
    assert frame["position"].to_list() == [4]
