"""Builder ``methylation``: the methylated share of cytosines in groups of samples.

Source: rules of ``Methyl96`` in the six-task benchmark: samples pooled to groups by reads,
positions with few reads masked, and 501 bases centred on the cytosine. What is not known is null,
never 0.

Shapes: ``k`` places, ``m`` positions, ``g`` groups.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Names
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.contigs import ContigNames, numbered
from attendna.genome.reference import Reference, open_reference
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.builders.builder import (
    BEYOND,
    BuilderConfig,
    Built,
    chromosomes_asked_for,
    listed_files,
    sources,
)
from attendna.tasks.methylation_calls import METHYL, read_calls
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import ChromosomeSplit
from attendna.tasks.store import task_writer

_CONTIG_BITS = 40
_CYTOSINE, _GUANINE = 1, 2
_NO_STRAND = 2
_ENOUGH = 20
"""Positions of which no chance makes all the second base of a CpG."""
_ROWS = 1 << 17

Group = tuple[str, tuple[Path, ...]]


class MethylationConfig(BuilderConfig):
    """Methylated share of cytosines in groups of samples, with their surroundings."""

    name: Literal["methylation"] = "methylation"
    cpgs: tuple[str, ...] = Field(
        min_length=1,
        description="GROUP=FILE for each sample (a group may have several), or a table with the "
        "columns group and file. bedMethyl, bedGraph, coverage files and reports of Bismark, gemBS "
        "and methylKit are read.",
    )
    genome: Path = Field(description="FASTA or .2bit.")
    modification: Names = Field(
        default=(METHYL,),
        min_length=1,
        description="Which modification, by its code in column 4 of bedMethyl: m is 5mC, h is "
        "5hmC, C any of a cytosine. Several are added: m,h.",
    )
    window: int = Field(default=501, gt=0, description="Bases; odd, so that one is the middle.")
    min_coverage: int = Field(
        default=10, ge=1, description="Reads below which a position is not known."
    )
    coverage_of: Literal["sample", "group"] = Field(
        default="sample",
        description="Whether so many reads are needed in each sample, or in the pooled group.",
    )
    valid: Names = Field(default=("chr12", "chr13"), description="Chromosomes to validate on.")
    test: Names = Field(
        default=("chr10", "chr11", "chrX", "chrY"), description="Chromosomes to test on."
    )
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the measurements.")
    citation: str = Field(default="", description="Whom to cite for the measurements.")

    @property
    def chromosome_split(self) -> ChromosomeSplit:
        """The split of each chromosome."""
        return ChromosomeSplit(self.valid, self.test)

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Pool the samples, join the groups, and fetch the surroundings; see the base class."""
        refuse_existing(out, TASK, force=force)
        if self.window % 2 == 0:
            raise ConfigError(f"--window {self.window}: no base is its middle", "give an odd one")
        chromosomes = self.chromosome_split
        groups = _find(self.cpgs)
        reference = open_reference(self.genome)
        chromosomes_asked_for(self).require(reference.contigs)
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(*(path for _, paths in groups for path in paths), self.genome),
            window=self.window,
            label_kind="regression",
            classes=tuple(name for name, _ in groups),
            splits=chromosomes.rule,
            metric="spearman",
            licence=self.licence,
            citation=self.citation,
            notes=(
                "methylated share of reads, a group's samples pooled by reads",
                f"of bedMethyl that names modifications: {' + '.join(self.modification)}",
                f"null where fewer than {self.min_coverage} reads a {self.coverage_of}",
            ),
        )
        pool = partial(
            pool_group,
            contigs=reference.contigs,
            least=self.min_coverage,
            of_sample=self.coverage_of == "sample",
            modifications=self.modification,
        )
        pooled = list(execution.map(pool, (paths for _, paths in groups), [__name__]))
        counts = {
            **_added(part[1] for part in pooled),
            "positions": 0,
            **dict.fromkeys(_LEFT_OUT, 0),
        }
        if not any(part[0].places.size for part in pooled):
            raise DataError(
                groups[0][1][0],
                f"no position is known on {self.genome.name} with {self.min_coverage} reads",
                "check the build, or ask for fewer reads by --min-coverage",
            )
        calls = _joined([part[0] for part in pooled])
        with task_writer(out, spec, force=force) as writer:
            for chrom, some in _by_chromosome(reference, calls):
                counts["positions"] += some.places.size
                frame = self._rows(reference, chrom, some, counts)
                if frame.height:
                    writer.add(chromosomes.of(chrom), frame)
            asked = counts["positions"] + counts[OTHER_CONTIGS]
            gone = counts[_LEFT_OUT[1]] + counts[OTHER_CONTIGS]
            self.refuse_partial(
                reference, asked, gone, what="positions", beyond=counts.get(BEYOND, 0)
            )
            if not writer.rows:
                raise DataError(
                    groups[0][1][0],
                    f"none of {counts['positions']:,} positions is a C of {self.genome.name} on "
                    f"its strand and {self.window // 2} bases from the ends",
                    "check the build, and whether positions count from 0 or from 1",
                )
            for chrom in chromosomes_asked_for(self).require_splits(writer.chromosomes):
                counts[f"rows on {chrom}"] = 0
            self.record(writer.partial, counts)
        return Built(writer.task, counts)

    def _rows(
        self,
        reference: Reference,
        chrom: str,
        calls: "Calls",
        counts: dict[str, int],
    ) -> pl.DataFrame:
        """Windows of positions on one chromosome, read from the strand of their cytosine."""
        start, said = calls.places >> 2, calls.places & 3
        half = self.window // 2
        frame = pl.DataFrame(
            {"chrom": [chrom] * start.size, "start": start - half, "end": start + half + 1}
        )
        windows = reference.windows(frame, edge="drop", missing="drop")
        if windows.beyond:
            counts[BEYOND] = counts.get(BEYOND, 0) + windows.beyond
        middle = windows.sequences.rectangle()[:, half] if len(windows.sequences) else np.empty(0)
        minus = middle == _GUANINE
        said = said[windows.rows]
        _refuse_merged(self.cpgs, windows.sequences, said, half)
        fits = ((middle == _CYTOSINE) & (said != 1)) | (minus & (said != 0))
        told = (windows.dropped, windows.missing, int(fits.size - fits.sum()))
        for name, count in zip(_LEFT_OUT, told, strict=True):
            counts[name] += count
        # Where some files say the strand and others do not, a position has several places.
        rows = windows.rows[fits]
        _, first = np.unique(start[rows], return_index=True)
        shares = calls.take(rows).pooled(first)
        chosen = np.flatnonzero(fits)[first]
        sequences = windows.sequences.take(chosen).reverse_complement(where=minus[chosen])
        known = pl.Series(shares.tolist(), dtype=pl.List(pl.Float32))
        return frame[rows[first]].with_columns(
            pl.format("{}:{}", "chrom", pl.col("start") + half).alias("id"),
            sequence=sequences.to_series(),
            strand=pl.Series(np.where(minus[chosen], "-", "+").tolist(), dtype=pl.String),
            label=known.list.eval(pl.element().fill_nan(None)),
        )


