"""Files of motifs: MEME, JASPAR, HOMER, HOCOMOCO and TRANSFAC, plain or gzipped.

The format is known by its header, never by the number of rows: of a motif of four bases, rows of
bases and rows of positions look the same. A file whose layout is not certain is refused.

Shapes: ``w`` bases of a motif.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError
from attendna.genome.motif import IUPAC, Motif

FORMATS = "MEME, JASPAR, HOMER, HOCOMOCO or TRANSFAC"

_MEND = "correct the matrix"
# Sums of rounded probabilities differ from 1 by this much.
_ROUNDING = 0.05

_MEME_BEGIN = re.compile(r"\s*MEME version\b")
_MEME_NAME = re.compile(r"\s*MOTIF\s+(.*?)(\s+width\s*=.*)?$")
_MEME_MATRIX = re.compile(r"\s*letter-probability matrix\b(.*)$")
_MEME_MATRIX_END = re.compile(r"\s*($|MOTIF\s|URL\b|-{3}|\*{3}|letter-probability|log-odds)")
_MEME_ALPHABET = re.compile(r"\s*ALPHABET\s*(?:=\s*(?P<letters>.*)|(?P<named>.+))$")
_TRANSFAC_TAG = re.compile(r"(VV|AC|ID|NA|DE|BF|XX|P[0O])(\s|$)")
_TRANSFAC_COLUMNS = re.compile(r"P[0O]((?:\s+[A-Za-z])+)\s*$")
_JASPAR_ID = re.compile(r"((MA|UN|CN|PB|PF|PH|PL|SA|SD)\d{4}|POL\d{3})(\.\d+)?$")
_LETTERED = re.compile(r"([ACGTacgt])\s*[:|=]?\s*(?=[\[\d.\s-]|$)")

_Layout = Literal["bases", "positions"]
"""Whether a row holds the numbers of one base, or those of one position."""


def read_motifs(path: str | Path) -> list[Motif]:
    """Motifs of a file of counts or probabilities; counts are divided by their sum.

    Raises
    ------
    DataError
        The file is missing or of no known format, its rows could be bases as well as positions,
        it holds log-odds, or a matrix is broken; the row is the line.
    """
    path = Path(path)
    lines = plain_text(path, read_content(path)).decode().split("\n")
    first = next((line for line in lines if line.strip() and line[0] != "#"), "")
    if any(map(_MEME_BEGIN.match, lines)):
        motifs = list(_parse_meme(path, lines))
    elif first.startswith(">"):
        motifs = list(_parse_records(path, lines))
    elif _TRANSFAC_TAG.match(first):
        motifs = list(_parse_transfac(path, lines))
    else:
        raise DataError(
            path,
            "there is no line `MEME version`, and it begins neither with > nor with a tag of "
            "TRANSFAC",
            f"give motifs in {FORMATS} format",
        )
    if not motifs:
        raise DataError(path, "there is no motif in it", f"give motifs in {FORMATS} format")
    return motifs


# ----------------------------------------------------------------------------------------- MEME


def _parse_meme(path: Path, lines: list[str]) -> Iterator[Motif]:
    """Motifs of MEME's text files, minimal or as its programs write them."""
    _check_alphabet(path, lines)
    name, named_at = "", None
    for place, line in enumerate(lines):
        if named := _MEME_NAME.match(line):
            _refuse_without_matrix(path, name, named_at)
            name, named_at = " ".join(named[1].split()), place
        elif matrix := _MEME_MATRIX.match(line):
            rows = _meme_rows(path, lines, place, matrix[1])
            name = name or f"motif {place + 1}"
            yield _probable(path, name, place if named_at is None else named_at, rows)
            name, named_at = "", None
    _refuse_without_matrix(path, name, named_at)


def _refuse_without_matrix(path: Path, name: str, named_at: int | None) -> None:
    if named_at is not None:
        raise DataError(
            path,
            f"the motif {name} has no letter-probability matrix",
            "add it, or remove the motif",
            row=named_at + 1,
        )


