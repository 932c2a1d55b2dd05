"""Motifs: what binds, as the probability of each base at each place.

Read are consensus words of IUPAC letters and the text formats of JASPAR and MEME.

Shapes: ``w`` bases of a motif, ``r`` sequences, ``n`` bases of each.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError
from attendna.core.registry import near_misses

IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T", "U": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT",
    "K": "GT", "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip

_UNIFORM = 0.25
# Sampled instances from which the score of a match is taken, and the share of them below it.
_INSTANCES = 10_000
_WEAKEST = 0.1
_MEND = "correct the matrix"


@dataclass(frozen=True, eq=False)
class Motif:
    """A name and, for each base of the motif, the probabilities of A, C, G, T."""

    name: str
    probabilities: Float64[ndarray, "w 4"]

    @classmethod
    def from_consensus(cls, name: str, consensus: str) -> "Motif":
        """Every IUPAC letter stands for its bases in equal shares.

        Raises
        ------
        ConfigError
            A letter is none of IUPAC's, or there is none that says anything.
        """
        rows: list[list[float]] = []
        for letter in consensus.upper():
            if letter not in IUPAC:
                raise ConfigError(
                    f"motif {consensus}: {letter!r} is no IUPAC letter", f"use {''.join(IUPAC)}"
                )
            rows.append([(base in IUPAC[letter]) / len(IUPAC[letter]) for base in "ACGT"])
        if not consensus or set(consensus.upper()) == {"N"}:
            raise ConfigError(f"motif {name}: {consensus!r} says nothing", "name some bases")
        return cls(name, np.array(rows))

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def consensus(self) -> str:
        """The likeliest base of every place."""
        return "".join("ACGT"[base] for base in self.probabilities.argmax(axis=1))

    def sample(self, count: int, generator: np.random.Generator) -> UInt8[ndarray, "r w"]:
        """Codes of ``count`` instances drawn from the motif."""
        bounds = np.cumsum(self.probabilities, axis=1)[:, :3]
        draws = generator.random((count, len(self)))
        return (draws[..., None] > bounds).sum(axis=-1, dtype=np.uint8)

    def scores(self, codes: UInt8[ndarray, "r n"]) -> Float32[ndarray, "r _"]:
        """Log-odds against equal bases, in bits, of every place where the motif fits.

        The codes must be known bases.
        """
        with np.errstate(divide="ignore"):
            bits = np.log2(self.probabilities / _UNIFORM).astype(np.float32)
        places = max(0, codes.shape[1] - len(self) + 1)
        total = np.zeros((codes.shape[0], places), dtype=np.float32)
        for offset, row in enumerate(bits):
            total += row[codes[:, offset : offset + places]]
        return total

    @cached_property
    def match_score(self) -> float:
        """The score that nine of ten instances of the motif reach.

        A consensus word is matched by each of its spellings and by nothing else.
        """
        # Always the same instances: the score is a property of the motif, not of a run.
        instances = self.sample(_INSTANCES, np.random.default_rng(0))
        # Sums in another order differ in the last digits.
        return float(np.quantile(self.scores(instances)[:, 0], _WEAKEST, method="lower")) - 1e-3

    def matches(self, codes: UInt8[ndarray, "r n"]) -> Bool[ndarray, "r _"]:
        """Where an instance of the motif begins, read on the given strand."""
        return self.scores(codes) >= self.match_score

    def reverse_complement(self) -> "Motif":
        """The motif as it is read on the other strand."""
        return Motif(self.name, self.probabilities[::-1, ::-1].copy())

    def shuffled(self, generator: np.random.Generator) -> "Motif":
        """Its places in another order: the same composition, and another motif."""
        return Motif(self.name, generator.permutation(self.probabilities))


def read_motifs(path: str | Path) -> list[Motif]:
    """Motifs of a JASPAR or MEME text file; counts are divided by their sum.

    Raises
    ------
    DataError
        The file is missing or in neither format, or a matrix is broken; the row is the line.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DataError(path, "not a text file", "give motifs in JASPAR or MEME format") from None
    content = [line for line in lines if line.strip()]
    if not content:
        raise DataError(path, "the file is empty", "give motifs in JASPAR or MEME format")
    if content[0].startswith("MEME version"):
        motifs = list(_parse_meme(path, lines))
    elif content[0].startswith(">"):
        motifs = list(_parse_jaspar(path, lines))
    else:
        raise DataError(
            path, "begins neither with `MEME version` nor with >", "give a JASPAR or MEME file"
        )
    if not motifs:
        raise DataError(path, "there is no motif in it", "give motifs in JASPAR or MEME format")
    return motifs


