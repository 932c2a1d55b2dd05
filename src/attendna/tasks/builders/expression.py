"""Builder ``expression``: what genes express in many tissues, from the bases around their start.

Source: rules of ``GeneExp`` in the six-task benchmark: 40,000 bases centered on the TSS, read along
the gene, the logarithm of RPKM and 0.0001, ribosomal genes left out, and whole chromosomes to
validate and test on.

Shapes: ``g`` genes, ``t`` tissues.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Names
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.reference import EdgePolicy, Reference, open_reference
from attendna.genome.start_sites import SITE, Site
from attendna.tasks.builders.builder import (
    BEYOND,
    BuilderConfig,
    Built,
    chromosomes_asked_for,
    sources,
)
from attendna.tasks.builders.cut import cut
from attendna.tasks.expression_matrix import logarithm, read_expression
from attendna.tasks.gene_sites import read_gene_sites
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import ChromosomeSplit, dealt
from attendna.tasks.store import TaskWriter, task_writer

_AT_ONCE = 20_000_000


class ExpressionConfig(BuilderConfig):
    """What genes express in many tissues, with the bases around their start."""

    name: Literal["expression"] = "expression"
    tss: Path = Field(
        description="Start sites: a table with the columns id, seqnames, strand and TSS (from 1), "
        "as ExPecto's; BED, as EPDnew's; GTF or GFF3."
    )
    site: Site | None = Field(default=None, description=SITE)
    expression: Path = Field(description="Matrix: a gene a row, a tissue a column, not logarithms.")
    genome: Path = Field(description="FASTA or .2bit.")
    tissues: Path | None = Field(
        default=None,
        description="Names of the matrix's columns, one a line, or a table with a column Tissue.",
    )
    tss_column: str | None = Field(
        default=None,
        description="Column of the table to take the start from, if not TSS: the CAGE peak, say.",
    )
    window: int = Field(default=40_000, gt=0, description="Bases, the TSS in the middle.")
    transform: Literal["log", "none"] = Field(
        default="log", description="Logarithm of the values and a little more, or as they are."
    )
    pseudocount: float = Field(
        default=1e-4, gt=0, description="What is added before the logarithm."
    )
    left_out_kinds: Names = Field(
        default=("rRNA",), description="Kinds of gene to leave out, where the table has them."
    )
    edge: EdgePolicy = Field(
        default="pad",
        description="Windows that reach over the end of a contig: fill up with N, leave out, or "
        "refuse.",
    )
    valid: Names = Field(default=("chrX", "chrY"), description="Chromosomes to validate on.")
    test: Names = Field(default=("chr8",), description="Chromosomes to test on.")
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the measurements.")
    citation: str = Field(default="", description="Whom to cite for the measurements.")

    @property
    def chromosome_split(self) -> ChromosomeSplit:
        """The split of each chromosome."""
        return ChromosomeSplit(self.valid, self.test)

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Join genes and expression, and fetch the windows; see the base class."""
        refuse_existing(out, TASK, force=force)
        chromosomes = self.chromosome_split
        matrix = read_expression(self.expression, tissues=self.tissues)
        values = (
            logarithm(self.expression, matrix, self.pseudocount)
            if self.transform == "log"
            else matrix.values
        )
        genes, counts = self._genes()
        rows = pl.DataFrame({"gene": matrix.genes, "row": np.arange(values.shape[0])})
        joined = genes.join(rows, on="gene", how="inner", maintain_order="left")
        if not joined.height:
            raise DataError(
                self.expression,
                f"it has none of the {genes.height:,} genes of {self.tss.name}",
                "give files that name genes alike",
            )
        counts["genes without expression"] = genes.height - joined.height
        reference = open_reference(self.genome)
        chromosomes_asked_for(self).require(reference.contigs)
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(
                self.tss,
                self.expression,
                *([self.tissues] if self.tissues else []),
                self.genome,
            ),
            window=self.window,
            label_kind="regression",
            classes=matrix.tissues,
            splits=chromosomes.rule,
            metric="spearman",
            licence=self.licence,
            citation=self.citation,
            notes=(
                f"natural logarithm of the value + {self.pseudocount:g}"
                if self.transform == "log"
                else "values as they were given",
                f"the TSS is base {self.window // 2 + 1} of every sequence, read along the gene",
            ),
        )
        with task_writer(out, spec, force=force) as writer:
            self._write(writer, reference, joined, values, counts=counts, execution=execution)
            self.refuse_partial(
                reference,
                joined.height,
                counts["genes not in the genome"],
                what="genes",
                beyond=counts.get(BEYOND, 0),
            )
            if not writer.rows:
                raise ConfigError(
                    f"--edge {self.edge}: no window of {self.window:,} bases is left",
                    "make it smaller, or choose another --edge",
                )
            for chrom in chromosomes_asked_for(self).require_splits(writer.chromosomes):
                counts[f"rows on {chrom}"] = 0
            self.record(writer.partial, counts)
        return Built(writer.task, counts)

    def _genes(self) -> tuple[pl.DataFrame, dict[str, int]]:
        """Genes of the kinds that are wanted."""
        genes = read_gene_sites(self.tss, site=self.site, column=self.tss_column)
        counts = {"genes": genes.height, "genes of kinds left out": 0}
        if "kind" in genes.columns:
            wanted = genes.filter(~pl.col("kind").is_in(self.left_out_kinds).fill_null(value=False))
            counts["genes of kinds left out"] = genes.height - wanted.height
            genes = wanted.drop("kind")
        return genes, counts

    def _write(
        self,
        writer: TaskWriter,
        reference: Reference,
        genes: pl.DataFrame,
        values: Float64[ndarray, "g t"],
        *,
        counts: dict[str, int],
        execution: Execution,
    ) -> None:
        """Write the genes some at a time: their windows need not fit into memory together."""
        counts |= dict.fromkeys(
            (
                "genes not in the genome",
                "genes near the end of a contig, left out",
                "genes near the end of a contig, padded",
            ),
            0,
        )
        step = max(1, _AT_ONCE // self.window)
        for begin in range(0, genes.height, step):
            part = self._placed(reference.named(genes[begin : begin + step]))
            windows = cut(reference, part, execution, edge=self.edge)
            if windows.beyond:
                counts[BEYOND] = counts.get(BEYOND, 0) + windows.beyond
            counts["genes not in the genome"] += windows.missing
            counts["genes near the end of a contig, left out"] += windows.dropped
            counts["genes near the end of a contig, padded"] += windows.padded
            kept = part[windows.rows]
            labels = _labels(values, kept["row"].to_numpy().astype(np.int64))
            frame = kept.select(
                "chrom",
                "start",
                "end",
                "strand",
                pl.col("gene").alias("id"),
                pl.Series("sequence", windows.sequences.to_series()),
                labels,
            )
            split = np.array([self.chromosome_split.of(name) for name in frame["chrom"]], dtype=str)
            for name, mine in dealt(frame, split).items():
                writer.add(name, mine)

    def _placed(self, genes: pl.DataFrame) -> pl.DataFrame:
        """The windows: base ``window // 2`` of each, along its gene, is the TSS."""
        before = self.window // 2
        tss = pl.col("start")
        start = (
            pl.when(pl.col("strand") == "+")
            .then(tss - before)
            .otherwise(tss - (self.window - 1 - before))
        )
        return genes.with_columns(start=start, end=start + self.window)


def _labels(values: Float64[ndarray, "g t"], rows: Int64[ndarray, " _"]) -> pl.Series:
    """The column ``label``: null where a value is not known."""
    known = pl.Series("label", values[rows].tolist(), dtype=pl.List(pl.Float32))
    return known.list.eval(pl.element().fill_nan(None))