def _meme_rows(path: Path, lines: list[str], place: int, settings: str) -> "list[_Row]":
    """The rows below the line of a matrix, as many as its ``w=`` says where it does."""
    width, letters = (_setting(path, place, settings, name) for name in ("w", "alength"))
    if letters not in (None, 4):
        raise DataError(
            path, f"alength= {letters}: the alphabet is not ACGT", "give DNA motifs", row=place + 1
        )
    end = place + 1
    while end < len(lines) and not _MEME_MATRIX_END.match(lines[end]):
        end += 1
    rows = [_Row.of(path, row, lines[row]) for row in range(place + 1, end)]
    if width not in (None, len(rows)):
        raise DataError(
            path,
            f"w= {width}, but {len(rows)} lines of numbers follow",
            "correct w=, or copy the file again",
            row=place + 1,
        )
    return rows


def _setting(path: Path, place: int, settings: str, name: str) -> int | None:
    """A whole number that the line of a matrix sets, if it does."""
    found = re.search(rf"\b{name}\s*=\s*(\S*)", settings)
    if found is None:
        return None
    if not found[1].isdecimal():
        raise DataError(path, f"{name}= {found[1]} is no whole number", _MEND, row=place + 1)
    return int(found[1])


def _check_alphabet(path: Path, lines: list[str]) -> None:
    """Refuse an alphabet other than ACGT, given by its letters or by a block of definitions."""
    for place, line in enumerate(lines):
        found = _MEME_ALPHABET.match(line)
        if found is None:
            continue
        letters = found["letters"]
        if letters is None:
            letters = _core_letters(lines[place + 1 :]) or found["named"].strip()
        letters = "".join(letters.split()).upper()
        if letters not in ("ACGT", "DNA"):
            raise DataError(
                path, f"the alphabet is {letters}, not ACGT", "give DNA motifs", row=place + 1
            )
        return


def _core_letters(lines: Sequence[str]) -> str:
    """Letters that a block defines up to END ALPHABET, in the order of a matrix's columns."""
    letters: list[str] = []
    for line in lines:
        if line.strip() == "END ALPHABET":
            return "".join(sorted(letters))
        plain = re.sub(r'"[^"]*"', "", line)
        # A line with = defines an ambiguity letter, one with ~ two letters that are complements.
        if plain.strip() and "=" not in plain:
            letters += [word[0] for part in plain.split("~") if (word := part.split()[:1])]
    return ""


# ------------------------------------------------------------------- JASPAR, HOMER and HOCOMOCO


@dataclass(frozen=True)
class _Record:
    """A header that begins with ``>``, at line ``place``, and the lines below it."""

    header: str
    place: int
    rows: tuple[tuple[int, str], ...]

    @property
    def homer_name(self) -> str | None:
        """The second field of a header of HOMER: consensus, name and threshold at least."""
        fields = self.header.split("\t")
        if len(fields) < 3:
            fields = self.header.split()
            # With blanks a name may be three words, too: the consensus has a letter for each row.
            if len(fields[0] if fields else "") != len(self.rows) or set(fields[0]) - set(IUPAC):
                return None
        return fields[1].strip() if len(fields) > 2 and _is_number(fields[2]) else None

    @property
    def name(self) -> str:
        return self.homer_name or " ".join(self.header.split()) or f"motif {self.place + 1}"

    @property
    def layout(self) -> _Layout | None:
        """What the header or the letters before the rows say the rows are; nothing where both
        are silent, as in HOCOMOCO's files of counts."""
        if self.homer_name is not None:
            return "positions"
        lettered = self.rows and _LETTERED.match(self.rows[0][1])
        words = self.header.split()
        return "bases" if lettered or (words and _JASPAR_ID.match(words[0])) else None