@dataclass(frozen=True, eq=False)
class Calls:
    """Methylated shares and how many reads they are of, 0 where a group has none.

    A place is the contig's number, the position, and in its last two bits the strand: 0 for ``+``,
    1 for ``-``, 2 where none is given.
    """

    places: Int64[ndarray, " k"]
    shares: Float64[ndarray, "k g"]
    reads: Float64[ndarray, "k g"]

    def take(self, rows: Int64[ndarray, " _"] | slice) -> "Calls":
        """Those of some places."""
        return Calls(self.places[rows], self.shares[rows], self.reads[rows])

    def pooled(self, first: Int64[ndarray, " m"]) -> Float32[ndarray, "m g"]:
        """Shares of all reads from each of these rows up to the next, NaN where there are none."""
        if not first.size:
            return np.empty((0, self.shares.shape[1]), dtype=np.float32)
        reads = np.add.reduceat(self.reads, first)
        methylated = np.add.reduceat(self.shares * self.reads, first)
        shares = np.full(reads.shape, np.nan)
        np.divide(methylated, reads, out=shares, where=reads > 0)
        return shares.astype(np.float32)


OTHER_CONTIGS = "positions on other contigs"
_LEFT_OUT = (
    "positions near the end of a contig",
    "positions not in the genome",
    "positions without a C on their strand",
)


