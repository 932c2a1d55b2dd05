"""Lower case is found wherever a genome file may say it."""

from pathlib import Path

import pytest
from tests.genome.genome_files import FORMATS, write_genome

from attendna.core.errors import DataError
from attendna.genome.soft_mask import soft_masked

CONTIGS = {"chr1": "ACGTacgtNNacAC", "chr2:100-108": "aaCCCCtt", "chr3": "ACGT"}
EXPECTED = [("chr1", 4, 8), ("chr1", 10, 12), ("chr2", 100, 102), ("chr2", 106, 108)]


@pytest.mark.parametrize("kind", FORMATS)
def test_stretches_lie_where_the_letters_are_small(tmp_path: Path, kind: str) -> None:
    assert soft_masked(write_genome(tmp_path, CONTIGS, kind)).rows() == EXPECTED


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        soft_masked(tmp_path / "none.fa")
