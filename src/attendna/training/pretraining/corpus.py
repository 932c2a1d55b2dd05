"""The genomes a language model learns from: what is learned, what is held out, what is left out.

Shapes: ``s`` stretches of known bases.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int64, UInt8
from numpy import ndarray

from attendna.core.errors import ConfigError, DataError
from attendna.genome.contigs import plain_name, plain_names
from attendna.genome.intervals import read_intervals
from attendna.genome.occurrences import find_occurrences
from attendna.genome.reference import open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.genome.stretches import known_stretches, places_of
from attendna.tasks.spec import SplitName
from attendna.tasks.store import open_task
from attendna.training.pretraining.config import WindowsConfig

MOST_OF_A_GENOME = 2.0
"""A chromosome is not drawn to be held out where it is more than so many times the share."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Runs of known bases, none shorter than a window."""

    genome: Int64[ndarray, " s"]
    """Number of the genome."""
    offset: Int64[ndarray, " s"]
    """First base in the genome's codes."""
    length: Int64[ndarray, " s"]

    @property
    def bases(self) -> int:
        """How many there are in all."""
        return int(self.length.sum())


class Corpus:
    """Stretches of several genomes to learn from, and to be measured on.

    Parameters
    ----------
    paths
        The genomes.
    exclude
        Intervals, or task folders whose validation and test rows are not to be seen: they are found
        by their sequence, on either strand and in any genome, whether the task says where they lie
        or not.

    Raises
    ------
    UserError
        A genome cannot be read, nothing is left to learn from or to hold out, or what should be
        left out lies in none of the genomes.
    """

    def __init__(
        self, paths: Sequence[str | Path], config: WindowsConfig, exclude: Sequence[str | Path] = ()
    ) -> None:
        self.config = config
        self.genomes = tuple(open_reference(path) for path in paths)
        left_out = self._left_out(exclude)
        frames = [
            known_stretches(genome, runs)
            .with_columns(pl.lit(number, dtype=pl.Int64).alias("genome"))
            .filter(pl.col("end") - pl.col("start") >= config.length)
            for number, (genome, runs) in enumerate(zip(self.genomes, left_out, strict=True))
        ]
        for genome, frame in zip(self.genomes, frames, strict=True):
            if not frame.height:
                raise DataError(
                    genome.path,
                    f"no {config.length} known bases lie side by side in it",
                    "give another genome, or set windows.length lower",
                )
        self.left_out = [int((runs[:, 1] - runs[:, 0]).sum()) for runs in left_out]
        """Bases of each genome that are left out."""
        table = pl.concat(frames)
        self.held_out = _held_out_names(table, config)
        """Chromosomes on which nothing is learned, by their plain names."""
        aside = plain_names(table["chrom"]).is_in(list(self.held_out))
        self.train, self.valid = (_stretches(table.filter(part)) for part in (~aside, aside))
        if not self.train.length.size or not self.valid.length.size:
            missing = "to learn from" if self.valid.length.size else "that is held out"
            raise ConfigError(
                f"no window is left {missing}", "name other chromosomes with windows.held_out"
            )

    def _left_out(self, exclude: Sequence[str | Path]) -> list[Int64[ndarray, "_ 2"]]:
        found: list[list[Int64[ndarray, "_ 2"]]] = [
            [np.empty((0, 2), dtype=np.int64)] for _ in self.genomes
        ]
        for path in map(Path, exclude):
            rows = _rows_of(path)
            for genome, runs in zip(self.genomes, found, strict=True):
                if isinstance(rows, SequenceBatch):
                    runs.append(find_occurrences(genome.codes, rows))
                else:
                    runs.append(places_of(genome, rows))
            if not any(runs[-1].size for runs in found):
                raise DataError(
                    path, "nothing of it lies in the genomes", "leave --exclude out, or check it"
                )
        return [np.concatenate(runs) for runs in found]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bases of all genomes and of which are learned and held out."""
        content = hashlib.sha256("".join(genome.digest for genome in self.genomes).encode())
        for part in (self.train, self.valid):
            for column in (part.genome, part.offset, part.length):
                content.update(column.tobytes())
        return content.hexdigest()

    def codes(
        self,
        genome: Int64[ndarray, " w"],
        offset: Int64[ndarray, " w"],
    ) -> UInt8[ndarray, "w l"]:
        """The windows that begin at places of genomes."""
        found = np.empty((genome.size, self.config.length), dtype=np.uint8)
        for number, reference in enumerate(self.genomes):
            mine = np.flatnonzero(genome == number)
            if mine.size:
                windows = np.lib.stride_tricks.sliding_window_view(
                    reference.codes, self.config.length
                )
                found[mine] = windows[offset[mine]]
        return found

    def read_training(self) -> Iterator[UInt8[ndarray, " _"]]:
        """The stretches that are learned from, one after the other."""
        for genome, offset, length in zip(
            self.train.genome, self.train.offset, self.train.length, strict=True
        ):
            yield self.genomes[genome].codes[offset : offset + length]

    def held_out_codes(self) -> UInt8[ndarray, "w l"]:
        """Windows of the held-out stretches, side by side, thinned out evenly to those wanted."""
        part, length = self.valid, self.config.length
        count = part.length // length
        row = np.repeat(np.arange(count.size), count)
        place = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        offset = part.offset[row] + length * place
        wanted = min(self.config.held_out_windows, row.size)
        kept = np.arange(wanted) * row.size // wanted
        return self.codes(part.genome[row[kept]], offset[kept])


def _rows_of(path: Path) -> SequenceBatch | pl.DataFrame:
    """Sequences of a task's validation and test rows, or intervals of a file."""
    if not path.is_dir():
        return read_intervals(path).frame
    task = open_task(path)
    splits: list[SplitName] = [split for split in task.splits if split != "train"]
    if not splits:
        raise DataError(path, "it has neither validation nor test rows", "leave --exclude out")
    return SequenceBatch.joined([task.read(split).sequences for split in splits])


