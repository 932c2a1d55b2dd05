"""Motifs by one word: a file of them, ``jaspar``, or ``jaspar:TAXON``."""

from dataclasses import dataclass
from pathlib import Path

from attendna.genome.jaspar import COLLECTION, VERTEBRATES, read_jaspar
from attendna.genome.motif import Motif, named_apart
from attendna.genome.motifs import read_motifs

JASPAR = "jaspar"


@dataclass(frozen=True, eq=False)
class MotifSource:
    """Motifs whose names differ, and where they are from, in words."""

    motifs: list[Motif]
    told: str


def open_motifs(source: str | Path) -> MotifSource:
    """The motifs of a file, or of a taxon of JASPAR CORE.

    Parameters
    ----------
    source
        A path; ``jaspar`` for the vertebrates of JASPAR, ``jaspar:plants`` for another taxon.

    Raises
    ------
    UserError
        There is no such file or taxon, the file is bad, or pyjaspar is not installed.
    """
    if not is_jaspar(source):
        motifs = named_apart(read_motifs(source))
        return MotifSource(motifs, f"{len(motifs):,} of {Path(source).name}")
    found = read_jaspar(str(source).partition(":")[2] or VERTEBRATES)
    told = f"{len(found.motifs):,} of {found.release} {COLLECTION}, {found.taxon}"
    return MotifSource(found.motifs, told)


def is_jaspar(source: str | Path) -> bool:
    """Whether JASPAR is meant, and not a file of that name."""
    return str(source).partition(":")[0] == JASPAR and not Path(source).exists()