def choose_motif(path: str | Path, motifs: list[Motif], name: str) -> Motif:
    """The motif of that name; of a JASPAR name ``MA0139.1 CTCF`` either word will do."""
    for motif in motifs:
        if name in (motif.name, *motif.name.split()):
            return motif
    raise DataError(
        path, f"there is no motif {name}", near_misses(name, [motif.name for motif in motifs])
    )


def named_apart(motifs: Sequence[Motif]) -> list[Motif]:
    """The motifs, of which those that share a name are numbered: ``NAME.1``, ``NAME.2`` and on."""
    names = [motif.name for motif in motifs]
    return [
        motif
        if names.count(motif.name) == 1
        else Motif(f"{motif.name}.{names[: place + 1].count(motif.name)}", motif.probabilities)
        for place, motif in enumerate(motifs)
    ]


def _parse_jaspar(path: Path, lines: list[str]) -> Iterator[Motif]:
    starts = [place for place, line in enumerate(lines) if line.startswith(">")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        rows = [place for place in range(start + 1, end) if lines[place].strip()]
        if len(rows) != 4:
            raise DataError(
                path,
                f"{len(rows)} lines of counts, not one for each of A, C, G, T",
                _MEND,
                row=start + 1,
            )
        counts: list[list[float]] = []
        for base, place in zip("ACGT", rows, strict=True):
            text = lines[place].strip()
            if text[0].upper() in "ACGT" and text[0].upper() != base:
                raise DataError(path, f"the counts of {base} were expected", _MEND, row=place + 1)
            counts.append(_numbers(path, place, text.lstrip("ACGTacgt").strip().strip("[]")))
            if len(counts[-1]) != len(counts[0]):
                raise DataError(
                    path,
                    f"{len(counts[-1])} counts of {base}, but {len(counts[0])} of A",
                    _MEND,
                    row=place + 1,
                )
        name = " ".join(lines[start][1:].split()) or f"motif {start + 1}"
        yield _motif(path, start, name, np.array(counts).T)


_MEME_MATRIX = re.compile(r"letter-probability matrix:.*?\bw\s*=\s*(\d+)")


def _parse_meme(path: Path, lines: list[str]) -> Iterator[Motif]:
    name = ""
    named_at = 0
    for place, line in enumerate(lines):
        if line.startswith("ALPHABET") and "".join(line.split("=")[-1].split()).upper() != "ACGT":
            raise DataError(path, "the alphabet is not ACGT", "give DNA motifs", row=place + 1)
        if line.startswith("MOTIF"):
            name, named_at = " ".join(line.split()[1:]), place
        if not line.startswith("letter-probability matrix"):
            continue
        width = _MEME_MATRIX.match(line)
        if width is None:
            raise DataError(path, "the width `w=` is missing", _MEND, row=place + 1)
        last = place + 1 + int(width.group(1))
        if last > len(lines):
            raise DataError(path, f"the matrix of {name} is cut short", "copy it again")
        rows = [_numbers(path, row, lines[row]) for row in range(place + 1, last)]
        for row, numbers in enumerate(rows, start=place + 1):
            if len(numbers) != 4:
                raise DataError(path, f"{len(numbers)} numbers, not 4", _MEND, row=row + 1)
        yield _motif(path, named_at, name or f"motif {place + 1}", np.array(rows).reshape(-1, 4))


def _numbers(path: Path, place: int, text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        raise DataError(path, "not a line of numbers", _MEND, row=place + 1) from None


def _motif(path: Path, place: int, name: str, weights: Float64[ndarray, "w 4"]) -> Motif:
    sums = weights.sum(axis=1, keepdims=True)
    if not len(weights) or not np.isfinite(weights).all() or (weights < 0).any() or not sums.all():
        raise DataError(
            path, f"the matrix of {name} has no or impossible numbers", _MEND, row=place + 1
        )
    return Motif(name, weights / sums)
