"""Writing a folder of tracks: records in any order, by any number of processes.

Shapes: ``s`` bases, ``l`` bins, ``t`` tracks.
"""

import contextlib
import hashlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float, UInt8
from numpy import ndarray

from attendna.core.config import to_yaml
from attendna.core.errors import ConfigError, DataError, FolderError, MissingExtraError
from attendna.core.files import publish_folder, sha256
from attendna.core.parquet import write_parquet
from attendna.genome.alphabet import N
from attendna.tasks.spec import SPLITS, TASK, SplitName
from attendna.tasks.store import SPEC_FILE
from attendna.tasks.track_spec import TrackSpec
from attendna.tasks.track_targets import COLUMNS
from attendna.tasks.tracks import ABSENT, TARGETS_FILE, TrackTask, missing_chunks, open_arrays


class Slot(NamedTuple):
    """Where a record goes: its split, and its row there."""

    split: SplitName
    row: int


class Told(NamedTuple):
    """What was written of a record."""

    slot: Slot
    unknown: int
    """Bases that are N."""
    masked: int
    """Values of targets that are NaN."""
    digest: str
    """BLAKE2 of its codes and targets as they are stored."""


@dataclass(frozen=True)
class Records:
    """The arrays that records are written to; may be sent to other processes."""

    folder: Path
    target_type: str

    def write(
        self,
        records: Iterable[tuple[Slot, UInt8[ndarray, " s"], Float[ndarray, "l t"]]],
    ) -> list[Told]:
        """Write records, one chunk each.

        Raises
        ------
        ConfigError
            A value is too large for the type of the targets.
        """
        groups: dict[SplitName, Any] = {}
        told: list[Told] = []
        for slot, codes, values in records:
            if slot.split not in groups:
                groups[slot.split] = open_arrays(self.folder / f"{slot.split}.zarr", "r+")
            stored = self._fitted(values)
            groups[slot.split]["sequence"][slot.row] = codes
            groups[slot.split]["target"][slot.row] = stored
            digest = hashlib.blake2b(codes.tobytes() + stored.tobytes(), digest_size=16)
            unknown, masked = int((codes >= N).sum()), int(np.isnan(stored).sum())
            told.append(Told(slot, unknown, masked, digest.hexdigest()))
        return told

    def _fitted(self, values: Float[ndarray, "l t"]) -> Float[ndarray, "l t"]:
        with np.errstate(over="ignore"):
            stored = values.astype(self.target_type)
        if np.isinf(stored).any():
            most = float(np.nanmax(np.abs(values)))
            raise ConfigError(
                f"a target of {most:,.0f} does not fit {self.target_type}",
                "add --target-type float32, or clip",
            )
        return stored


class TrackWriter:
    """Takes the records of a task; made by :func:`track_writer`."""

    def __init__(self, folder: Path, partial: Path, spec: TrackSpec, targets: pl.DataFrame) -> None:
        self.folder = folder
        self.partial = partial
        """Where further files of the task may be written."""
        self.spec = spec
        self._targets = targets.select(*COLUMNS)
        self.records = Records(partial, spec.target_type)
        self._told: list[Told] = []

    @property
    def task(self) -> TrackTask:
        """The task as it is published."""
        splits: tuple[SplitName, ...] = tuple(s for s in SPLITS if s in self.spec.rows)
        return TrackTask(self.folder, self.spec, splits, self._targets)

    @property
    def counts(self) -> dict[str, int]:
        """What was counted of all records."""
        return {
            "unknown bases": sum(told.unknown for told in self._told),
            "masked values": sum(told.masked for told in self._told),
        }

    def tell(self, told: Iterable[Told]) -> None:
        """Enter what was written of some records."""
        self._told.extend(told)

    def finish(self, places: Mapping[SplitName, pl.DataFrame]) -> None:
        """Write the card and the tables.

        Parameters
        ----------
        places
            Columns ``id, chrom, start, end`` of each split, in the order of its records.
        """
        for split, rows in self.spec.rows.items():
            for name in ("sequence", "target"):
                if missing_chunks(self.partial / f"{split}.zarr", name, rows):
                    raise RuntimeError(f"not all records of {split} were written")
            told = sorted(told for told in self._told if told.slot.split == split)
            columns = {
                "unknown": [one.unknown for one in told],
                "masked": [one.masked for one in told],
                "digest": [one.digest for one in told],
            }
            table = (
                places[split].select("id", "chrom", "start", "end").hstack(pl.DataFrame(columns))
            )
            write_parquet(table, self.partial / f"{split}.parquet")
        write_parquet(self._targets, self.partial / TARGETS_FILE)
        digests = {path.name: sha256(path) for path in sorted(self.partial.glob("*.parquet"))}
        self.spec = self.spec.replace(sha256=digests)
        (self.partial / SPEC_FILE).write_text(to_yaml(self.spec.to_tree()), encoding="utf-8")


@contextlib.contextmanager
def track_writer(
    folder: str | Path, spec: TrackSpec, targets: pl.DataFrame, *, force: bool = False
) -> Generator[TrackWriter, None, None]:
    """Write a folder of tracks, whole or not at all; ``spec.rows`` says how many records.

    Raises
    ------
    FolderError
        The folder exists, or there are no records.
    DataError
        There are more or fewer tracks in the table than in the records.
    MissingExtraError
        The package zarr is not installed.
    """
    folder = Path(folder)
    if not any(spec.rows.values()):
        raise FolderError("a task needs at least one record", "give train, valid or test records")
    if targets.height != spec.tracks:
        raise DataError(
            folder, f"{targets.height} tracks in the table, {spec.tracks} in records", "correct it"
        )
    with publish_folder(folder, TASK, force=force) as partial:
        for split, rows in spec.rows.items():
            _create(partial / f"{split}.zarr", spec, rows)
        yield TrackWriter(folder, partial, spec, targets)


def _create(path: Path, spec: TrackSpec, rows: int) -> None:
    try:
        import zarr
        from zarr.codecs import Crc32cCodec, ZstdCodec
    except ImportError:
        raise MissingExtraError("zarr", "tracks", "writing tracks") from None
    group = zarr.create_group(path, zarr_format=3)
    for name, shape, kind, fill in (
        ("sequence", (spec.window,), "uint8", ABSENT),
        ("target", (spec.bins, spec.tracks), spec.target_type, float("nan")),
    ):
        group.create_array(
            name,
            shape=(rows, *shape),
            chunks=(1, *shape),
            dtype=kind,
            # The checksum is over what is stored: no damage is decompressed.
            compressors=[ZstdCodec(level=3), Crc32cCodec()],
            fill_value=fill,
            chunk_key_encoding={"name": "default", "separator": "."},
            # A chunk that is not there is then one that was lost.
            config={"write_empty_chunks": True},
        )
