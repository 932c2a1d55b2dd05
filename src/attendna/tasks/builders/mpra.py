"""Builder ``mpra``: the effect of every substitution in promoters and enhancers.

Source: rules of ``MPRAProm`` in the six-task benchmark: ten promoters of Kircher et al. (Nature
Communications 10, 2019, 3583), substitutions only, 1,400 bases about the middle of what was
measured, and 60, 20 and 20 % of the positions at random. That split can be solved without a base:
see the rule of positions in ``data audit``, and leave whole elements out.

Shapes: ``n`` variants.
"""

from pathlib import Path
from typing import Literal

import polars as pl
from jaxtyping import Shaped
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Names, Seed
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.loci import merge_loci
from attendna.genome.reference import EdgePolicy, Reference, open_reference
from attendna.tasks.alleles import check_file, exchanged
from attendna.tasks.builders.builder import BuilderConfig, Built, sources
from attendna.tasks.builders.cut import cut
from attendna.tasks.mutagenesis_splits import Way, by_element, by_position, by_run
from attendna.tasks.mutagenesis_table import elements_of, read_mutagenesis
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import dealt, three_shares
from attendna.tasks.store import write_task

PROMOTERS = ("F9", "FOXE1", "GP1BA", "HBB", "HBG1", "HNF4A", "LDLR", "MSMB", "PKLR", "TERT")
"""The promoters of the benchmark; an element may be one of several experiments, as LDLR.2 is."""

ALL = "all"
WINDOW = 1_400

_EXPERIMENT = r"[-.].*$"


