"""Contigs of a genome: what they are called elsewhere, and which build their lengths betray.

Shapes: ``k`` names.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int64
from numpy import ndarray

from attendna.genome.sequences import ArrowColumn

_MITOCHONDRIAL = {"m", "mt", "mito", "mtdna", "mitochondrion"}

# Two contigs that no two builds share; names as UCSC writes them.
_BUILDS: dict[str, dict[str, int]] = {
    "hg18": {"chr1": 247_249_719, "chr2": 242_951_149},
    "hg19": {"chr1": 249_250_621, "chr2": 243_199_373},
    "hg38": {"chr1": 248_956_422, "chr2": 242_193_529},
    "hs1": {"chr1": 248_387_328, "chr2": 242_696_752},
    "mm9": {"chr1": 197_195_432, "chr2": 181_748_087},
    "mm10": {"chr1": 195_471_971, "chr2": 182_113_224},
    "mm39": {"chr1": 195_154_279, "chr2": 181_755_017},
    "rn6": {"chr1": 282_763_074, "chr2": 266_435_125},
    "rn7": {"chr1": 260_522_016, "chr2": 249_053_267},
    "danRer11": {"chr1": 59_578_282, "chr2": 59_640_629},
    "dm3": {"chr2L": 23_011_544, "chr3R": 27_905_053},
    "dm6": {"chr2L": 23_513_712, "chr3R": 32_079_331},
    "ce10": {"chrI": 15_072_423, "chrV": 20_924_149},
    "ce11": {"chrI": 15_072_434, "chrV": 20_924_180},
    "sacCer3": {"chrI": 230_218, "chrIV": 1_531_933},
    "TAIR10": {"chr1": 30_427_671, "chr5": 26_975_502},
}
_SYNONYMS = {
    "ncbi36": "hg18",
    "grch37": "hg19",
    "b37": "hg19",
    "hs37d5": "hg19",
    "grch38": "hg38",
    "chm13": "hs1",
    "t2t-chm13v2.0": "hs1",
    "grcm38": "mm10",
    "grcm39": "mm39",
    "grcz11": "danRer11",
    "bdgp6": "dm6",
    "wbcel235": "ce11",
    "r64-1-1": "sacCer3",
}


def plain_name(name: str) -> str:
    """A contig's name without what naming styles add: ``chr1``, ``CHR01`` and ``1`` are one.

    So are ``chrM`` and ``MT``.
    """
    plain = name.strip().casefold().removeprefix("chr")
    if plain.isdecimal():
        return plain.lstrip("0") or "0"
    return "mt" if plain in _MITOCHONDRIAL else plain


def plain_names(names: pl.Series) -> pl.Series:
    """The plain name of each, the same for names of one contig in any naming style."""
    distinct = names.unique().drop_nulls().to_list()
    return names.replace_strict(distinct, [*map(plain_name, distinct)], return_dtype=pl.String)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts names as people do: ``chr2`` before ``chr10``, numbers before letters."""
    parts = re.findall(r"\d+|\D+", plain_name(name))
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


class ContigNames:
    """The contigs of a genome by their names, in whatever style they are called.

    A name that is known as it stands means that contig; otherwise a name of another style means the
    one contig that is called so, and none if there are two.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._own = {name: number for number, name in enumerate(names)}
        counts = Counter(map(plain_name, names))
        self._plain = {
            plain_name(name): number
            for name, number in self._own.items()
            if counts[plain_name(name)] == 1
        }

    def number(self, name: str) -> int:
        """Its place among the names given, -1 for a name that means none."""
        own = self._own.get(name)
        return self._plain.get(plain_name(name), -1) if own is None else own


def numbered(column: ArrowColumn, meaning: Callable[[str], int], null: int) -> Int64[ndarray, " k"]:
    """Replace every text by a number; ``meaning`` is asked for each distinct text once.

    Polars, whose threads do not survive the fork of a process, has no part in it.
    """
    if column.type != pa.large_string():
        column = column.cast(pa.large_string())
    encoded = column.dictionary_encode()
    numbers = np.array([*map(meaning, encoded.dictionary.to_pylist()), null], dtype=np.int64)
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(numbers.size - 1)
    # By the buffer: pyarrow's own way to NumPy imports pandas where it is installed, for seconds.
    places = np.frombuffer(indices.buffers()[1], dtype=np.int32)
    return numbers[places[indices.offset :][: len(indices)]]


def recognize_build(lengths: Mapping[str, int]) -> str | None:
    """UCSC name of the build that has contigs of these lengths, if it is one we know."""
    plain = {plain_name(name): length for name, length in lengths.items()}
    for build, marks in _BUILDS.items():
        found = [plain.get(plain_name(name)) == length for name, length in marks.items()]
        # A genome may be cut down to some chromosomes; then those there must agree.
        absent = [plain_name(name) not in plain for name in marks]
        if any(found) and all(same or gone for same, gone in zip(found, absent, strict=True)):
            return build
    return None


def same_build(one: str, other: str) -> bool:
    """Whether two names stand for one build, as ``hg38`` and ``GRCh38.p14`` do."""
    return _canonical(one) == _canonical(other)


def _canonical(build: str) -> str:
    folded = re.sub(r"\.p\d+$", "", build.strip().casefold())
    return _SYNONYMS.get(folded, folded).casefold()
