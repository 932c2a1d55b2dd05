"""Builder ``enhancers``: sets of intervals, one file a class, with their sequences.

Source: the Genomic Benchmarks collection (Grešová et al. 2023) gives its nine sets as such tables.

Shapes: ``n`` rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from attendna.core.config import Seed
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.core.formats import INTERVALS, ending_of
from attendna.genome.alphabet import N
from attendna.genome.intervals import read_intervals
from attendna.genome.reference import open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.builders.builder import BuilderConfig, Built, sources
from attendna.tasks.spec import SPLITS, TASK, SplitName, TaskSpec
from attendna.tasks.splits import FRACTIONS, group_by_sequence, split_groups
from attendna.tasks.store import write_task


class EnhancersConfig(BuilderConfig):
    """Sequences of sets of intervals, one file a class."""

    name: Literal["enhancers"] = "enhancers"
    intervals: tuple[str, ...] = Field(
        min_length=1,
        description="A folder {train,test}/CLASS.csv.gz (or .bed), or CLASS=FILE once a class; the "
        "first class is 0, folders in the order of the alphabet.",
    )
    genome: tuple[str, ...] = Field(
        min_length=1, description="FASTA or .2bit of all classes, or CLASS=FILE once a class."
    )
    drop_unknown: bool = Field(default=False, description="Leave out sequences that hold an N.")
    min_length: int = Field(default=1, ge=1, description="Leave out sequences of fewer bases.")
    valid_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the training rows to validate on."
    )
    seed: Seed = Field(default=0, description="Seed of the splits.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the intervals.")
    citation: str = Field(default="", description="Whom to cite for the intervals.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Read the intervals, fetch their sequences, and split them; see the base class."""
        refuse_existing(out, TASK, force=force)
        found = _find(self.intervals)
        classes = list(dict.fromkeys(entry.label for entry in found))
        if len(classes) < 2:
            raise ConfigError("--intervals: one class only", "give the intervals of two or more")
        genomes = _assigned(self.genome, classes)
        parts: list[pl.DataFrame] = []
        counts = {"intervals": 0, "not in the genome": 0, "over the end of a contig": 0}
        builds: set[str | None] = set()
        for label, name in enumerate(classes):
            reference = open_reference(genomes[name])
            builds.add(self.name_build(reference))
            read = pl.concat([_read(entry, label) for entry in found if entry.label == name])
            frame = reference.named(read)
            windows = self.fetch(
                reference,
                frame,
                execution=execution,
                what=f"intervals of {name}",
            )
            counts["intervals"] += frame.height
            counts["not in the genome"] += windows.missing
            counts["over the end of a contig"] += windows.dropped
            sequence, codes = windows.sequences, windows.sequences.codes
            unknown = np.add.reduceat(codes == N, sequence.offsets[:-1]) if len(sequence) else []
            parts.append(
                frame[windows.rows].with_columns(
                    sequence=sequence.to_series(), unknown=pl.Series(unknown, dtype=pl.Int64)
                )
            )
        rows = pl.concat(parts)
        kept = rows.filter(
            pl.col("sequence").str.len_bytes() >= self.min_length,
            (pl.col("unknown") == 0) | (not self.drop_unknown),
        ).drop("unknown")
        counts["too short or with N"] = rows.height - kept.height
        frames = self._split(kept)
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=", ".join(sorted(b for b in builds if b)) or None,
            sources=sources(
                *(entry.path for entry in found), *dict.fromkeys(genomes[name] for name in classes)
            ),
            label_kind="binary" if len(classes) == 2 else "multiclass",
            classes=tuple(classes),
            negatives="as given",
            splits=self._rule(found),
            licence=self.licence,
            citation=self.citation,
        )
        task = write_task(
            out, spec, frames, force=force, complete=lambda folder: self.record(folder, counts)
        )
        return Built(task, counts)

    def _rule(self, found: "list[_Entry]") -> str:
        given = ", ".join(dict.fromkeys(entry.split for entry in found if entry.split))
        dealt = f"by sequence on both strands, seed {self.seed}"
        return f"{given} as given; the rest {dealt}" if given else dealt

    def _split(self, rows: pl.DataFrame) -> dict[SplitName, pl.DataFrame]:
        """The splits that are given; what is not is dealt from the training rows."""
        given = set(rows["split"].unique())
        fractions: dict[SplitName, float] = dict(FRACTIONS)
        if given - {""}:
            fractions = {"train": 1 - self.valid_fraction, "valid": self.valid_fraction}
        pooled = pl.col("split").is_in(["", "train"])
        if "valid" in given:
            fractions = {"train": 1.0}
        pool = rows.filter(pooled)
        groups = group_by_sequence(SequenceBatch.from_text(pool["sequence"]))
        dealt = split_groups(groups, pool["label"].to_numpy(), fractions, self.seed)
        rows = pl.concat([pool.with_columns(split=pl.Series(dealt.tolist())), rows.filter(~pooled)])
        return {
            split: part.drop("split")
            for split in SPLITS
            if (part := rows.filter(pl.col("split") == split)).height
        }


@dataclass(frozen=True)
class _Entry:
    """One file of intervals."""

    label: str
    path: Path
    split: str


def _find(given: tuple[str, ...]) -> list[_Entry]:
    """The files of intervals, of all splits and classes."""
    if len(given) == 1 and "=" not in given[0]:
        folder = Path(given[0])
        if not folder.is_dir():
            raise DataError(
                folder, "no such folder", "give {train,test}/CLASS.csv.gz, or CLASS=FILE"
            )
        found = [
            _Entry(path.name.partition(".")[0], path, split)
            for split in SPLITS
            for path in sorted((folder / split).glob("*"))
            if ending_of(path) in INTERVALS
        ]
        if not found:
            raise DataError(
                folder, "there is no {train,valid,test}/CLASS.csv.gz in it", "check the path"
            )
        return found
    return [_Entry(label, path, "") for label, path in _pairs(given, "--intervals").items()]


def _pairs(given: tuple[str, ...], option: str) -> Mapping[str, Path]:
    pairs: dict[str, Path] = {}
    for text in given:
        label, equals, path = text.partition("=")
        if not equals or not label or not path:
            raise ConfigError(f"{option} {text}: no class or no file", "write CLASS=FILE")
        if label in pairs:
            raise ConfigError(f"{option} {text}: a second file of {label}", "give one a class")
        pairs[label] = Path(path)
    return pairs


def _assigned(given: tuple[str, ...], classes: list[str]) -> Mapping[str, Path]:
    """The genome of each class."""
    if len(given) == 1 and "=" not in given[0]:
        return dict.fromkeys(classes, Path(given[0]))
    pairs = _pairs(given, "--genome")
    for name in (*classes, *pairs):
        if name not in pairs or name not in classes:
            raise ConfigError(
                f"--genome: {name} is not a class and a genome both",
                f"give one for each of {', '.join(classes)}",
            )
    return pairs


def _read(entry: _Entry, label: int) -> pl.DataFrame:
    frame = read_intervals(entry.path).frame
    number = pl.int_range(1, pl.len() + 1).cast(pl.String)
    prefix = f"{entry.split}-{entry.label}" if entry.split else entry.label
    return frame.select(
        id=pl.format("{}-{}", pl.lit(prefix), number),
        label=pl.lit(label, pl.Int8),
        chrom="chrom",
        start="start",
        end="end",
        strand="strand",
        name="name",
        split=pl.lit(entry.split),
    )
