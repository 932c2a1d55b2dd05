"""Builder ``peaks``: one set of intervals against negatives that are made for it.

Shapes: ``n`` rows.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from attendna.core.errors import DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.composition import count_unknown
from attendna.genome.intervals import centered, read_intervals
from attendna.genome.reference import Reference, open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.genome.soft_mask import soft_masked
from attendna.tasks.audit.rows import Rows
from attendna.tasks.builders.builder import BuilderConfig, Built, sources
from attendna.tasks.negatives.shuffle import shuffle_dinucleotides
from attendna.tasks.negatives.windows import Likeness, draw_windows
from attendna.tasks.resplit import frames_of
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.split_rule import SplitRule, deal
from attendna.tasks.store import write_task

_PLACE = ("chrom", "start", "end", "strand")

TOLD = {
    "matched": "windows of the genome with the length and GC content of a positive each",
    "random": "windows of the genome with the length of a positive each",
    "shuffled": "positives shuffled with their dinucleotides kept",
}


class PeaksConfig(BuilderConfig, SplitRule):
    """One set of intervals against negatives that are made for it."""

    name: Literal["peaks"] = "peaks"
    peaks: Path = Field(description="The positives: BED, narrowPeak, broadPeak, CSV or GTF.")
    genome: Path = Field(description="FASTA or .2bit.")
    width: int | None = Field(
        default=None, gt=0, description="Bases around each summit or middle; as given otherwise."
    )
    negatives: Literal["matched", "random", "shuffled"] = Field(
        default="matched",
        description="Windows of the genome as long and as rich in GC as the positives, windows "
        "only as long, or the positives shuffled with their dinucleotides kept.",
    )
    negatives_per_positive: int = Field(default=1, ge=1, description="How many of them.")
    gc_tolerance: float = Field(
        default=0.02, gt=0, le=1, description="Difference of GC shares that is still a match."
    )
    match_repeats: bool = Field(
        default=False, description="Match the share of soft-masked bases, too."
    )
    exclude: tuple[Path, ...] = Field(
        default=(), description="Intervals no negative may touch: a blacklist, weaker peaks."
    )
    distance: int = Field(
        default=0, ge=0, description="Bases between a negative and the nearest positive, at least."
    )
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the intervals.")
    citation: str = Field(default="", description="Whom to cite for the intervals.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Fetch the positives, make negatives, and split; see the base class."""
        refuse_existing(out, TASK, force=force)
        self.check(placed=True)
        reference = open_reference(self.genome)
        read = read_intervals(self.peaks)
        peaks = reference.named(read.frame)
        if self.width is not None:
            peaks = centered(peaks, self.width)
        distinct = peaks.unique(["chrom", "start", "end"], keep="first", maintain_order=True)
        found = self.fetch(
            reference,
            distinct,
            execution=execution,
            what="intervals",
        )
        known = count_unknown(found.sequences) == 0
        positives = _Part(
            distinct[found.rows].filter(known).select(_PLACE),
            found.sequences.take(np.flatnonzero(known)),
        )
        if not len(positives.sequences):
            raise DataError(self.peaks, "no interval without N is left", "check the build")
        made, unlike = self._negatives(reference, positives, distinct)
        rows = _rows(out.name, positives, made)
        dealt = deal(rows, self)
        counts = {
            "intervals": peaks.height,
            "given twice": peaks.height - distinct.height,
            # The middle of the peak is taken in their place.
            "summits outside of their peak": 0 if self.width is None else read.lost_summits,
            "not in the genome": found.missing,
            "over the end of a contig": found.dropped,
            "with N": int((~known).sum()),
            "negatives": len(made.sequences),
            "negatives that no window matched": unlike,
            "left out for a twin in a later split": dealt.left_out,
        }
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(self.peaks, self.genome, *self.exclude),
            window=self.width,
            label_kind="binary",
            classes=("background", "peak"),
            negatives=self._told,
            splits=dealt.describe(self),
            licence=self.licence,
            citation=self.citation,
        )
        task = write_task(
            out,
            spec,
            frames_of(rows, dealt),
            force=force,
            complete=lambda folder: self.record(folder, counts),
        )
        return Built(task, counts)

    @property
    def _told(self) -> str:
        told = f"{self.negatives_per_positive} for each positive: {TOLD[self.negatives]}"
        if self.negatives == "shuffled":
            return told
        if self.negatives == "matched" and self.match_repeats:
            told += " and its share of repeats"
        avoided = ", ".join(["the positives", *(path.name for path in self.exclude)])
        near = f" by {self.distance:,} bases" if self.distance else ""
        return f"{told}, without N, away from {avoided}{near}"

    def _negatives(
        self, reference: Reference, positives: "_Part", peaks: pl.DataFrame
    ) -> tuple["_Part", int]:
        """Negatives of all positives, and how many of them are no match."""
        generator = np.random.default_rng(self.seed)
        again = np.repeat(np.arange(positives.frame.height), self.negatives_per_positive)
        frame, sequences = positives.frame[again], positives.sequences.take(again)
        if self.negatives == "shuffled":
            return _Part(frame, shuffle_dinucleotides(sequences, generator)), 0
        like = None
        if self.negatives == "matched":
            masked = self._repeats() if self.match_repeats else None
            own = reference.named(frame)
            like = Likeness.of(own, sequences, masked, tolerance=self.gc_tolerance)
        # Whether or not the genome holds it, no positive may be called a negative.
        avoid = peaks.select(
            "chrom", start=pl.col("start") - self.distance, end=pl.col("end") + self.distance
        )
        others = [read_intervals(path).frame.select(_PLACE[:3]) for path in self.exclude]
        drawn = draw_windows(
            reference, sequences.lengths, pl.concat([avoid, *others]), generator, like
        )
        return _Part(drawn.frame, drawn.sequences), drawn.unlike

    def _repeats(self) -> pl.DataFrame:
        masked = soft_masked(self.genome)
        if not masked.height:
            raise DataError(
                self.genome,
                "no base is in lower case: it does not mark repeats",
                "give a soft-masked genome, or leave out --match-repeats",
            )
        return masked


@dataclass(frozen=True, eq=False)
class _Part:
    frame: pl.DataFrame
    sequences: SequenceBatch


def _rows(name: str, positives: _Part, negatives: _Part) -> Rows:
    """Positives and then negatives, with ids that say what and where they are."""
    parts = [
        part.frame.select(
            pl.format(
                "{}-{}-{}:{}-{}({})",
                pl.lit(what),
                pl.int_range(1, pl.len() + 1),
                *_PLACE,
            ).alias("id"),
            pl.lit(label, pl.Int8).alias("label"),
            *_PLACE,
        )
        for what, label, part in (("peak", 1, positives), ("background", 0, negatives))
    ]
    sequences = SequenceBatch.joined([positives.sequences, negatives.sequences])
    return Rows(name, ("background", "peak"), pl.concat(parts), sequences)
