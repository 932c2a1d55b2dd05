"""Builder ``chromatin``: bins of the genome with the tracks that have a peak there.

Any number of files is labelled a batch at a time; each batch leaves one file of (bin, track) pairs
in the order of the bins. Then the genome is gone through block by block, and what the batches have
there is joined. So memory holds one batch and one block, however many files there are.

Sources: Zhou and Troyanskaya 2015 (DeepSEA), Pei et al. 2021 (DeepFun).

Shapes: ``p`` pairs of a bin and a track, ``q`` bins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int64, UInt16
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Names
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.core.formats import PEAKS, ending_of, stem_of
from attendna.genome.contigs import ContigNames, plain_name
from attendna.genome.reference import Reference, open_reference
from attendna.tasks.builders.builder import (
    BEYOND,
    BuilderConfig,
    Built,
    chromosomes_asked_for,
    listed_files,
    sources,
)
from attendna.tasks.labels import MAX_TRACKS
from attendna.tasks.peak_bins import (
    CONTIG_BITS,
    MISSING,
    UNWANTED,
    Rule,
    covered_bins,
    read_peaks,
    union,
)
from attendna.tasks.spec import TASK, TaskSpec
from attendna.tasks.splits import ChromosomeSplit
from attendna.tasks.store import TaskWriter, task_writer

FILES_A_BATCH = 32
BLOCK_BITS = 15
"""A block is 2^15 bins of a contig, 6.5 million bases of 200-bp bins."""


class ChromatinConfig(BuilderConfig):
    """Bins of the genome with the tracks whose peaks cover them."""

    name: Literal["chromatin"] = "chromatin"
    peaks: Path = Field(
        description="A folder of peak files, one a track, or a table with the columns track and "
        "file; several files of one track are taken together."
    )
    genome: Path = Field(description="FASTA or .2bit.")
    bin_size: int = Field(default=200, gt=0, description="Bases of a bin.")
    flank: int = Field(default=400, ge=0, description="Bases of context on each side of a bin.")
    rule: Rule = Field(
        default="half",
        description="A track is positive where its peaks cover at least half of the bin, "
        "more_than_half, or any base of it (as the code of the six-task benchmark does).",
    )
    both_strands: bool = Field(
        default=True, description="Give every bin twice, the second time reverse-complemented."
    )
    valid: Names = Field(default=("chr7",), description="Chromosomes to validate on.")
    test: Names = Field(default=("chr8", "chr9"), description="Chromosomes to test on.")
    all_contigs: bool = Field(
        default=False, description="Use alternate, unplaced and decoy contigs, too."
    )
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the peaks.")
    citation: str = Field(default="", description="Whom to cite for the peaks.")

    @property
    def chromosome_split(self) -> ChromosomeSplit:
        """The split of each chromosome."""
        return ChromosomeSplit(self.valid, self.test)

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Label all files, join what they say of every bin, and fetch its window."""
        refuse_existing(out, TASK, force=force)
        chromosomes = self.chromosome_split
        files = _find(self.peaks)
        tracks = list(dict.fromkeys(file.track for file in files))
        if len(tracks) > MAX_TRACKS:
            raise ConfigError(f"{len(tracks):,} tracks", f"give at most {MAX_TRACKS:,}")
        reference = open_reference(self.genome)
        chromosomes_asked_for(self).require(reference.contigs)
        spec = TaskSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(*(file.path for file in files), self.genome),
            window=self.bin_size + 2 * self.flank,
            label_kind="multilabel",
            classes=tuple(tracks),
            negatives="bins that are positive for another track",
            splits=chromosomes.rule,
            metric="auprc",
            licence=self.licence,
            citation=self.citation,
            notes=(
                f"{self.bin_size}-bp bins, positive where a track's peaks cover: {self.rule}",
                f"{self.flank} bases of context on each side of a bin",
            ),
        )
        counts: dict[str, int] = dict.fromkeys((*_PEAKS, "bins", *_LEFT_OUT), 0)
        with task_writer(out, spec, force=force) as writer:
            work = writer.partial / ".work"
            work.mkdir()
            label = partial(
                label_batch,
                contigs=Contigs(reference.contigs, self.all_contigs),
                size=self.bin_size,
                rule=self.rule,
            )
            batches = list(_batches(files, tracks, work))
            for labelled in execution.map(label, batches, [__name__]):
                for what, count in zip(_PEAKS, labelled.peaks, strict=True):
                    counts[what] += count
                if labelled.without_bins is not None:
                    raise self._no_bin(labelled.without_bins, labelled.longest)
            self.refuse_partial(
                reference,
                counts[_PEAKS[0]] + counts[_PEAKS[1]],
                counts[_PEAKS[1]],
                what="peaks",
            )
            if not counts[_PEAKS[0]]:
                raise DataError(
                    self.peaks,
                    f"none of its {counts[_PEAKS[2]]:,} peaks lies on a chromosome by its name",
                    "check the names, or add --all-contigs",
                )
            for block in _blocks([batch.out for batch in batches]):
                self._write(writer, reference, block, counts)
            for batch in batches:
                batch.out.unlink()
            work.rmdir()
            self.refuse_partial(
                reference,
                counts["bins"],
                counts["bins not in the genome"],
                what="bins",
                beyond=counts.get(BEYOND, 0),
            )
            for chrom in chromosomes_asked_for(self).require_splits(writer.chromosomes):
                counts[f"rows on {chrom}"] = 0
            self.record(writer.partial, counts)
        return Built(writer.task, counts)

    def _no_bin(self, path: Path, longest: int) -> DataError:
        covers = {"half": "half", "more_than_half": "more than half", "any": "a base"}[self.rule]
        bases = "1 base" if longest == 1 else f"{longest:,} bases"
        return DataError(
            path,
            f"no peak covers {covers} of a bin of {self.bin_size} bases: the longest has {bases}",
            "use --rule any or a smaller --bin-size, or give whole peaks instead of summits",
        )

    def _write(
        self, writer: TaskWriter, reference: Reference, block: "_Block", counts: dict[str, int]
    ) -> None:
        """Fetch the windows of a block's bins and write those that are there."""
        number = block.bins & ((1 << CONTIG_BITS) - 1)
        chrom = reference.contigs[int(block.bins[0] >> CONTIG_BITS)]
        place = pl.DataFrame(
            {
                "chrom": [chrom] * number.size,
                "start": number * self.bin_size - self.flank,
                "end": (number + 1) * self.bin_size + self.flank,
            }
        )
        windows = reference.windows(place, edge="drop", missing="drop")
        if windows.beyond:
            counts[BEYOND] = counts.get(BEYOND, 0) + windows.beyond
        for name, count in zip(
            ("bins", *_LEFT_OUT), (number.size, windows.dropped, windows.missing), strict=True
        ):
            counts[name] += count
        refused = counts[_LEFT_OUT[1]] and not self.allow_partial
        if refused or not windows.rows.size:
            # All blocks are looked at before the build is refused, so that the number is right.
            return
        frame = place.with_columns(label=block.labels())[windows.rows]
        for strand in ("+", "-") if self.both_strands else ("+",):
            batch = windows.sequences if strand == "+" else windows.sequences.reverse_complement()
            rows = frame.with_columns(sequence=batch.to_series(), strand=pl.lit(strand)).select(
                pl.format("{}:{}-{}({})", "chrom", "start", "end", "strand").alias("id"), pl.all()
            )
            writer.add(self.chromosome_split.of(chrom), rows)


