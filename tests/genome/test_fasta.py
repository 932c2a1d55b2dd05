"""FASTA read by record and whole: the same names and letters, whatever the line ends."""

import gzip
from pathlib import Path

import pytest

from attendna.core.content import plain_text
from attendna.core.errors import DataError
from attendna.genome.fasta import parse_fasta, stream_fasta

EXPECTED = [("chr1", "ACGTACgtNN"), ("chr2", "TTTT")]
WRITTEN = {
    "plain": ">chr1 a comment\nACGTAC\ngtNN\n>chr2\nTTTT\n",
    "CR": ">chr1 a comment\rACGTAC\rgtNN\r>chr2\rTTTT\r",
    "CR without comments": ">chr1\rACGTAC\rgtNN\r>chr2\rTTTT",
    "CRLF": ">chr1\r\nACGTAC\r\ngtNN\r\n>chr2\r\nTTTT\r\n",
    "mixed": ">chr1\nACGTAC\ngtNN\n>chr2\rTTTT\r",
    "CR inside": ">chr1\nACGTAC\rgtNN\n>chr2\nTTTT\n",
    "blanks at line ends": ">chr1  \nACGTAC \t\ngtNN  \n>chr2\t\nTTTT\n",
    "blank before the name": "> chr1\nACGTAC\ngtNN\n>\tchr2 x\nTTTT\n",
    "blank lines": "\n>chr1\nACGTAC\n\ngtNN\n\n>chr2\nTTTT\n\n",
    "groups of bases": ">chr1\nACGTA Cgt NN\n>chr2\nTTTT",
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_ends_and_blanks_do_not_matter(tmp_path: Path, name: str, pack: type) -> None:
    path = tmp_path / "a.fa"
    content = WRITTEN[name].encode()
    path.write_bytes(pack(content))
    assert list(stream_fasta(path)) == EXPECTED
    assert parse_fasta(path, plain_text(path, content)).rows() == EXPECTED


@pytest.mark.parametrize(
    "text", [">a\nA\n>\nACGT\n>c\nA\n", ">a\rA\r>\rACGT\r>c\rA\r", ">a\nA\n> \nA\n"]
)
def test_a_record_without_a_name_is_refused_by_its_row(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.fa"
    path.write_text(text, newline="")
    with pytest.raises(DataError, match="row 2: the name is missing"):
        list(stream_fasta(path))
    assert parse_fasta(path, plain_text(path, text.encode()))["id"].to_list()[1] is None


def test_fastq_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_text("@a\nACGT\n+\nIIII\n")
    with pytest.raises(DataError, match="row 1: this is FASTQ"):
        list(stream_fasta(path))