def _stretches(table: pl.DataFrame) -> Stretches:
    columns = (table["genome"], table["offset"], table["end"] - table["start"])
    return Stretches(*(column.to_numpy().astype(np.int64) for column in columns))


def _held_out_names(table: pl.DataFrame, config: WindowsConfig) -> tuple[str, ...]:
    """Chromosomes that are held out, which are so in every genome that has one of the name.

    Two assemblies of one species, and parts of one, thus hold out the same.
    """
    sizes = table.group_by("genome", "chrom").agg(bases=(pl.col("end") - pl.col("start")).sum())
    sizes = sizes.with_columns(plain=plain_names(sizes["chrom"]))
    known = set(sizes["plain"])
    if config.held_out:
        names = tuple(map(plain_name, config.held_out))
        for name, plain in zip(config.held_out, names, strict=True):
            if plain not in known:
                raise ConfigError(
                    f"windows.held_out: no genome has a chromosome {name} with whole windows",
                    f"there are {', '.join(sorted(set(sizes['chrom']))[:30])}",
                )
        return names
    return _drawn_names(sizes, config.held_out_share)


def _drawn_names(sizes: pl.DataFrame, share: float) -> tuple[str, ...]:
    """Chromosomes until each genome has given its share; the order depends on names alone."""
    total: dict[int, int] = {}
    of_name: dict[str, dict[int, int]] = {}
    for genome, name, bases in sizes.select("genome", "plain", "bases").iter_rows():
        total[genome] = total.get(genome, 0) + bases
        mine = of_name.setdefault(name, {})
        mine[genome] = mine.get(genome, 0) + bases
    given = dict.fromkeys(total, 0)
    taken: list[str] = []
    for name in sorted(of_name, key=lambda name: hashlib.sha256(name.encode()).digest()):
        after = {genome: given[genome] + bases for genome, bases in of_name[name].items()}
        wanted = any(given[genome] < share * total[genome] for genome in after)
        allowed = MOST_OF_A_GENOME * share
        if wanted and all(bases <= allowed * total[genome] for genome, bases in after.items()):
            given |= after
            taken.append(name)
    if not taken:
        raise ConfigError(
            f"every chromosome is more than {MOST_OF_A_GENOME:g} times the share {share:g} to hold "
            "out",
            "name some with windows.held_out, or raise windows.held_out_share",
        )
    return tuple(taken)
