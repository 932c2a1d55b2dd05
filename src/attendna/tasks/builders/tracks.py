"""Builder ``tracks``: signal along the genome, from training records or from bigWig files.

Records are those of Basenji, Enformer, Borzoi and baskerville; they are copied as they are, or with
wider bins. From bigWig files windows are made around regions, or in strides along the genome.
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from attendna.core.config import LISTED, Names
from attendna.core.errors import ConfigError, DataError
from attendna.core.execution import Execution
from attendna.core.files import refuse_existing
from attendna.genome.intervals import read_intervals
from attendna.genome.reference import Reference, open_reference
from attendna.genome.signal import AbsentContig, NoData
from attendna.tasks.builders.builder import (
    BuilderConfig,
    Built,
    chromosomes_asked_for,
    sources,
)
from attendna.tasks.spec import SPLITS, TASK, Source, SplitName
from attendna.tasks.splits import ChromosomeSplit
from attendna.tasks.tfrecord import count_examples
from attendna.tasks.track_copies import Copied, Copy, bin_windows
from attendna.tasks.track_plan import record_rows, record_units, window_units
from attendna.tasks.track_records import (
    SEQUENCES_FILE,
    STATISTICS_FILE,
    TARGETS_TABLE,
    Layout,
    RecordFolder,
    Shape,
    find_records,
)
from attendna.tasks.track_signals import Binning, find_signals
from attendna.tasks.track_spec import TargetType, TrackSpec
from attendna.tasks.track_splits import contiguous_split, count_crossing, sizes, with_slots
from attendna.tasks.track_targets import read_targets
from attendna.tasks.track_transforms import Order, Pooling, pool_factor
from attendna.tasks.track_windows import Chosen, choose_windows, tile
from attendna.tasks.track_writer import TrackWriter, track_writer

WINDOW, CROP, BIN_SIZE = 131_072, 8_192, 128
"""Shape of a window where none is asked for: 896 bins, as of Enformer's training records."""

BASES_A_UNIT = 1 << 22
"""Bases that a worker bins at a time, of every track."""


