"""What the ending of a file's name says it is: the one table of them.

Case does not matter, and an ending of compression (``.gz``, ``.bgz``) may follow any of them.
"""

from pathlib import Path

COMPRESSED = (".gz", ".bgz")
FASTA = (".fa", ".fasta", ".fna", ".fas", ".ffn")
PARQUET = (".parquet", ".pq")
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t", ".xls": "\t"}
"""What separates the columns of a table. An ``.xls`` is the text that MACS writes."""
PEAKS = (".bed", ".narrowpeak", ".broadpeak")
ANNOTATIONS = (".gtf", ".gff", ".gff3")
INTERVALS = (*PEAKS, *ANNOTATIONS, *DELIMITERS)


def ending_of(path: str | Path) -> str:
    """The last ending that is not one of compression, in lower case; empty without one."""
    suffixes = [end for end in map(str.lower, Path(path).suffixes) if end not in COMPRESSED]
    return suffixes[-1] if suffixes else ""


def stem_of(path: str | Path) -> str:
    """The name of a file without its ending and that of compression."""
    path = Path(path)
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.stem
