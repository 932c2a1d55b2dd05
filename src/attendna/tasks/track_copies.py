"""What a worker does of a task of tracks: some records, from their file or from bigWig files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl
from jaxtyping import Float, UInt8
from numpy import ndarray

from attendna.core.errors import DataError
from attendna.genome.alphabet import N
from attendna.genome.reference import Reference
from attendna.tasks.tfrecord import read_examples
from attendna.tasks.track_records import SEQUENCES_FILE, Layout, Shape, decode
from attendna.tasks.track_signals import Binning
from attendna.tasks.track_transforms import Pooling, pool_bins
from attendna.tasks.track_writer import Records, Slot, Told

ALIKE = 0.9
"""Share of known bases that a record has in common with the genome at its place. Personal alleles
leave it far above, and any other place far below."""


class RecordUnit(NamedTuple):
    """A file of records, where they go, and where they are from."""

    path: Path
    slots: tuple[Slot, ...]
    places: pl.DataFrame


class WindowUnit(NamedTuple):
    """Windows of the genome, and where they go."""

    slots: tuple[Slot, ...]
    places: pl.DataFrame


class Copied(NamedTuple):
    """What was written, and how many of the records are the genome's sequence."""

    told: list[Told]
    equal: int


@dataclass(frozen=True)
class Copy:
    """Copies the records of a file."""

    records: Records
    shape: Shape
    layout: Layout | None
    factor: int
    pooling: Pooling
    reference: Reference | None

    def __call__(self, unit: RecordUnit) -> Copied:
        """Copy the records of one file.

        Raises
        ------
        DataError
            A record is damaged, of another shape or layout, or not of its place on the genome.
        """
        equal = 0

        def decoded() -> Iterator[tuple[Slot, UInt8[ndarray, " s"], Float[ndarray, "l t"]]]:
            nonlocal equal
            examples = zip(unit.slots, read_examples(unit.path), strict=True)
            for row, (slot, example) in enumerate(examples, start=1):
                codes, values = decode(example, self.shape, unit.path, row, self.layout)
                equal += self._is_equal(unit, row, codes)
                if self.factor > 1:
                    values = pool_bins(values, self.factor, self.pooling)
                yield slot, codes, values

        return Copied(self.records.write(decoded()), equal)

    def _is_equal(self, unit: RecordUnit, row: int, codes: UInt8[ndarray, " s"]) -> bool:
        """Whether a record is the genome's sequence at its place."""
        if self.reference is None:
            return False
        place = unit.places[row - 1]
        found = self.reference.windows(place, edge="pad", missing="drop").sequences
        if not len(found):
            return False
        known = (found[0] < N) & (codes < N)
        alike = float((found[0] == codes)[known].mean()) if known.any() else 1.0
        if alike < ALIKE:
            raise DataError(
                unit.path,
                f"{alike:.0%} of its bases are those of {self.reference.path.name} where "
                f"{SEQUENCES_FILE} places it",
                "give the genome of these records, or leave --genome out",
                row=row,
            )
        return bool((found[0] == codes).all())


def bin_windows(
    unit: WindowUnit, *, records: Records, reference: Reference, binning: Binning
) -> Copied:
    """Fetch windows of the genome, bin the bigWig files there, and write both."""
    sequences = reference.windows(unit.places).sequences
    targets = binning.targets(unit.places)
    return Copied(
        records.write((slot, sequences[row], targets[row]) for row, slot in enumerate(unit.slots)),
        equal=len(unit.slots),
    )