def pool_group(
    paths: tuple[Path, ...],
    *,
    contigs: tuple[str, ...],
    least: int,
    of_sample: bool,
    modifications: tuple[str, ...] = (METHYL,),
) -> tuple[Calls, Counter[str]]:
    """The samples of a group taken together, and how many of their rows were left out, and why.

    Raises
    ------
    DataError
        A file cannot be read, or does not count the reads that are asked for.
    """
    names = ContigNames(contigs)
    tables = [read_calls(path, modifications) for path in paths]
    counts = Counter[str]({OTHER_CONTIGS: 0})
    for path, table in zip(paths, tables, strict=True):
        counts.update(table.left_out)
        if least > 1 and not table.counted:
            raise DataError(
                path,
                f"it does not count reads, so that {least} of them cannot be asked for",
                "add --min-coverage 1, or give the file with counts",
            )
    read = pl.concat([table.frame for table in tables])
    calls = read.filter(pl.col("reads") >= least) if of_sample else read
    contig = numbered(calls["chrom"].to_arrow(), names.number, null=-1)
    strand = numbered(calls["strand"].to_arrow(), lambda s: 0 if s == "+" else 1, null=2)
    place = ((contig << _CONTIG_BITS) + calls["start"].to_numpy() << 2) + strand
    known = contig >= 0
    pooled = (
        calls.select("reads", "percent", place=pl.Series(place))
        .filter(pl.Series(known))
        .group_by("place")
        .agg(
            share=(pl.col("reads") * pl.col("percent")).sum() / pl.col("reads").sum() / 100,
            reads=pl.col("reads").sum(),
        )
        .filter(pl.col("reads") >= least)
        .sort("place")
    )
    columns = pooled.select(pl.col("share", "reads").cast(pl.Float64)).to_numpy()
    calls = Calls(pooled["place"].to_numpy(), columns[:, :1], columns[:, 1:])
    counts[OTHER_CONTIGS] += int(known.size - known.sum())
    return calls, counts


def _refuse_merged(
    cpgs: tuple[str, ...], windows: SequenceBatch, said: Int64[ndarray, " k"], half: int
) -> None:
    """Refuse places without a strand that all are the G of a CpG: one base beside the cytosine.

    Bismark's files of CpGs with their strands merged count from 1, and give C and G as start and
    end, so that they look like rows of one base that count from 0.
    """
    some = (said == _NO_STRAND) if half else np.zeros(0, dtype=bool)
    if some.sum() < _ENOUGH:
        return
    pairs = windows.rectangle()[some, half - 1 : half + 1]
    if (pairs == (_CYTOSINE, _GUANINE)).all():
        raise DataError(
            cpgs[0].partition("=")[2] or cpgs[0],
            f"all of {int(some.sum()):,} positions on a chromosome are the G of a CpG: these are "
            "CpGs that count from 1, their strands merged",
            "take 1 from the start, or give the file before its strands were merged",
        )


def _added(counts: Iterable[Counter[str]]) -> Counter[str]:
    """The sums of all counts, those that are 0, too."""
    total = Counter[str]()
    for one in counts:
        total.update(one)
    return total


def _joined(groups: Sequence[Calls]) -> Calls:
    """All places in order, with a column a group."""
    places = np.unique(np.concatenate([group.places for group in groups]))
    shares, reads = (np.zeros((places.size, len(groups))) for _ in range(2))
    for column, group in enumerate(groups):
        rows = np.searchsorted(places, group.places)
        shares[rows, column], reads[rows, column] = group.shares[:, 0], group.reads[:, 0]
    return Calls(places, shares, reads)


def _by_chromosome(reference: Reference, calls: Calls) -> Iterator[tuple[str, Calls]]:
    """Position and strand of the places on each contig, some at a time."""
    contig = calls.places >> (_CONTIG_BITS + 2)
    for number in np.unique(contig).tolist():
        first, last = np.searchsorted(contig, [number, number + 1]).tolist()
        # Places of one position stay together.
        _, heads = np.unique(calls.places[first:last] >> 2, return_index=True)
        bounds = [*(first + heads[::_ROWS]).tolist(), last]
        for begin, end in pairwise(bounds):
            some = calls.take(slice(begin, end))
            base = number << (_CONTIG_BITS + 2)
            yield reference.contigs[number], replace(some, places=some.places - base)


def _find(given: tuple[str, ...]) -> list[Group]:
    """Files of each group, in the order in which the groups are named."""
    if len(given) == 1 and "=" not in given[0]:
        pairs = listed_files(Path(given[0]), "group")
    else:
        split = [text.partition("=") for text in given]
        for text, (group, equals, path) in zip(given, split, strict=True):
            if not (group and equals and path):
                raise ConfigError(f"--cpgs {text}: no group or no file", "write GROUP=FILE")
            if not Path(path).is_file():
                raise DataError(path, "no such file", "check the path")
        pairs = [(group, Path(path)) for group, _, path in split]
    names = dict.fromkeys(name for name, _ in pairs)
    return [(name, tuple(path for group, path in pairs if group == name)) for name in names]
