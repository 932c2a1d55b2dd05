"""Vectors of k-mers learned elsewhere, brought into the order of the k-mer tokenizer's ids.

Read are the text and the binary format of word2vec, plain or gzipped, in which words of several
lengths may be mixed as dna2vec mixes them, and NumPy matrices with a row a word in lexical order.

Source: Ng, "dna2vec: consistent vector representations of variable-length k-mers", 2017.

Shapes: ``V`` ids of the tokenizer, ``D`` numbers of a vector.
"""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from attendna.core.content import read_content
from attendna.core.errors import DataError
from attendna.genome.kmers import all_kmers, word_number

TEXT = "vectors.w2v"
BINARY = "vectors.bin"
"""Names of the vectors in a folder that ``tokens train-dna2vec`` wrote."""

_NUMPY = b"\x93NUMPY"
_PRINTABLE = frozenset(b"\t\n\r" + bytes(range(32, 127)))


@dataclass(frozen=True, eq=False)
class KmerVectors:
    """A vector for every id of the k-mer tokenizer.

    Words the file lacks, and the last id (a word with an N), have vectors of zeros.
    """

    k: int
    matrix: Float32[ndarray, "V D"]
    missing: tuple[str, ...]
    """Words of ``k`` bases that the file lacks, in lexical order."""

    def __str__(self) -> str:
        """How many words were found."""
        words = 4**self.k
        return (
            f"{words - len(self.missing):,} of {words:,} {self.k}-mers have a vector of "
            f"{self.matrix.shape[1]} numbers"
        )


def read_vectors(path: str | Path, k: int) -> KmerVectors:
    """Vectors of the words of ``k`` bases in a file, or in a folder of ``tokens train-dna2vec``.

    Raises
    ------
    DataError
        The file is missing, damaged, of no known format, or holds no words of this length.
    """
    path = _file(Path(path))
    content = read_content(path)
    if content.startswith(_NUMPY):
        return _from_matrix(path, content, k)
    return _from_words(path, content, k)


def _file(path: Path) -> Path:
    if path.is_dir():
        held = [path / name for name in (TEXT, BINARY) if (path / name).is_file()]
        if not held:
            raise DataError(path, f"neither {TEXT} nor {BINARY} is in it", "name the file itself")
        return held[0]
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    return path


def _from_matrix(path: Path, content: bytes, k: int) -> KmerVectors:
    """A row a word; a row of zeros before or after the words stands for padding or unknown."""
    try:
        matrix = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:
        # A header is read as Python, whose errors are of many kinds; sizes may be beyond memory.
        raise DataError(path, "not a whole NumPy matrix of numbers", "save it again") from error
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or not matrix.shape[1]:
        raise DataError(
            path, f"an array of {matrix.dtype} and shape {matrix.shape}", "save a row a k-mer"
        )
    with np.errstate(over="ignore"):
        matrix = matrix.astype(np.float32)
    rows = 4**k
    if len(matrix) not in (rows, rows + 1):
        raise DataError(
            path,
            f"{len(matrix):,} rows, but there are {rows:,} {k}-mers",
            "choose the k it was made for",
        )
    if len(matrix) == rows + 1:
        first, last = not matrix[0].any(), not matrix[-1].any()
        if first == last:
            raise DataError(
                path,
                f"{len(matrix):,} rows are one more than there are {k}-mers, and not exactly one "
                "of the first and the last is zeros",
                f"save {rows:,} rows",
            )
        matrix = matrix[1:] if first else matrix[:-1]
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if bad.size:
        raise DataError(path, "a number is not finite", "train it again", row=int(bad[0]) + 1)
    return KmerVectors(k, _with_unknown(matrix), missing=())


def _with_unknown(matrix: "np.ndarray[tuple[int, int], np.dtype[np.number]]") -> ndarray:
    return np.pad(matrix, ((0, 1), (0, 0)))


class _Row(NamedTuple):
    """A word as the file has it and its numbers, not yet converted."""

    word: bytes
    numbers: bytes


def _from_words(path: Path, content: bytes, k: int) -> KmerVectors:
    header, _, body = content.partition(b"\n")
    fields = header.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise DataError(
            path,
            "the first line is not `words dimensions`, as word2vec writes it",
            "give a word2vec file (text or binary) or a NumPy matrix",
        )
    promised, width = (int(field[:18]) for field in fields)
    if not 0 < width <= len(body):
        raise DataError(
            path,
            f"vectors of {width:,} numbers, which {len(body):,} bytes cannot hold",
            "copy it again",
        )
    is_text = set(body[: 1 << 14]) <= _PRINTABLE
    rows = _text_rows(path, body, width) if is_text else _binary_rows(path, body, promised, width)
    matrix = np.zeros((4**k + 1, width), dtype=np.float32)
    found = np.zeros(4**k, dtype=np.bool_)
    lengths: Counter[int] = Counter()
    count = 0
    for count, row in enumerate(rows, start=1):
        word = row.word.decode("latin-1").upper()
        if not word or set(word) - set("ACGT"):
            continue
        lengths[len(word)] += 1
        if len(word) != k:
            continue
        place = word_number(word)
        if found[place]:
            raise DataError(path, f"the word {word} stands there twice", "remove one", row=count)
        found[place] = True
        matrix[place] = _numbers(path, count, row, is_text=is_text)
    if count != promised:
        raise DataError(
            path, f"{count:,} words, but its first line says {promised:,}", "copy it again"
        )
    if not found.any():
        held = ", ".join(f"{lengths[size]:,} {size}-mers" for size in sorted(lengths)) or "no k-mer"
        raise DataError(path, f"there are no {k}-mers in it, but {held}", "choose another k")
    missing = [word for word, there in zip(all_kmers(k), found, strict=True) if not there]
    return KmerVectors(k, matrix, tuple(missing))


def _text_rows(path: Path, body: bytes, width: int) -> Iterator[_Row]:
    lines = (line for line in io.BytesIO(body) if line.strip())
    for row, line in enumerate(lines, start=1):
        word, _, numbers = line.partition(b" ")
        held = len(numbers.split())
        # Of words that are not asked for too: a file cut short is not to be trusted.
        if held != width:
            raise DataError(
                path, f"{held} numbers, but the first line says {width}", "copy it again", row=row
            )
        yield _Row(word, numbers)


def _binary_rows(path: Path, body: bytes, count: int, width: int) -> Iterator[_Row]:
    start = 0
    for row in range(1, count + 1):
        space = body.find(b" ", start)
        end = space + 1 + 4 * width
        if space < 0 or end > len(body):
            raise DataError(
                path, f"the file ends, but {count:,} words are promised", "copy it again", row=row
            )
        # The original program ends every vector with a newline, other writers do not.
        yield _Row(body[start:space].lstrip(b"\n"), body[space + 1 : end])
        start = end


def _numbers(path: Path, row: int, held: _Row, *, is_text: bool) -> Float32[ndarray, " D"]:
    if not is_text:
        numbers = np.frombuffer(held.numbers, dtype="<f4").astype(np.float32)
    else:
        try:
            numbers = np.array(held.numbers.split(), dtype=np.float32)
        except ValueError:
            raise DataError(path, "a vector holds what is no number", "copy it", row=row) from None
    if not np.isfinite(numbers).all():
        raise DataError(path, "a number is not finite", "train it again", row=row)
    return numbers
