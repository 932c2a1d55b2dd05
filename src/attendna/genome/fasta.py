"""FASTA: the only file that reads it, record by record or whole.

Any line ends (also the lone CR of old Macs), blanks at the ends of lines and between ``>`` and the
name are read in the same way everywhere. A record without a name is refused, or numbered where the
caller wants numbers.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pysam

from attendna.core.content import check_packed, plain_text, read_content
from attendna.core.errors import DataError

_BLANKS = str.maketrans("", "", " \t\r\v\f")


def parse_fasta(path: Path, content: bytes) -> pl.DataFrame:
    """The columns ``id``, null in a record without a name, and ``sequence`` of plain text.

    Raises
    ------
    DataError
        The text does not begin with ``>``.
    """
    text = content.decode().lstrip("\n")
    if not text.startswith(">"):
        raise DataError(path, "the first line does not start with >", "give a FASTA file")
    record = pl.col("record")
    return pl.DataFrame({"record": text[1:].split("\n>")}).select(
        id=record.str.extract(r"^[^\S\n]*(\S+)"),
        sequence=record.str.replace(r"^[^\n]*\n?", "").str.replace_all(r"\s", ""),
    )


def stream_fasta(path: Path) -> Iterator[tuple[str, str]]:
    """Names and letters of the records of a file, plain or gzipped: memory holds one at a time.

    Raises
    ------
    DataError
        The file is FASTQ, damaged, cut short, or a record has no name; the row is the record.
    ResourceError
        It holds far more than files do that are packed as well.
    """
    check_packed(path)
    row = 0
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.FastxFile(str(path), persist=False) as records:
            for row, record in enumerate(records, start=1):
                if record.quality is not None:
                    problem = "this is FASTQ, reads with qualities"
                    raise DataError(path, problem, "give a FASTA file", row=row)
                letters = record.sequence or ""
                # With lone returns htslib takes bases for a comment on the name.
                comment = record.comment or ""
                if "\r" in letters or "\r" in comment or (comment and not letters):
                    yield from _with_lone_returns(path, row)
                    return
                if " " in letters or "\t" in letters:
                    letters = letters.translate(_BLANKS)
                # In ``> chr1`` htslib takes the name for a comment.
                yield _named(path, row, record.name or comment), letters
    except (OSError, ValueError) as error:
        raise DataError(
            path, f"damaged or cut short after record {row}", "copy it again"
        ) from error
    finally:
        pysam.set_verbosity(verbosity)


def _with_lone_returns(path: Path, first: int) -> Iterator[tuple[str, str]]:
    """The records from ``first`` on of a file whose lines end in CR: htslib sees one line."""
    frame = parse_fasta(path, plain_text(path, read_content(path)))[first - 1 :]
    for row, (name, letters) in enumerate(frame.iter_rows(), start=first):
        yield _named(path, row, name), letters


def _named(path: Path, row: int, header: str | None) -> str:
    words = (header or "").split()
    if not words:
        raise DataError(path, "the name is missing", "write one after >", row=row)
    return words[0]
