"""Motifs: what binds, as the probability of each base at each place.

A motif is made of a consensus word of IUPAC letters; ``motif_files`` reads files of them.

Shapes: ``w`` bases of a motif, ``r`` sequences, ``n`` bases of each.
"""

from collections.abc import Sequence
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