def _parse_records(path: Path, lines: list[str]) -> Iterator[Motif]:
    starts = [place for place, line in enumerate(lines) if line.startswith(">")]
    records = [
        _Record(
            lines[start][1:].strip(" "),
            start,
            tuple(
                (place, line.strip())
                for place, line in enumerate(lines[start + 1 : end], start=start + 1)
                if line.strip() and line[0] != "#"
            ),
        )
        for start, end in pairwise([*starts, len(lines)])
    ]
    plain = [record for record in records if record.layout is None]
    common = _common_layout(path, plain) if plain else None
    for record in records:
        if record.homer_name is not None:
            rows = [_Row.of(path, place, line) for place, line in record.rows]
            yield _probable(path, record.name, record.place, rows)
        elif (record.layout or common) == "bases":
            yield _of_bases(path, record)
        else:
            rows = [_Row.of(path, place, line) for place, line in record.rows]
            yield _motif(path, record.name, record.place, rows)


def _common_layout(path: Path, records: Sequence[_Record]) -> _Layout:
    """The layout of records whose headers do not name it: the one that fits all of them."""
    found: set[_Layout | None] = {_certain_layout(path, record) for record in records}
    found.discard(None)
    if found == {"bases"}:
        return "bases"
    if found == {"positions"}:
        return "positions"
    raise DataError(
        path,
        f"the rows of {records[0].name} could be bases or positions"
        if not found
        else "some motifs have a row for each base, and others a row for each position",
        "begin the rows with A, C, G and T, or give the motifs in MEME format",
        row=records[0].place + 1,
    )


def _certain_layout(path: Path, record: _Record) -> _Layout | None:
    """The only layout in which a record is a matrix of counts or probabilities, if there is one.

    Where both fit, four rows of four numbers, it is the one in which all positions have one sum.
    """
    rows = [_Row.of(path, place, line).numbers for place, line in record.rows]
    fits: list[_Layout] = []
    if len(rows) == 4 and len({len(row) for row in rows}) == 1:
        fits.append("bases")
    if rows and all(len(row) == 4 for row in rows):
        fits.append("positions")
    if not fits:
        raise DataError(
            path,
            f"{record.name} has neither one line for each of A, C, G, T nor 4 numbers a line",
            _MEND,
            row=record.place + 1,
        )
    if len(fits) == 1:
        return fits[0]
    sums: dict[_Layout, Float64[ndarray, " w"]] = {
        "bases": np.sum(rows, axis=0),
        "positions": np.sum(rows, axis=1),
    }
    equal: list[_Layout] = [
        layout for layout in fits if np.ptp(sums[layout]) <= _ROUNDING * sums[layout].max()
    ]
    return equal[0] if len(equal) == 1 else None


def _of_bases(path: Path, record: _Record) -> Motif:
    if len(record.rows) != 4:
        raise DataError(
            path,
            f"{len(record.rows)} lines of counts, not one for each of A, C, G, T",
            _MEND,
            row=record.place + 1,
        )
    counts: list[list[float]] = []
    for base, (place, line) in zip("ACGT", record.rows, strict=True):
        letter = _LETTERED.match(line)
        if letter and letter[1].upper() != base:
            raise DataError(path, f"the counts of {base} were expected", _MEND, row=place + 1)
        text = line[letter.end() :] if letter else line
        counts.append(_numbers(path, place, text.strip().removeprefix("[").removesuffix("]")))
        if len(counts[-1]) != len(counts[0]):
            raise DataError(
                path,
                f"{len(counts[-1])} counts of {base}, but {len(counts[0])} of A",
                _MEND,
                row=place + 1,
            )
    sums = np.sum(counts, axis=1), np.sum(counts, axis=0)
    if len(counts[0]) == 4 and np.ptp(sums[0]) <= _ROUNDING * sums[0].max() < np.ptp(sums[1]):
        raise DataError(
            path,
            f"the rows of {record.name} have one sum each, its columns have not: its rows look "
            "like positions, and the letters before them like a consensus",
            "give the motif in MEME format",
            row=record.place + 1,
        )
    rows = [_Row(record.place, list(row)) for row in zip(*counts, strict=True)]
    return _motif(path, record.name, record.place, rows)


