"""Builder ``promoters``: windows at transcription start sites, against random ones elsewhere.

Source: rules of PromFix and PromVary in the six-task benchmark. Where the code of its authors
differs from their text, the text is the default here and the code an option.

Shapes: ``n`` windows.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64
from numpy import ndarray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.alphabet import N
from attendna.genome.contigs import ContigNames, numbered
from attendna.genome.intervals import read_intervals
from attendna.genome.reference import Reference, Windows, open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.builders.builder import BuilderConfig, Built, fetch, sources
from attendna.tasks.peak_bins import CONTIG_BITS, union
from attendna.tasks.spec import SPLITS, SplitName, TaskSpec
from attendna.tasks.splits import FRACTIONS, group_by_sequence, split_groups
from attendna.tasks.store import write_task

_ROUNDS = 200
"""Draws after which a genome is taken to have no room for random windows."""


class PromotersConfig(BuilderConfig):
    """Windows at transcription start sites, against random ones elsewhere in the genome."""

    name: Literal["promoters"] = "promoters"
    tss: Path = Field(
        description="Start sites: BED as EPDnew gives it, its first base the TSS, or GTF."
    )
    genome: Path = Field(description="FASTA or .2bit.")
    form: Literal["fixed", "variable"] = Field(
        default="fixed",
        description="PromFix, or PromVary: a longer window moved at random about the same bases.",
    )
    upstream: int = Field(default=250, ge=0, description="Bases before the TSS.")
    downstream: int = Field(default=50, ge=1, description="Bases from the TSS on, with it.")
    window: int = Field(default=500, gt=0, description="Bases of a variable window.")
    placing: Literal["stranded", "strand_blind"] = Field(
        default="stranded",
        description="Upstream is before the TSS on its own strand; strand_blind places all windows "
        "as on the forward strand, as the code of the six-task benchmark does.",
    )
    negatives_per_positive: int = Field(
        default=1, ge=1, description="Random windows a promoter; the benchmark's code draws 3."
    )
    seed: int = Field(default=0, ge=0, description="Seed of what is drawn, and of the splits.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the start sites.")
    citation: str = Field(default="", description="Whom to cite for the start sites.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:  # noqa: ARG002
        """Place windows at the start sites, draw others, and split by locus; see the base class."""
        refuse_existing(out, force=force)
        if self.form == "variable" and self.window < self.upstream + self.downstream:
            raise ConfigError(
                f"--window {self.window} is shorter than {self.upstream} + {self.downstream} bases",
                "make it longer",
            )
        generator = np.random.default_rng(self.seed)
        reference = open_reference(self.genome)
        read = read_intervals(self.tss).frame
        if (read["strand"] == ".").any():
            row = int((read["strand"] == ".").to_numpy().argmax()) + 1
            raise DataError(self.tss, "the strand is missing", "write + or -", row=row)
        sites = self._placed(read, generator)
        found = fetch(reference, sites, what="start sites", allow_partial=self.allow_partial)
        positives = sites[found.rows].with_columns(label=pl.lit(1, pl.Int8))
        count = positives.height * self.negatives_per_positive
        # Whether or not the genome holds it, no start site may be called a negative.
        avoid = sites.select("chrom", start="first", end="last")
        drawn, others = draw_windows(reference, self._length, count, avoid, generator)
        negatives = drawn.with_columns(
            name=pl.lit(None, pl.String), first="start", last="end", label=pl.lit(0, pl.Int8)
        ).select(positives.columns)
        sequences = [*found.sequences.to_series(), *others.to_series()]
        rows = pl.concat([positives, negatives]).with_columns(
            pl.Series("sequence", sequences, dtype=pl.String)
        )
        split = split_groups(
            self._groups(rows, reference), rows["label"].to_numpy(), FRACTIONS, self.seed
        )
        place = pl.format("{}:{}-{}({})", "chrom", "start", "end", "strand")
        kind = pl.when(pl.col("label") == 1).then(pl.lit("tss")).otherwise(pl.lit("random"))
        number = pl.int_range(1, pl.len() + 1)
        rows = rows.select(
            pl.format("{}-{}-{}", kind, number, place).alias("id"), pl.exclude("first", "last")
        )
        counts = {
            "start sites": sites.height,
            "start sites not in the genome": found.missing,
            "start sites near the end of a contig": found.dropped,
            "random windows": count,
        }
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(self.tss, self.genome),
            window=self._length,
            label_kind="binary",
            classes=("random", "promoter"),
            negatives=f"{self.negatives_per_positive} random window(s) of the genome a promoter, "
            "without N, and away from all start sites",
            splits="random by locus: windows that overlap, start sites closer than a window and "
            f"equal sequences on either strand stay together; seed {self.seed}",
            metric="auroc",
            licence=self.licence,
            citation=self.citation,
            notes=(f"{self.form} windows, {self.placing}",),
        )
        frames: dict[SplitName, pl.DataFrame] = {
            name: part for name in SPLITS if (part := rows.filter(np.equal(split, name))).height
        }
        task = write_task(
            out,
            spec,
            frames,
            force=force,
            complete=lambda folder: self.record(folder, counts),
        )
        return Built(task, counts)

    @property
    def _length(self) -> int:
        return self.upstream + self.downstream if self.form == "fixed" else self.window

    def _placed(self, sites: pl.DataFrame, generator: np.random.Generator) -> pl.DataFrame:
        """The window of each start site, and ``first`` to ``last``: all that it could have been."""
        core = self.upstream + self.downstream
        room = self._length - core
        moved = generator.integers(0, room + 1, size=sites.height) if room else 0
        before = self.upstream + pl.Series("moved", np.zeros(sites.height, np.int64) + moved)
        most, tss = self.upstream + room, pl.col("start")
        forward = (pl.col("strand") == "+") | (self.placing == "strand_blind")
        # On the other strand the base after the TSS is the one before it.
        start = pl.when(forward).then(tss - before).otherwise(tss + 1 + before - self._length)
        first = pl.when(forward).then(tss - most).otherwise(tss + 1 - self.downstream - room)
        return sites.select(
            "chrom",
            "strand",
            "name",
            start=start,
            end=start + self._length,
            first=pl.min_horizontal(first, tss - self._length // 2),
            last=pl.max_horizontal(first + core + 2 * room, tss + (self._length + 1) // 2),
        )

    def _groups(self, rows: pl.DataFrame, reference: Reference) -> Int64[ndarray, " n"]:
        """Rows that must share a split: of one locus, or of one sequence on either strand."""
        start, end = _places(rows.select("chrom", start="first", end="last"), reference)
        locus = np.searchsorted(union(start, end)[0], start, side="right")
        sequence = group_by_sequence(SequenceBatch.from_text(rows["sequence"]))
        size = int(max(locus.max(), sequence.max())) + 1
        pairs = coo_array((np.ones(locus.size), (locus, size + sequence)), shape=(2 * size,) * 2)
        component = connected_components(pairs, directed=False)[1]
        return component[locus].astype(np.int64)


def draw_windows(
    reference: Reference,
    length: int,
    count: int,
    avoid: pl.DataFrame,
    generator: np.random.Generator,
) -> tuple[pl.DataFrame, SequenceBatch]:
    """Windows at random places and strands that hold no N and touch nothing of ``avoid``.

    Returns
    -------
    Columns ``chrom, start, end, strand`` of the windows, all different, and their sequences.

    Raises
    ------
    DataError
        The genome has not enough room for so many.
    """
    held = reference.held
    starts, rooms = held["start"].to_numpy(), (held["end"] - held["start"]).to_numpy() - length + 1
    bounds = np.cumsum(np.maximum(rooms, 0))
    parts: list[pl.DataFrame] = []
    sequences: list[SequenceBatch] = []
    seen: set[int] = set()
    wanted = union(*_places(avoid, reference))
    for _ in range(_ROUNDS if bounds[-1] else 0):
        if len(seen) == count:
            break
        drawn = generator.integers(0, bounds[-1], size=max(64, 2 * (count - len(seen))))
        piece = np.searchsorted(bounds, drawn, side="right")
        start = starts[piece] + drawn - (bounds - np.maximum(rooms, 0))[piece]
        frame = pl.DataFrame(
            {
                "chrom": held["chrom"].gather(piece),
                "start": start,
                "end": start + length,
                "strand": np.where(generator.random(start.size) < 0.5, "+", "-").tolist(),
            }
        )
        windows = reference.windows(frame)
        free = ~_touched(_places(frame, reference), wanted) & _known(windows, length)
        fresh = [
            row
            for row in np.flatnonzero(free).tolist()
            if len(seen) < count and int(drawn[row]) not in seen and not seen.add(int(drawn[row]))
        ]
        parts.append(frame[fresh])
        sequences.append(windows.sequences.take(np.array(fresh, dtype=np.int64)))
    if len(seen) < count:
        raise DataError(
            reference.path,
            f"there is room for {len(seen):,} of {count:,} random windows of {length} bases",
            "give the whole genome, or ask for fewer negatives",
        )
    codes = np.concatenate([batch.codes for batch in sequences])
    offsets = np.arange(count + 1, dtype=np.int64) * length
    return pl.concat(parts), SequenceBatch(codes, offsets)


def _known(windows: Windows, length: int) -> Bool[ndarray, " n"]:
    return ~(windows.sequences.codes.reshape(-1, length) == N).any(axis=1)


def _touched(
    windows: tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]],
    stretches: tuple[Int64[ndarray, " m"], Int64[ndarray, " m"]],
) -> Bool[ndarray, " n"]:
    """Whether a window shares a base with one of the stretches, which lie in order."""
    (start, end), (first, last) = windows, stretches
    # The stretches before it that have ended, and those that have begun before it ends.
    return np.searchsorted(first, end, side="left") > np.searchsorted(last, start, side="right")


def _places(
    frame: pl.DataFrame, reference: Reference
) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    """Starts and ends as one number each; contigs that the genome lacks stand beyond all others."""
    names = ContigNames(reference.contigs)
    absent = len(reference.contigs)
    contig = numbered(frame["chrom"].to_arrow(), names.number, null=-1)
    base = np.where(contig < 0, absent, contig) << CONTIG_BITS
    # A window may begin before its contig; that is no part of the contig before.
    return base + np.maximum(frame["start"].to_numpy(), 0), base + frame["end"].to_numpy()
