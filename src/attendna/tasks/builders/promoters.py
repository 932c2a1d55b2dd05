"""Builder ``promoters``: windows at transcription start sites, against random ones elsewhere.

Source: rules of PromFix and PromVary in the six-task benchmark. Where the code of its authors
differs from their text, the text is the default here and the code an option.

Shapes: ``n`` windows.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from attendna.core.config import Seed
from attendna.core.errors import ConfigError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.loci import merge_loci
from attendna.genome.reference import Reference, open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.genome.start_sites import SITE, Site, read_start_sites
from attendna.tasks.builders.builder import BuilderConfig, Built, sources
from attendna.tasks.negatives.windows import draw_windows
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import FRACTIONS, dealt, group_by_sequence, split_groups
from attendna.tasks.store import write_task


class PromotersConfig(BuilderConfig):
    """Windows at transcription start sites, against random ones elsewhere in the genome."""

    name: Literal["promoters"] = "promoters"
    tss: Path = Field(
        description="Start sites: BED, as EPDnew gives it, GTF, GFF3 or a table with a column TSS."
    )
    site: Site | None = Field(default=None, description=SITE)
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
    seed: Seed = Field(default=0, description="Seed of what is drawn, and of the splits.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the start sites.")
    citation: str = Field(default="", description="Whom to cite for the start sites.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Place windows at the start sites, draw others, and split by locus; see the base class."""
        refuse_existing(out, TASK, force=force)
        if self.form == "variable" and self.window < self.upstream + self.downstream:
            raise ConfigError(
                f"--window {self.window} is shorter than {self.upstream} + {self.downstream} bases",
                "make it longer",
            )
        generator = np.random.default_rng(self.seed)
        reference = open_reference(self.genome)
        read = reference.named(read_start_sites(self.tss, site=self.site))
        sites = self._placed(read, generator)
        found = self.fetch(
            reference,
            sites,
            execution=execution,
            what="start sites",
        )
        positives = sites[found.rows].with_columns(label=pl.lit(1, pl.Int8))
        count = positives.height * self.negatives_per_positive
        # Whether or not the genome holds it, no start site may be called a negative.
        avoid = sites.select("chrom", start="first", end="last")
        drawn = draw_windows(reference, np.full(count, self._length), avoid, generator)
        negatives = drawn.frame.with_columns(
            name=pl.lit(None, pl.String), first="start", last="end", label=pl.lit(0, pl.Int8)
        ).select(positives.columns)
        sequences = [*found.sequences.to_series(), *drawn.sequences.to_series()]
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
        task = write_task(
            out,
            spec,
            dealt(rows, split),
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
        reach = reference.named(rows.select("chrom", start="first", end="last"))
        locus = merge_loci(reach)
        sequence = group_by_sequence(SequenceBatch.from_text(rows["sequence"]))
        size = int(max(locus.max(), sequence.max())) + 1
        pairs = coo_array((np.ones(locus.size), (locus, size + sequence)), shape=(2 * size,) * 2)
        component = connected_components(pairs, directed=False)[1]
        return component[locus].astype(np.int64)