_PEAKS = ("peaks", "peaks on missing chromosomes", "peaks on other contigs")
_LEFT_OUT = ("bins at the end of a contig", "bins not in the genome")


@dataclass(frozen=True)
class PeakFile:
    """One file of a track."""

    track: str
    path: Path


@dataclass(frozen=True)
class Batch:
    """Files that are labelled together; ``numbers`` are their tracks."""

    files: tuple[tuple[Path, ...], ...]
    """The files of each track."""
    numbers: tuple[int, ...]
    out: Path


@dataclass(frozen=True)
class Labelled:
    """What was read of the files of a batch."""

    peaks: tuple[int, int, int]
    """Peaks that were read, and how many more lie on missing chromosomes and on other contigs."""
    without_bins: Path | None = None
    """The first file of a track that has peaks and no positive bin."""
    longest: int = 0
    """Bases of the longest stretch that its peaks cover."""


@dataclass(frozen=True)
class Contigs:
    """Contigs of a genome, and whether those that are no chromosomes are wanted."""

    names: tuple[str, ...]
    every: bool

    def numbers(self) -> Callable[[str], int]:
        """The number of a contig by what a file calls it."""
        number = ContigNames(self.names).number

        def meaning(name: str) -> int:
            found = number(name)
            if not (self.every or _is_chromosome(self.names[found] if found >= 0 else name)):
                return UNWANTED
            return found if found >= 0 else MISSING

        return meaning


