"""Lower case is found wherever a genome file may say it."""

from pathlib import Path

import pytest
from tests.genome.genome_files import FORMATS, write_genome

from attendna.core.errors import DataError
from attendna.genome.soft_mask import soft_masked, soft_masked_places

CONTIGS = {"chr1": "ACGTacgtNNacAC", "chr2:100-108": "aaCCCCtt", "chr3": "ACGT"}
EXPECTED = [("chr1", 4, 8), ("chr1", 10, 12), ("chr2", 100, 102), ("chr2", 106, 108)]


@pytest.mark.parametrize("kind", FORMATS)
def test_stretches_lie_where_the_letters_are_small(tmp_path: Path, kind: str) -> None:
    assert soft_masked(write_genome(tmp_path, CONTIGS, kind)).rows() == EXPECTED


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        soft_masked(tmp_path / "none.fa")


def test_places_are_those_of_the_codes(tmp_path: Path) -> None:
    contigs = {"chr1": "ACgtACgn", "chr2:10-14": "acGT"}
    path = write_genome(tmp_path, contigs, "fa")
    assert soft_masked_places(path).tolist() == [[2, 4], [6, 8], [8, 10]]