class MpraConfig(BuilderConfig):
    """The effect of every substitution in some elements, with and without it."""

    name: Literal["mpra"] = "mpra"
    variants: Path = Field(
        description="Table of saturation mutagenesis with the columns Chrom, Pos (from 1), Ref, "
        "Alt, Coefficient, and Element and Release where there are several."
    )
    genome: Path | None = Field(
        default=None,
        description="FASTA or .2bit. Without one a sequence is what was measured, as the table "
        "spells it.",
    )
    release: str = Field(default="GRCh38", description="Rows of this release of the genome.")
    elements: Names = Field(
        default=PROMOTERS,
        min_length=1,
        description="Elements, or genes with all their experiments; all takes every element.",
    )
    deletions: bool = Field(default=False, description="Take deletions of one base, too.")
    min_barcodes: int = Field(
        default=0, ge=0, description="Leave out variants that fewer barcodes carry."
    )
    window: int | None = Field(
        default=None,
        gt=0,
        description=f"Bases about the middle of an element, {WINDOW} if a genome is given.",
    )
    around: int | None = Field(
        default=None,
        ge=0,
        description="Bases to each side of a variant that a row has; the whole element if not "
        "given.",
    )
    edge: EdgePolicy = Field(
        default="error",
        description="Windows that reach over the end of a contig: fill up with N, leave out, or "
        "refuse.",
    )
    mismatch: Literal["error", "drop"] = Field(
        default="error",
        description="Variants whose reference is not the genome's: refuse, or leave out.",
    )
    split: Way = Field(
        default="random",
        description="Positions at random, a run of positions a split, or whole elements.",
    )
    fold: int = Field(
        default=0,
        ge=0,
        description="With leave-one-element-out: the number of the element to test on; elements "
        "that overlap count as one. The next one is validated on.",
    )
    test_elements: Names = Field(
        default=(), description="With leave-one-element-out: test on these instead."
    )
    valid_fraction: float = Field(default=0.2, gt=0, lt=1, description="Share to validate on.")
    test_fraction: float = Field(default=0.2, gt=0, lt=1, description="Share to test on.")
    seed: Seed = Field(default=0, description="Seed of the splits.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the measurements.")
    citation: str = Field(default="", description="Whom to cite for the measurements.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Rebuild or fetch the elements and exchange a base a row; see the base class."""
        refuse_existing(out, TASK, force=force)
        self._check()
        read, counts = read_mutagenesis(self.variants, release=self.release)
        chosen = self._chosen(read)
        # A base that only a deletion tells is a base of the element, too.
        elements = elements_of(chosen)
        variants = chosen
        if not self.deletions:
            variants = variants.filter(pl.col("alt") != "-")
        counts["deletions left out"] = chosen.height - variants.height
        if self.min_barcodes:
            carried = variants.filter(pl.col("barcodes") >= self.min_barcodes)
            counts["variants of few barcodes"] = variants.height - carried.height
            variants = carried
        if self.genome is None:
            build = self.build_name or self.release
            counts["bases that no row spells"] = int(elements["unknown"].sum())
        else:
            reference = open_reference(self.genome)
            build = self.name_build(reference) or self.release
            elements, variants = self._on_genome(reference, elements, variants, counts, execution)
        rows = self._rows(elements, variants)
        if not rows.height:
            raise DataError(self.variants, "no variant is left", "ask for fewer barcodes")
        split, told = self._dealt(rows)
        counts |= {"variants": rows.height, "elements": elements.height}
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=build,
            sources=sources(self.variants, *([self.genome] if self.genome else [])),
            label_kind="regression",
            classes=("effect",),
            paired=True,
            splits=told,
            metric="spearman",
            licence=self.licence,
            citation=self.citation,
            notes=(
                "log2 of the effect; sequence has the reference, alternative the other allele",
                "both sequences are on the forward strand",
                "position is 0-based",
            ),
        )
        task = write_task(
            out,
            spec,
            dealt(rows, split),
            force=force,
            complete=lambda folder: self.record(folder, counts),
        )
        return Built(task, counts)

    def _check(self) -> None:
        if self.window is not None and self.genome is None:
            raise ConfigError(
                f"--window {self.window}: the table has no bases beyond what was measured",
                "add --genome, or leave the window out",
            )
        three_shares(self.valid_fraction, self.test_fraction)
        if self.split != "leave-one-element-out" and (self.test_elements or self.fold):
            raise ConfigError(
                f"--test-elements and --fold say nothing of --split {self.split}",
                "add --split leave-one-element-out",
            )

    def _chosen(self, variants: pl.DataFrame) -> pl.DataFrame:
        if self.elements == (ALL,):
            return variants
        gene = pl.col("element").str.replace(_EXPERIMENT, "")
        there = variants.select("element", gene=gene).unique()
        known = {*there["element"], *there["gene"]}
        missing = [name for name in self.elements if name not in known]
        if missing:
            raise DataError(
                self.variants,
                f"there is no element {missing[0]} among {', '.join(sorted(there['element']))}",
                "choose by --elements NAME, or --elements all",
            )
        return variants.filter(pl.col("element").is_in(self.elements) | gene.is_in(self.elements))

    def _on_genome(
        self,
        reference: Reference,
        elements: pl.DataFrame,
        variants: pl.DataFrame,
        counts: dict[str, int],
        execution: Execution,
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Windows of the genome about the elements, and variants that it agrees with."""
        window = self.window or WINDOW
        longest = elements.sort((pl.col("end") - pl.col("start")), descending=True).row(
            0, named=True
        )
        if longest["end"] - longest["start"] > window:
            raise ConfigError(
                f"--window {window} is shorter than {longest['element']}, which has "
                f"{longest['end'] - longest['start']} bases",
                "make it longer",
            )
        start = (pl.col("start") + pl.col("end")) // 2 - window // 2
        placed = reference.named(elements).with_columns(start=start, end=start + window)
        windows = cut(reference, placed, execution, edge=self.edge)
        self.refuse_partial(
            reference,
            elements.height,
            windows.missing,
            what="elements",
            beyond=windows.beyond,
        )
        counts["elements not in the genome"] = windows.missing
        counts["elements near the end of a contig"] = windows.dropped + windows.padded
        kept = placed[windows.rows].with_columns(
            sequence=windows.sequences.to_series(), unknown=pl.lit(0, pl.Int64)
        )
        held = variants.join(
            kept.select("element"), on="element", how="semi", maintain_order="left"
        )
        asked = held.with_columns(start=pl.col("position"), alt=pl.col("alt").replace("-", "N"))
        checked = check_file(self.variants, asked, reference, self.mismatch)
        for name in ("swapped", "mismatch"):
            counts[f"variants of which the genome has {_SAID[name]}"] = checked.counts[name]
        good = checked.frame.select("line")
        return kept, held.join(good, on="line", how="semi", maintain_order="left")

    def _rows(self, elements: pl.DataFrame, variants: pl.DataFrame) -> pl.DataFrame:
        """A row a variant, with both sequences."""
        places = elements.with_columns(locus=merge_loci(elements)).drop("unknown")
        alt = pl.col("alt").replace("-", "")
        at = pl.col("position") - pl.col("start")
        joined = variants.drop("chrom", "line").join(
            places, on="element", how="inner", maintain_order="left"
        )
        if self.around is not None:
            joined = _near(joined, at, self.around)
        return joined.select(
            pl.format("{}:{}:{}>{}", "element", pl.col("position") + 1, "ref", "alt").alias("id"),
            "sequence",
            exchanged(pl.col("sequence"), at, pl.col("ref"), alt).alias("alternative"),
            pl.concat_list(pl.col("effect").cast(pl.Float32)).alias("label"),
            "chrom",
            "start",
            "end",
            pl.lit("+").alias("strand"),
            "element",
            "position",
            "ref",
            "alt",
            "barcodes",
            "locus",
        )

    def _dealt(self, rows: pl.DataFrame) -> tuple[Shaped[ndarray, " n"], str]:
        """The split of each row, and the rule in words."""
        fractions = three_shares(self.valid_fraction, self.test_fraction)
        shares = ", ".join(f"{name} {share:.3g}" for name, share in fractions.items())
        if self.split == "random":
            told = f"positions at random, {shares}, seed {self.seed}"
            return by_position(rows, fractions, self.seed), told
        if self.split == "contiguous":
            told = f"a run of positions a split at every locus, {shares}, seed {self.seed}"
            return by_run(rows, fractions, self.seed), told
        said, tested = by_element(rows, self.test_elements, self.fold)
        return said, f"whole elements; tested on {', '.join(tested)}, which overlap no others"


def _near(rows: pl.DataFrame, at: pl.Expr, around: int) -> pl.DataFrame:
    """Rows of which the sequence has no more than so many bases to each side of the variant."""
    first = (at - around).clip(lower_bound=0)
    last = at + pl.col("ref").str.len_bytes() + around
    near = pl.col("sequence").str.slice(first, last - first)
    return rows.with_columns(sequence=near, start=pl.col("start") + first).with_columns(
        end=pl.col("start") + pl.col("sequence").str.len_bytes()
    )


_SAID = {"swapped": "the alternative", "mismatch": "another base"}
