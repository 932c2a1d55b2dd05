from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError
from attendna.tasks.expression_matrix import logarithm, read_expression, read_tissues


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("separator", ["\t", ","])
def test_values_are_numbers_and_what_is_not_known_is_nan(tmp_path: Path, separator: str) -> None:
    text = "id\tsymbol\tliver\tlung\nENSG000001.2\tA\t1.5\tNA\nENSG000002\tB\t0\t2e3\n"
    matrix = read_expression(write(tmp_path / "m.csv", text.replace("\t", separator)))
    assert matrix.genes.to_list() == ["ENSG000001", "ENSG000002"]
    assert matrix.tissues == ("liver", "lung")
    assert np.array_equal(matrix.values, [[1.5, np.nan], [0, 2000]], equal_nan=True)
    logs = logarithm(tmp_path / "m.csv", matrix, 1e-4)
    assert np.allclose(logs, np.log([[1.5001, np.nan], [1e-4, 2000.0001]]), equal_nan=True)


def test_a_separator_at_the_end_of_every_row_is_no_column(tmp_path: Path) -> None:
    matrix = read_expression(write(tmp_path / "m.tsv", "gene_id\ta\tb\nx\t1\t2\t\ny\t3\t4\t\n"))
    assert matrix.values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gene_id\ta\n", "there is a header but no row"),
        ("gene_id\ta\tb\nx\t1\n", "row 1: 2 fields where the header has 3"),
        ("gene_id\ta\nx\t1\nx\t2\n", "row 2: a second row of x"),
        ("gene_id\ta\n\t1\n", "row 1: the gene has no name"),
        ("gene_id\ta\nx\t1\ny\tinf\n", "row 2: 'inf', of a, is no number"),
        ("gene_id\ta\nx\tno\n", "no column holds numbers"),
        ("what\ta\nx\t1\n", "no column names the genes among what, a"),
    ],
)
def test_bad_matrices_are_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_expression(write(tmp_path / "m.tsv", text))


def test_names_of_tissues(tmp_path: Path, shared: Path) -> None:
    assert read_tissues(write(tmp_path / "t.txt", "liver\n\nlung \n")) == ["liver", "lung"]
    for text, complaint in (
        ("\n", "the file is empty"),
        ("Tissue\n", "names no tissue"),
        ("a\na\n", "row 2: a second a"),
    ):
        with pytest.raises(DataError, match=complaint):
            read_tissues(write(tmp_path / "t.txt", text))
    names = read_tissues(shared / "expression" / "expecto_modellist.txt")
    assert len(names) == 218
    assert names[0] == "Adipose Subcutaneous"


def test_roadmap(shared: Path) -> None:
    matrix = read_expression(shared / "expression" / "roadmap_57epigenomes.RPKM.pc.gz")
    assert matrix.values.shape == (19_795, 57)
    assert not np.isnan(matrix.values).any()
    assert matrix.tissues[:2] == ("E000", "E003")
