"""Builder ``causal_snp``: variants that fine-mapping holds to change expression, against others.

Source: rules of ``CausalSNP`` in the six-task benchmark: GTEx variants that DAP-G gives a posterior
inclusion probability above 0.9, and of each tissue twice as many below 0.01. The benchmark's code
takes 0.5 for both: ``--positive-above 0.5 --negative-below 0.5``.

Shapes: ``n`` rows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Int64
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Names, Seed
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.core.registry import near_misses
from attendna.genome.alleles import MismatchPolicy
from attendna.genome.loci import merge_loci
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.reference import EdgePolicy, Reference, open_reference
from attendna.genome.start_sites import SITE, Site
from attendna.genome.variants import read_variants
from attendna.tasks.alleles import check_file, exchanged
from attendna.tasks.builders.builder import BuilderConfig, Built, sources
from attendna.tasks.builders.cut import cut
from attendna.tasks.gene_sites import read_gene_sites, without_version
from attendna.tasks.negatives.distance import match_distance
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import dealt, split_groups, three_shares
from attendna.tasks.store import write_task

COLUMNS = ("tissue_id", "gene_id", "variant_pip")
_VARIANT = ("chrom", "start", "ref", "alt")


class CausalSnpConfig(BuilderConfig):
    """Variants that likely change expression in a tissue, against unlikely ones."""

    name: Literal["causal_snp"] = "causal_snp"
    variants: Path = Field(
        description="DAP-G's table: tissue_id, gene_id, variant_id as chr1_14677_G_A_b38, "
        "variant_pip."
    )
    genome: Path = Field(description="FASTA or .2bit.")
    tissues: Names = Field(
        default=(),
        description="Take the variants of these; none for all. What is causal in one tissue need "
        "not be in another: a task a tissue, as in the benchmark, is learned each on its own.",
    )
    window: int = Field(default=1_000, gt=0, description="Bases, the variant in the middle.")
    positive_above: float = Field(
        default=0.9, ge=0, lt=1, description="Probability above which a variant is causal."
    )
    negative_below: float = Field(
        default=0.01, gt=0, le=1, description="Probability below which it is spurious."
    )
    negatives_per_positive: int = Field(
        default=2, ge=1, description="Spurious variants a causal one, tissue by tissue."
    )
    negatives: Literal["random", "distance-matched"] = Field(
        default="random",
        description="Drawn at random, or as far from the start of their gene as the causal ones.",
    )
    tss: Path | None = Field(
        default=None,
        description="For distances: GTF, BED or a table of start sites that names the genes.",
    )
    site: Site | None = Field(default=None, description=SITE)
    mismatch: MismatchPolicy = Field(
        default="error",
        description="Variants whose reference is not the genome's: refuse, leave out, keep, or "
        "exchange the alleles where that helps.",
    )
    edge: EdgePolicy = Field(
        default="drop",
        description="Windows that reach over the end of a contig: fill up with N, leave out, or "
        "refuse.",
    )
    split_by: Literal["locus", "variant"] = Field(
        default="locus",
        description="What stays in one split: variants whose windows overlap, or only equal ones.",
    )
    valid_fraction: float = Field(default=0.1, gt=0, lt=1, description="Share to validate on.")
    test_fraction: float = Field(default=0.2, gt=0, lt=1, description="Share to test on.")
    seed: Seed = Field(default=0, description="Seed of what is drawn, and of the splits.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the variants.")
    citation: str = Field(default="", description="Whom to cite for the variants.")

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Choose variants tissue by tissue and fetch both alleles of each; see the base class."""
        refuse_existing(out, TASK, force=force)
        self._check()
        reference = open_reference(self.genome)
        read = self._of_wanted(reference.named(_read(self.variants)))
        best, counts = self._labelled(read)
        held = self._held(reference, best, counts, execution)
        rows = self._chosen(held, counts)
        frame = self._windows(reference, rows, execution)
        groups = self._groups(frame)
        shares = three_shares(self.valid_fraction, self.test_fraction)
        split = split_groups(groups, frame["label"].to_numpy().astype(np.int64), shares, self.seed)
        kept = "whose windows overlap" if self.split_by == "locus" else "that are the same"
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(self.variants, *([self.tss] if self.tss else []), self.genome),
            window=self.window,
            label_kind="binary",
            classes=("spurious", "causal"),
            paired=True,
            negatives=f"{self.negatives_per_positive} of probability < {self.negative_below:g} a "
            f"causal variant of the tissue, {self.negatives}",
            splits=f"random, variants {kept} stay together; "
            + ", ".join(f"{name} {share:.3g}" for name, share in shares.items())
            + f", seed {self.seed}",
            metric="auroc",
            licence=self.licence,
            citation=self.citation,
            notes=(
                f"causal: probability > {self.positive_above:g} for any gene in the tissue",
                f"the variant is base {self.window // 2 + 1}, on the forward strand",
                "sequence has the reference, alternative the other allele",
            ),
        )
        task = write_task(
            out,
            spec,
            dealt(frame, split),
            force=force,
            complete=lambda folder: self.record(folder, counts),
        )
        return Built(task, counts)

    def _check(self) -> None:
        if self.negative_below > self.positive_above:
            raise ConfigError(
                f"--negative-below {self.negative_below} is above --positive-above "
                f"{self.positive_above}",
                "a variant would be both",
            )
        three_shares(self.valid_fraction, self.test_fraction)
        if (self.negatives == "distance-matched") != (self.tss is not None):
            raise ConfigError(
                "distances are from start sites of genes",
                "give both --negatives distance-matched and --tss, or neither",
            )

    def _of_wanted(self, read: pl.DataFrame) -> pl.DataFrame:
        """The rows of the tissues that are asked for."""
        known = read["tissue"].unique().sort().to_list()
        for tissue in self.tissues:
            if tissue not in known:
                raise DataError(
                    self.variants, f"there is no tissue {tissue}", near_misses(tissue, known)
                )
        return read.filter(pl.col("tissue").is_in(self.tissues)) if self.tissues else read

    def _labelled(self, read: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
        """Substitutions, each once a tissue with its highest probability, that are either class."""
        single = read.filter(
            (pl.col("ref").str.len_bytes() == 1) & (pl.col("alt").str.len_bytes() == 1)
        )
        best = single.sort("pip", descending=True, maintain_order=True).unique(
            ["tissue", *_VARIANT], keep="first", maintain_order=True
        )
        label = (
            pl.when(pl.col("pip") > self.positive_above)
            .then(1)
            .when(pl.col("pip") < self.negative_below)
            .then(0)
        )
        sure = best.with_columns(label=label.cast(pl.Int8)).drop_nulls("label").sort("line")
        counts = {
            "rows": read.height,
            "insertions and deletions left out": read.height - single.height,
            "further genes of a variant in a tissue": single.height - best.height,
            "variants of neither class": best.height - sure.height,
        }
        if not (sure["label"] == 1).any():
            raise DataError(
                self.variants,
                f"no variant has a probability above {self.positive_above:g}",
                "lower --positive-above",
            )
        return sure, counts

    def _held(
        self,
        reference: Reference,
        variants: pl.DataFrame,
        counts: dict[str, int],
        execution: Execution,
    ) -> pl.DataFrame:
        """Variants whose windows the genome holds and whose reference it agrees with."""
        windows = cut(reference, self._placed(variants), execution, edge=self.edge)
        self.refuse_partial(
            reference,
            variants.height,
            windows.missing,
            what="variants",
            beyond=windows.beyond,
        )
        counts["variants not in the genome"] = windows.missing
        counts["variants near the end of a contig, left out"] = windows.dropped
        checked = check_file(self.variants, variants[windows.rows], reference, self.mismatch)
        for status, count in checked.counts.items():
            counts[_SAID[status]] = count
        return checked.frame.drop("status")

    def _placed(self, variants: pl.DataFrame) -> pl.DataFrame:
        start = pl.col("start") - self.window // 2
        return variants.with_columns(at="start", start=start, end=start + self.window)

    def _chosen(self, variants: pl.DataFrame, counts: dict[str, int]) -> pl.DataFrame:
        """The causal variants of each tissue, and of the spurious ones as many as asked for."""
        if self.tss is not None:
            variants = _with_distance(variants, read_gene_sites(self.tss, site=self.site))
            known = variants.drop_nulls("distance")
            counts["variants of genes without a start site"] = variants.height - known.height
            variants = known
        parts = list(self._of_tissues(variants))
        wanted = sum(part[1] for part in parts)
        chosen = pl.concat([variants[:0], *(part[0] for part in parts)])
        counts["causal"] = int((chosen["label"] == 1).sum())
        counts["spurious"] = int((chosen["label"] == 0).sum())
        counts["spurious that there are too few of"] = wanted - counts["spurious"]
        for label, what in ((1, "causal"), (0, "spurious")):
            if not (chosen["label"] == label).any():
                raise DataError(
                    self.variants,
                    f"no {what} variant is left in any tissue",
                    "give more variants, or other thresholds",
                )
        return chosen

    def _of_tissues(self, variants: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, int]]:
        """Rows of each tissue that has causal variants, and how many spurious ones were wanted."""
        random = np.random.default_rng(self.seed)
        for tissue in variants["tissue"].unique(maintain_order=True):
            mine = variants.filter(pl.col("tissue") == tissue)
            causal, spurious = (mine.filter(pl.col("label") == label) for label in (1, 0))
            wanted = causal.height * self.negatives_per_positive
            if not causal.height:
                continue
            if self.negatives == "random":
                rows = random.permutation(spurious.height)[:wanted]
            else:
                turn = random.permutation(causal.height)
                rows = match_distance(
                    causal["distance"].to_numpy().astype(np.float64)[turn],
                    spurious["distance"].to_numpy().astype(np.float64),
                    self.negatives_per_positive,
                )
            yield pl.concat([causal, spurious[np.sort(rows)]]), wanted

    def _windows(
        self, reference: Reference, rows: pl.DataFrame, execution: Execution
    ) -> pl.DataFrame:
        """Both sequences of every row."""
        placed = self._placed(rows)
        windows = cut(reference, placed, execution, edge=self.edge)
        half = pl.lit(self.window // 2, pl.Int64)
        # The reference allele is set, too: the genome has another where it disagrees or is N.
        fetched = pl.col("fetched")
        one = pl.lit("N")
        return placed.with_columns(fetched=windows.sequences.to_series()).select(
            pl.format("{}:{}:{}:{}>{}", "tissue", "chrom", pl.col("at") + 1, "ref", "alt").alias(
                "id"
            ),
            exchanged(fetched, half, one, pl.col("ref")).alias("sequence"),
            exchanged(fetched, half, one, pl.col("alt")).alias("alternative"),
            "label",
            "chrom",
            "start",
            "end",
            pl.lit("+").alias("strand"),
            "tissue",
            "gene",
            pl.col("at").alias("position"),
            "ref",
            "alt",
            "pip",
            *(["distance"] if "distance" in placed.columns else []),
        )

    def _groups(self, frame: pl.DataFrame) -> Int64[ndarray, " n"]:
        if self.split_by == "locus":
            return merge_loci(frame)
        variant = pl.struct("chrom", "position").rank("dense").cast(pl.Int64)
        return frame.select(variant).to_series().to_numpy()


_SAID = {
    "match": "variants whose reference is the genome's",
    "swapped": "variants of which the genome has the alternative",
    "mismatch": "variants of which the genome has another base",
    "unchecked": "variants where the genome has N",
}


def _read(path: Path) -> pl.DataFrame:
    """Rows of the table: ``tissue, gene, pip`` and the variant."""
    read = read_variants(path, keep=COLUMNS)
    frame = read.frame.with_columns(
        tissue=pl.col("tissue_id"),
        gene=pl.col("gene_id"),
        pip=pl.col("variant_pip").cast(pl.Float64, strict=False),
    )
    rules = [
        Rule(pl.col("tissue").is_null(), pl.lit("the tissue_id is missing"), "fill it in"),
        Rule(
            pl.col("pip").is_null() | ~pl.col("pip").is_between(0, 1),
            pl.format(
                "the variant_pip '{}' is no probability", pl.col("variant_pip").fill_null("")
            ),
            "write a number from 0 to 1; are columns exchanged?",
        ),
    ]
    good, complaints = judge(frame, rules)
    if complaints.height:
        raise BadRowsError(path, complaints)
    return good.select(*_VARIANT, "id", "line", "tissue", "gene", "pip")


def _with_distance(variants: pl.DataFrame, genes: pl.DataFrame) -> pl.DataFrame:
    """The variants with their distance from the start of their gene, null where that is unknown."""
    sites = genes.select("gene", site="start")
    return (
        variants.with_columns(key=without_version(pl.col("gene")))
        .join(sites, left_on="key", right_on="gene", how="left", maintain_order="left")
        .with_columns(distance=(pl.col("start") - pl.col("site")).abs())
        .drop("key", "site")
    )
