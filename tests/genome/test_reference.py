"""Streaming a genome, whole and broken."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError
from attendna.genome.alphabet import decode
from attendna.genome.reference import stream_contigs

FASTA = ">one first\nACGTN\nacgu\n>two\n\n>three\nRYK\n"


def contigs(path: Path) -> list[tuple[str, str]]:
    return [(contig.name, decode(contig.codes)) for contig in stream_contigs(path)]


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_contigs_come_in_order_with_names_and_codes(tmp_path: Path, name: str) -> None:
    content = FASTA.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert contigs(tmp_path / name) == [("one", "ACGTNACGT"), ("two", ""), ("three", "NNN")]


def test_letters_are_refused_by_policy_naming_the_record(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(FASTA)
    with pytest.raises(DataError, match=r"genome\.fa, row 3: .*'R' at position 1"):
        list(stream_contigs(path, "error"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no FASTA record"),
        (b"chrom\tstart\n", "no FASTA record"),
        (b"@read\nACGT\n+\nIIII\n", "row 1: this is FASTQ"),
        (b">x\nAC-GT\n", "row 1: .*'-' at position 3"),
        (b">\x9d\xff\nACGT\n", "damaged"),
    ],
)
def test_what_is_no_genome_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "genome.fa"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(stream_contigs(path))


def test_a_cut_gzip_is_refused(tmp_path: Path) -> None:
    letters = np.random.default_rng(0).choice(list("ACGT"), 200_000)
    whole = gzip.compress(f">x\n{''.join(letters)}\n".encode())
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cut short"):
        list(stream_contigs(path))


def test_a_missing_file_and_a_folder_are_told_apart_from_damage(tmp_path: Path) -> None:
    for path in (tmp_path / "none.fa", tmp_path):
        with pytest.raises(DataError, match="no such file"):
            list(stream_contigs(path))


def test_the_yeast_genome_is_whole(shared: Path) -> None:
    sizes = {c.name: c.codes.size for c in stream_contigs(shared / "genome/sacCer3.fa.gz")}
    assert len(sizes) == 17
    assert sum(sizes.values()) == 12_157_105
    assert sizes["chrI"] == 230_218
