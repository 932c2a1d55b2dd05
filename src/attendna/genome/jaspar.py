"""The matrices of JASPAR that the package pyjaspar carries; nothing is fetched.

Source: Rauluseviciute et al. 2024, "JASPAR 2024", and the release that pyjaspar has.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.core.registry import near_misses
from attendna.genome.motif import Motif, named_apart

COLLECTION = "CORE"
VERTEBRATES = "vertebrates"

_TAXA = "SELECT DISTINCT VAL FROM MATRIX_ANNOTATION WHERE TAG = 'tax_group' ORDER BY VAL"
# All at once: the package asks four times a matrix, each time through the whole table.
_COUNTS = """
WITH newest AS (SELECT BASE_ID, max(VERSION) AS VERSION FROM MATRIX GROUP BY BASE_ID)
SELECT m.BASE_ID, m.VERSION, m.NAME, d.val
FROM newest n
JOIN MATRIX m ON m.BASE_ID = n.BASE_ID AND m.VERSION = n.VERSION AND m.COLLECTION = ?
JOIN MATRIX_DATA d ON d.ID = m.ID
WHERE m.ID IN (SELECT ID FROM MATRIX_ANNOTATION WHERE TAG = 'tax_group' AND VAL = ?)
ORDER BY m.BASE_ID, m.ID, d.row, d.col
"""


@dataclass(frozen=True, eq=False)
class Jaspar:
    """The latest version of every CORE matrix of a taxon."""

    release: str
    taxon: str
    motifs: list[Motif]
    """Named as ``MA0139.2 CTCF``."""


def read_jaspar(taxon: str = VERTEBRATES) -> Jaspar:
    """The matrices of a taxon: ``vertebrates``, ``plants``, ``insects``, ``fungi`` and so on.

    Raises
    ------
    ConfigError
        JASPAR has no such taxon.
    MissingExtraError
        pyjaspar is not installed.
    """
    try:
        from pyjaspar import jaspardb  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError("pyjaspar", "motifs", "the motifs of JASPAR") from None
    database: Any = jaspardb()
    try:
        taxa = [name for (name,) in database.conn.execute(_TAXA)]
        if taxon not in taxa:
            raise ConfigError(f"JASPAR has no taxon {taxon!r}", near_misses(taxon, taxa))
        counts: dict[str, list[float]] = {}
        for base, version, name, count in database.conn.execute(_COUNTS, (COLLECTION, taxon)):
            counts.setdefault(f"{base}.{version} {name}", []).append(float(count))
    finally:
        database.conn.close()
    motifs = [_motif(name, values) for name, values in counts.items()]
    return Jaspar(str(database.release), taxon, named_apart(motifs))


def _motif(name: str, values: list[float]) -> Motif:
    counts = np.array(values).reshape(4, -1).T
    return Motif(name, counts / counts.sum(axis=1, keepdims=True))