# ------------------------------------------------------------------------------------- TRANSFAC


def _parse_transfac(path: Path, lines: list[str]) -> Iterator[Motif]:
    """A motif for every table that begins with P0; its names are AC and ID."""
    names: list[str] = []
    for place, line in enumerate(lines):
        tag, _, value = line.partition(" ") if "\t" not in line else line.partition("\t")
        if tag == "//":
            names = []
        elif tag in ("AC", "ID") and value.strip() not in names:
            names.append(value.strip())
        elif columns := _TRANSFAC_COLUMNS.match(line):
            name = " ".join(" ".join(names).split()) or f"motif {place + 1}"
            rows = _transfac_rows(path, lines, place, columns[1].upper().split())
            yield _motif(path, name, place, rows)


def _transfac_rows(path: Path, lines: list[str], place: int, letters: list[str]) -> "list[_Row]":
    """Numbered rows up to XX or //; the letter after the numbers is the consensus."""
    if sorted(letters) != list("ACGT"):
        raise DataError(
            path, f"the alphabet is {''.join(letters)}, not ACGT", "give DNA motifs", row=place + 1
        )
    order = [letters.index(base) for base in "ACGT"]
    rows: list[_Row] = []
    for row, line in enumerate(lines[place + 1 :], start=place + 1):
        words = line.split()
        if words[:1] in (["XX"], ["//"]):
            return rows
        if len(words) not in (5, 6) or not words[0].isdecimal():
            raise DataError(path, "not a position and its 4 counts", _MEND, row=row + 1)
        # Files count positions from 1, or from 0.
        if int(words[0]) - len(rows) not in (0, 1):
            raise DataError(path, f"position {words[0]} is out of order", _MEND, row=row + 1)
        counts = _numbers(path, row, " ".join(words[1:5]))
        rows.append(_Row(row, [counts[column] for column in order]))
    raise DataError(path, "the matrix has no end (XX or //)", "copy the file again", row=place + 1)


# ------------------------------------------------------------------------------------- matrices


@dataclass(frozen=True)
class _Row:
    """The numbers of a line."""

    place: int
    numbers: list[float]

    @classmethod
    def of(cls, path: Path, place: int, line: str) -> "_Row":
        return cls(place, _numbers(path, place, line))


def _numbers(path: Path, place: int, text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        raise DataError(path, "not a line of numbers", _MEND, row=place + 1) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _probable(path: Path, name: str, place: int, rows: Sequence[_Row]) -> Motif:
    """A motif of rows that are probabilities, as the format has them, or all whole numbers."""
    motif = _motif(path, name, place, rows)
    odd = [row for row in rows if abs(sum(row.numbers) - 1) > _ROUNDING]
    counts = all(number.is_integer() for row in rows for number in row.numbers)
    if odd and not counts:
        raise DataError(
            path,
            f"these probabilities of {name} have the sum {sum(odd[0].numbers):g}, not 1",
            _MEND,
            row=odd[0].place + 1,
        )
    return motif


def _motif(path: Path, name: str, place: int, rows: Sequence[_Row]) -> Motif:
    """A motif of one row a position: A, C, G, T."""
    for row in rows:
        if len(row.numbers) != 4:
            raise DataError(path, f"{len(row.numbers)} numbers, not 4", _MEND, row=row.place + 1)
        if min(row.numbers) < 0:
            raise DataError(
                path,
                f"the matrix of {name} holds the negative number {min(row.numbers):g}: these are "
                "log-odds or scores",
                "give the counts or probabilities of the motif",
                row=row.place + 1,
            )
    weights = np.array([row.numbers for row in rows]).reshape(-1, 4)
    sums = weights.sum(axis=1, keepdims=True)
    if not len(weights) or not np.isfinite(weights).all() or not sums.all():
        raise DataError(
            path, f"the matrix of {name} has no or impossible numbers", _MEND, row=place + 1
        )
    return Motif(name, weights / sums)