class TracksConfig(BuilderConfig):
    """Signal along the genome in bins, from training records or bigWig files."""

    name: Literal["tracks"] = "tracks"
    records: Path | None = Field(
        default=None,
        description="A folder of Basenji, Enformer or Borzoi TFRecords, or one file; of a folder, "
        "statistics.json and targets.txt are read where they are there.",
    )
    layout: Layout | None = Field(
        default=None,
        description="How the records write sequences; detected, and only this one is admitted.",
    )
    split_of: tuple[str, ...] = Field(
        default=(),
        description="Split of files of records, as GLOB=train|valid|test; by default their names "
        "include it.",
    )
    pool_width: int | None = Field(
        default=None,
        gt=0,
        description="Bases of a bin of the records, where there is no statistics.json.",
    )
    targets: Path | None = Field(
        default=None,
        description="Table of tracks like targets.txt; its column file names bigWig files unless "
        "records are given.",
    )
    genome: Path | None = Field(
        default=None,
        description="FASTA or .2bit: where windows come from, or what records are compared with.",
    )
    regions: Path | None = Field(
        default=None, description="BED of regions; a window lies around the middle of each."
    )
    stride: int | None = Field(
        default=None, gt=0, description="Instead of regions, a window every so many bases."
    )
    window: int | None = Field(
        default=None, gt=0, description=f"Bases of a window; {WINDOW:,} from bigWig files."
    )
    crop: int | None = Field(
        default=None,
        ge=0,
        description=f"Bases at either end without targets; {CROP:,} from bigWig files, 0 from "
        "records without statistics.json.",
    )
    bin_size: int | None = Field(
        default=None,
        gt=0,
        description=f"Bases of a bin: {BIN_SIZE} from bigWig files, else that of the records, or "
        "a multiple of it.",
    )
    pooling: Pooling = Field(
        default="mean", description="What wider bins tell of the records' bins."
    )
    target_type: TargetType = Field(default="float16", description="Type of the stored targets.")
    transform: Order = Field(
        default="baskerville",
        description="Order of transforms of bigWig files: that of today, or that of Borzoi.",
    )
    no_data: NoData | None = Field(
        default=None, description="What bases are that a bigWig file does not mention."
    )
    absent_contig: AbsentContig = Field(
        default="error", description="What becomes of a contig that a bigWig file lacks."
    )
    max_unknown: float = Field(
        default=0.5, ge=0, le=1, description="Share of N above which a window is left out."
    )
    valid: Names = Field(
        default=(), description="Chromosomes, or folds of records, to validate on."
    )
    test: Names = Field(default=(), description="Chromosomes, or folds of records, to test on.")
    fractions: Annotated[tuple[float, float, float] | None, LISTED] = Field(
        default=None,
        description="Instead, shares of train, valid and test, in runs along the genome, or in "
        "the records' order where their places are not known.",
    )
    title: str = Field(default="", description="What the task is, in one line.")
    licence: str = Field(default="", description="Terms of the measurements.")
    citation: str = Field(default="", description="Whom to cite for the measurements.")

    @property
    def chromosome_split(self) -> ChromosomeSplit:
        """The split of each chromosome."""
        return ChromosomeSplit(self.valid, self.test)

    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Copy the records, or bin the bigWig files; see the base class."""
        refuse_existing(out, TASK, force=force)
        if self.chromosome_split != ChromosomeSplit((), ()) and self.fractions is not None:
            raise ConfigError("--fractions and --valid or --test", "give one or the other")
        if self.records is not None:
            self._refuse("records", "regions", "stride", "window", "no_data")
            folder = find_records(self.records, self.split_of)
            return self._copy(folder, out, execution, force=force)
        self._refuse("bigWig files", "layout", "pool_width", "split_of")
        return self._bin(out, execution, force=force)

    def _refuse(self, of: str, *names: str) -> None:
        for name in names:
            if getattr(self, name) not in (None, ()):
                raise ConfigError(f"--{name.replace('_', '-')} is not for {of}", "leave it out")

    # ----------------------------------------------------------------------------- from records

    def _copy(self, folder: RecordFolder, out: Path, execution: Execution, *, force: bool) -> Built:
        table = self.targets or folder.folder / TARGETS_TABLE
        if not table.is_file():
            raise DataError(table, "no such file", "name the table of tracks with --targets")
        targets = read_targets(table)
        shape = self._shape(folder, targets.height)
        if targets.height != shape.tracks:
            raise DataError(
                table,
                f"{targets.height:,} tracks, but the records have {shape.tracks:,}",
                "give the table of these records",
            )
        missing = folder.missing_shards
        if missing and not self.allow_partial:
            raise DataError(
                folder.folder,
                f"{missing[0]} is missing ({len(missing):,} such files)",
                "copy the missing files, or add --allow-partial to use what is there",
            )
        bin_size = self.bin_size or shape.bin_size
        factor = pool_factor(shape.bin_size, bin_size, shape.bins)
        held = list(execution.map(count_examples, [file.path for file in folder.files], [__name__]))
        counts = Counter[str]()
        for file, count in zip(folder.files, held, strict=True):
            counts[file.group] += count
        self._check_counts(folder, shape, counts)
        places = folder.places(counts, shape)
        if self.genome is not None and places is None:
            raise ConfigError(
                f"--genome: the places of the records are not known without {SEQUENCES_FILE}",
                "leave it out",
            )
        rows = record_rows(folder, held, places)
        rows = self._split(rows, counts, known=places is not None)
        reference = None if self.genome is None else open_reference(self.genome)
        statistics = folder.folder / STATISTICS_FILE
        spec = TrackSpec(
            name=out.name,
            title=self.title,
            build=self.build_name if reference is None else self.name_build(reference),
            sources=(
                *sources(table, *([statistics] if statistics.is_file() else [])),
                *(Source(location=file.path.name) for file in folder.files),
            ),
            window=shape.window,
            bin_size=bin_size,
            bins=shape.bins // factor,
            crop=shape.crop,
            tracks=shape.tracks,
            target_type=self.target_type,
            rows=sizes(rows),
            splits=self._told_splits("the records' own", known=places is not None),
            licence=self.licence,
            citation=self.citation,
            notes=(
                *(
                    (f"bins are the {self.pooling} of {factor} of the records",)
                    if factor > 1
                    else ()
                ),
                *(() if places is not None else ("the places of the records are not known",)),
            ),
        )
        with track_writer(out, spec, targets, force=force) as writer:
            copy = Copy(writer.records, shape, self.layout, factor, self.pooling, reference)
            units = record_units(folder, held, rows)
            return self._finish(writer, execution.map(copy, units, [__name__]), rows, {}, reference)

    def _shape(self, folder: RecordFolder, tracks: int) -> Shape:
        """Shapes as the folder gives them, or as the settings do."""
        known = (folder.folder / STATISTICS_FILE).is_file()
        if self.pool_width is not None and not known:
            return folder.measure(tracks, self.pool_width, self.crop or 0)
        if known:
            self._refuse(f"records with {STATISTICS_FILE}", "pool_width", "crop")
        return folder.shape

    def _check_counts(self, folder: RecordFolder, shape: Shape, counts: Counter[str]) -> None:
        path = folder.folder / STATISTICS_FILE
        if not counts.total():
            raise DataError(folder.folder, "the files hold no records", "copy them again")
        for group, told in shape.counts.items():
            if counts[group] != told and not self.allow_partial:
                raise DataError(
                    path,
                    f"{told:,} {group} records, but the files hold {counts[group]:,}",
                    "copy the missing files, or add --allow-partial to use what is there",
                )

    def _split(self, rows: pl.DataFrame, groups: Iterable[str], *, known: bool) -> pl.DataFrame:
        """Enter the split of every record, and its row there."""
        if self.fractions is not None:
            runs = contiguous_split(rows if known else None, rows.height, self.fractions)
            return with_slots(rows, runs)
        of_group = self._splits_of_groups(sorted(groups))
        return with_slots(rows, [of_group[group] for group in rows["group"].to_list()])

    def _splits_of_groups(self, groups: list[str]) -> dict[str, SplitName]:
        if not (self.valid or self.test):
            own: dict[str, SplitName] = {split: split for split in SPLITS if split in groups}
            if len(own) < len(groups):
                raise ConfigError(
                    f"the records are of {', '.join(groups)}",
                    "say which are for --valid and --test, or give --fractions",
                )
            return own
        for name in (*self.valid, *self.test):
            if name not in groups:
                raise ConfigError(
                    f"there are no records of {name}", f"choose from {', '.join(groups)}"
                )
        return {
            group: "test" if group in self.test else "valid" if group in self.valid else "train"
            for group in groups
        }

    def _told_splits(self, otherwise: str, *, known: bool) -> str:
        if self.fractions is not None:
            where = "along the genome" if known else "in the records' order"
            return f"{' / '.join(f'{share:g}' for share in self.fractions)} in runs {where}"
        if self.valid or self.test:
            return self.chromosome_split.rule
        return otherwise

    # ------------------------------------------------------------------------ from bigWig files

    def _bin(self, out: Path, execution: Execution, *, force: bool) -> Built:
        if self.targets is None or self.genome is None:
            raise ConfigError("nothing to build from", "give --records, or --targets and --genome")
        if (self.regions is None) == (self.stride is None):
            raise ConfigError("where are the windows?", "give --regions or --stride, one of them")
        if self.no_data is None:
            raise ConfigError(
                "what are bases that a bigWig file does not mention?",
                "give --no-data zero or --no-data nan",
            )
        if not (self.valid or self.test or self.fractions):
            raise ConfigError("there are no splits", "give --valid and --test, or --fractions")
        window, crop = self.window or WINDOW, CROP if self.crop is None else self.crop
        bin_size = self.bin_size or BIN_SIZE
        if 2 * crop >= window or (window - 2 * crop) % bin_size:
            raise ConfigError(
                f"{window - 2 * crop:,} bases are not divided by bins of {bin_size}",
                "change --window, --crop or --bin-size",
            )
        targets = read_targets(self.targets)
        signals = find_signals(self.targets, targets, self.transform)
        reference = open_reference(self.genome)
        chromosomes_asked_for(self).require(reference.contigs)
        if self.regions is not None:
            asked = read_intervals(self.regions).frame
        else:
            asked = tile(reference.held, window, self.stride or window)
        chosen = choose_windows(reference, asked, window, self.max_unknown)
        self.refuse_partial(
            reference,
            chosen.asked,
            chosen.missing,
            what="windows",
            beyond=chosen.beyond,
        )
        rows = self._split_windows(chosen)
        spec = TrackSpec(
            name=out.name,
            title=self.title,
            build=self.name_build(reference),
            sources=sources(
                self.targets,
                self.genome,
                *(() if self.regions is None else (self.regions,)),
                *dict.fromkeys(signal.path for signal in signals),
            ),
            window=window,
            bin_size=bin_size,
            bins=(window - 2 * crop) // bin_size,
            crop=crop,
            tracks=targets.height,
            target_type=self.target_type,
            rows=sizes(rows),
            splits=self._told_splits("", known=True),
            licence=self.licence,
            citation=self.citation,
            notes=(
                f"bases without data: {self.no_data}",
                f"transforms in the order of {self.transform}",
            ),
        )
        binning = Binning(signals, bin_size, crop, self.no_data, self.absent_contig)
        with track_writer(out, spec, targets, force=force) as writer:
            work = partial(
                bin_windows, records=writer.records, reference=reference, binning=binning
            )
            units = window_units(rows, max(1, BASES_A_UNIT // window))
            return self._finish(writer, execution.map(work, units, [__name__]), rows, chosen.counts)

    def _split_windows(self, chosen: Chosen) -> pl.DataFrame:
        windows = chosen.windows
        if not windows.height:
            raise DataError(
                self.regions or self.genome or Path(),
                f"none of {chosen.asked:,} windows can be had "
                f"({chosen.over:,} over an end, {chosen.unknown:,} with too many N)",
                "check --window and --max-unknown",
            )
        if self.fractions is not None:
            return with_slots(windows, contiguous_split(windows, windows.height, self.fractions))
        chroms = windows["chrom"].to_list()
        chromosomes_asked_for(self).require_splits(chroms)
        return with_slots(windows, [self.chromosome_split.of(chrom) for chrom in chroms])

    # ------------------------------------------------------------------------------- from both

    def _finish(
        self,
        writer: TrackWriter,
        copied: Iterable[Copied],
        rows: pl.DataFrame,
        counts: dict[str, int],
        compared: Reference | None = None,
    ) -> Built:
        equal = missing = 0
        for part in copied:
            writer.tell(part.told)
            equal, missing = equal + part.equal, missing + part.missing
        places: dict[SplitName, pl.DataFrame] = {
            split: rows.filter(split=split).sort("row") for split in writer.spec.rows
        }
        counts = {"records": rows.height, **counts, **writer.counts}
        if compared is not None:
            self.refuse_partial(
                compared,
                rows.height,
                missing,
                what="records",
            )
            counts["records equal to the genome"] = equal
        if not rows["chrom"].has_nulls():
            counts["records that overlap another split"] = count_crossing(places)
        writer.finish(places)
        self.record(writer.partial, counts)
        return Built(writer.task, counts)