def label_batch(batch: Batch, *, contigs: Contigs, size: int, rule: Rule) -> Labelled:
    """Write the (bin, track) pairs of some tracks in the order of the bins."""
    number = contigs.numbers()
    bins: list[Int64[ndarray, " _"]] = []
    read = missing = unwanted = 0
    for paths in batch.files:
        parts = [read_peaks(path, number) for path in paths]
        read += sum(part.start.size for part in parts)
        start = np.concatenate([part.start for part in parts])
        end = np.concatenate([part.end for part in parts])
        start, end = union(start, end)
        bins.append(covered_bins(start, end, size, rule))
        if start.size and not bins[-1].size:
            return Labelled((0, 0, 0), paths[0], int((end - start).max()))
        missing += sum(part.missing for part in parts)
        unwanted += sum(part.unwanted for part in parts)
    joined = np.concatenate(bins)
    tracks = np.repeat(np.array(batch.numbers, dtype=np.uint16), [part.size for part in bins])
    # Stable: tracks rise within a bin.
    order = np.argsort(joined, kind="stable")
    with batch.out.open("wb") as stream:
        np.save(stream, joined[order])
        np.save(stream, tracks[order])
    return Labelled((read, missing, unwanted))


@dataclass(frozen=True, eq=False)
class _Block:
    """Bins that are positive for some track, and the pairs that say for which."""

    bins: Int64[ndarray, " q"]
    counts: Int64[ndarray, " q"]
    tracks: UInt16[ndarray, " p"]

    def labels(self) -> pl.Series:
        """The rising list of positive tracks of each bin."""
        ends = np.cumsum(self.counts)
        column = pa.LargeListArray.from_arrays(
            np.concatenate([[0], ends]), pa.array(self.tracks, pa.uint16())
        )
        return pl.Series("label", column)


def _blocks(paths: list[Path]) -> Iterator[_Block]:
    """What all batches say of the genome, block by block."""
    runs = [_open_run(path) for path in paths]
    marks = np.unique(
        np.concatenate([np.unique(bins[:] >> BLOCK_BITS) for bins, _ in runs] or [[]])
    ).astype(np.int64)
    at = [0] * len(runs)
    for mark in marks.tolist():
        keys: list[Int64[ndarray, " _"]] = []
        tracks: list[UInt16[ndarray, " _"]] = []
        for run, (bins, numbers) in enumerate(runs):
            end = at[run] + int(np.searchsorted(bins[at[run] :], (mark + 1) << BLOCK_BITS))
            keys.append(np.asarray(bins[at[run] : end]))
            tracks.append(np.asarray(numbers[at[run] : end]))
            at[run] = end
        joined = np.concatenate(keys)
        # Stable: batches hold rising tracks, so those of a bin stay in order.
        order = np.argsort(joined, kind="stable")
        joined = joined[order]
        begins = np.flatnonzero(np.concatenate([[True], joined[1:] != joined[:-1]]))
        counts = np.diff(begins, append=joined.size)
        yield _Block(joined[begins], counts, np.concatenate(tracks)[order])


def _open_run(path: Path) -> tuple[ndarray, ndarray]:
    """The two columns of a batch, mapped into memory."""
    with path.open("rb") as stream:
        columns: list[ndarray] = []
        for _ in range(2):
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise AssertionError(f"np.save wrote version {version}")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            offset = stream.tell()
            empty = shape[0] == 0
            columns.append(
                np.empty(0, dtype)
                if empty
                else np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
            )
            stream.seek(offset + shape[0] * dtype.itemsize)
    return columns[0], columns[1]


def _batches(files: list[PeakFile], tracks: list[str], work: Path) -> Iterator[Batch]:
    number = {track: place for place, track in enumerate(tracks)}
    ordered = sorted(files, key=lambda file: number[file.track])
    grouped = [
        (place, tuple(file.path for file in of_track))
        for place, of_track in groupby(ordered, key=lambda file: number[file.track])
    ]
    for begin in range(0, len(grouped), FILES_A_BATCH):
        part = grouped[begin : begin + FILES_A_BATCH]
        yield Batch(
            files=tuple(paths for _, paths in part),
            numbers=tuple(place for place, _ in part),
            out=work / f"{begin}.pairs",
        )


def _find(peaks: Path) -> list[PeakFile]:
    """The files of a folder, called as the part of their name before the ending, or of a table."""
    if peaks.is_dir():
        found = [
            PeakFile(stem_of(path), path)
            for path in sorted(peaks.iterdir())
            if ending_of(path) in (*PEAKS, ".xls")
        ]
        if not found:
            raise DataError(peaks, "there is no .narrowPeak, .broadPeak or .bed file in it")
        return found
    return [PeakFile(track, path) for track, path in listed_files(peaks, "track")]


def _is_chromosome(name: str) -> bool:
    """Whether a contig is a chromosome by its name, not an alternate, unplaced or decoy one."""
    plain = plain_name(name)
    return not ("_" in plain or "." in plain or plain in ("ebv", "hs37d5", "mt"))
