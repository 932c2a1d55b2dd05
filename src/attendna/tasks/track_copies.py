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
    """What was written, how many of the records are the genome's sequence, and how many lie where
    the genome is not held."""

    told: list[Told]
    equal: int
    missing: int


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
        equal = missing = 0

        def decoded() -> Iterator[tuple[Slot, UInt8[ndarray, " s"], Float[ndarray, "l t"]]]:
            nonlocal equal, missing
            examples = zip(unit.slots, read_examples(unit.path), strict=True)
            for row, (slot, example) in enumerate(examples, start=1):
                codes, values = decode(example, self.shape, unit.path, row, self.layout)
                genome = self._genome(unit, row)
                missing += self.reference is not None and genome is None
                equal += genome is not None and self._is_equal(unit, row, codes, genome)
                if self.factor > 1:
                    values = pool_bins(values, self.factor, self.pooling)
                yield slot, codes, values

        return Copied(self.records.write(decoded()), equal, missing)

    def _genome(self, unit: RecordUnit, row: int) -> UInt8[ndarray, " s"] | None:
        """The genome's sequence at the place of a record, where it is asked for and held."""
        if self.reference is None:
            return None
        found = self.reference.windows(unit.places[row - 1], edge="pad", missing="drop").sequences
        return found[0] if len(found) else None

    def _is_equal(
        self, unit: RecordUnit, row: int, codes: UInt8[ndarray, " s"], genome: UInt8[ndarray, " s"]
    ) -> bool:
        """Whether a record is the genome's sequence, refused if it cannot be."""
        known = (genome < N) & (codes < N)
        alike = float((genome == codes)[known].mean()) if known.any() else 1.0
        if alike < ALIKE:
            raise DataError(
                unit.path,
                f"{alike:.0%} of its bases are those of the genome where {SEQUENCES_FILE} "
                "places it",
                "give the genome of these records, or leave --genome out",
                row=row,
            )
        return bool((genome == codes).all())


def bin_windows(
    unit: WindowUnit, *, records: Records, reference: Reference, binning: Binning
) -> Copied:
    """Fetch windows of the genome, bin the bigWig files there, and write both."""
    sequences = reference.windows(unit.places).sequences
    targets = binning.targets(unit.places)
    return Copied(
        records.write((slot, sequences[row], targets[row]) for row, slot in enumerate(unit.slots)),
        equal=len(unit.slots),
        missing=0,
    )
