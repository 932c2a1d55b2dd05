"""Genomes: the only file that opens them.

Shapes: ``n`` bases of a contig.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam
from jaxtyping import UInt8
from numpy import ndarray

from attendna.core.errors import DataError
from attendna.genome.alphabet import LetterError, LetterPolicy, encode


class Contig(NamedTuple):
    """One sequence of a genome."""

    name: str
    codes: UInt8[ndarray, " n"]


def stream_contigs(path: str | Path, policy: LetterPolicy = "unknown") -> Iterator[Contig]:
    """Contigs of a FASTA file, plain or gzipped, one at a time: memory holds the longest.

    Raises
    ------
    DataError
        The file is missing, no FASTA, cut short, or holds a character that ``policy`` does not
        admit; the row is the contig's place in the file.
    """
    # htslib dies of a folder and does not tell a missing file from a damaged one.
    if not Path(path).is_file():
        raise DataError(path, "no such file", "check the path")
    row = 0
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.FastxFile(str(path), persist=False) as records:
            for row, record in enumerate(records, start=1):
                yield Contig(str(record.name), _read(path, row, record, policy))
    except (OSError, ValueError) as error:
        raise DataError(
            path, f"damaged or cut short after record {row}", "copy it again"
        ) from error
    finally:
        pysam.set_verbosity(verbosity)
    if not row:
        raise DataError(path, "there is no FASTA record in it", "give a FASTA file (.fa, .fa.gz)")


def _read(path: str | Path, row: int, record: object, policy: LetterPolicy) -> UInt8[ndarray, " n"]:
    if getattr(record, "quality", None) is not None:
        raise DataError(path, "this is FASTQ, reads with qualities", "give a FASTA file", row=row)
    try:
        return encode(getattr(record, "sequence", None) or "", policy)
    except LetterError as error:
        raise DataError(path, error.problem, error.remedy, row=row) from None
