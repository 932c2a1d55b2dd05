"""Genomes: windows of a FASTA or .2bit file.

Coordinates are 0-based and half-open. A genome may be given in part, by records that are named
after their places (see ``pieces``).

Shapes: ``n`` bases, ``k`` windows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Bool, Int64, UInt8
from numpy import ndarray

from attendna.core.errors import DataError, MissingExtraError, UserError
from attendna.core.registry import near_misses
from attendna.genome.alphabet import LetterError, LetterPolicy, encode
from attendna.genome.code_cache import Contig, GenomeCodes, in_memory, through_cache
from attendna.genome.contigs import ContigNames, numbered, recognize_build, same_build
from attendna.genome.fasta import stream_fasta
from attendna.genome.pieces import UNKNOWN, Pieces
from attendna.genome.sequences import ArrowColumn, SequenceBatch
from attendna.genome.two_bit import MAGIC, check_two_bit

EdgePolicy = Literal["error", "drop", "pad"]
"""What becomes of a window that reaches over an end of its contig: it is refused, left out, or
filled up with N."""

MissingPolicy = Literal["error", "drop"]
"""What becomes of a window on a contig, or a part of one, that the genome file does not hold."""


class WindowError(UserError):
    """A window that cannot be fetched; ``row`` counts from 0 among those asked for."""

    def __init__(self, row: int, problem: str, remedy: str) -> None:
        self.row = row
        super().__init__(problem, remedy)


@dataclass(frozen=True, eq=False)
class Windows:
    """Sequences of those windows that could be had, and what became of the rest."""

    sequences: SequenceBatch
    rows: Int64[ndarray, " k"]
    """Which of the windows asked for these are, in order."""
    padded: int
    """How many of them were filled up with N over an end of their contig."""
    dropped: int
    """How many were left out because they reach over an end."""
    missing: int
    """How many were left out because the genome file does not hold them."""
    beyond: int = 0
    """How many of those dropped lie wholly beyond the end of their contig: on another build."""


def open_reference(
    path: str | Path, *, cache: str | Path | None = None, keep_in_memory: bool = False
) -> "Reference":
    """Open a genome: FASTA, gzipped or bgzipped FASTA, or .2bit.

    The first time its codes are written to a cache; later they are mapped into memory from there,
    by any number of processes. Ambiguity letters are read as N.

    Parameters
    ----------
    cache
        Folder of caches; by default ``ATTENDNA_CACHE`` or the user's cache folder.
    keep_in_memory
        Read the whole file into memory and use no cache.

    Raises
    ------
    DataError
        The file is missing, damaged or no genome.
    MissingExtraError
        The file is .2bit and py2bit is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    if keep_in_memory:
        genome = in_memory(_distinct(path))
    else:
        folder = None if cache is None else Path(cache)
        genome = through_cache(path.resolve(), lambda: _distinct(path), folder)
    reopen = partial(open_reference, path, cache=cache, keep_in_memory=keep_in_memory)
    return Reference(path, genome, reopen)


class Reference:
    """A genome that gives windows of codes, many at a time.

    Holds no open file: it may be used in processes that were forked, and be sent to others, which
    open the genome for themselves.
    """

    def __init__(self, path: Path, genome: GenomeCodes, reopen: "Callable[[], Reference]") -> None:
        self.path = path
        self._reopen = reopen
        self.digest = genome.digest
        """SHA-256 of names, lengths and bases, whatever the file format."""
        self._codes = genome.codes
        self._pieces = Pieces.of(genome)
        self.contigs = self._pieces.contigs
        """Names of all contigs, whole or in part, in the file's order."""
        self._names = ContigNames(self.contigs)
        self.lengths: Mapping[str, int] = {
            name: int(length)
            for name, length in zip(self.contigs, self._pieces.length, strict=True)
            if length < UNKNOWN
        }
        """Bases of every contig that is there whole."""

    def __reduce__(self) -> "tuple[Callable[[], Reference], tuple[()]]":
        return self._reopen, ()

    @cached_property
    def held(self) -> pl.DataFrame:
        """Columns ``chrom, start, end`` of what the file holds: whole contigs, or parts."""
        pieces = self._pieces
        chrom = [self.contigs[number] for number in pieces.contig.tolist()]
        return pl.DataFrame({"chrom": chrom, "start": pieces.start, "end": pieces.end})

    @property
    def codes(self) -> UInt8[ndarray, " n"]:
        """All bases that the file holds, record after record; mapped into memory, not read."""
        return self._codes

    @property
    def offsets(self) -> Int64[ndarray, " p"]:
        """Where in ``codes`` each row of ``held`` begins."""
        return self._pieces.offset

    def named(self, intervals: pl.DataFrame) -> pl.DataFrame:
        """The intervals, with chromosomes called as the file calls them; others keep their name."""
        names = intervals["chrom"].unique(maintain_order=True).to_list()
        places = [self._names.number(name) for name in names]
        own = [name if at < 0 else self.contigs[at] for name, at in zip(names, places, strict=True)]
        return intervals.with_columns(pl.col("chrom").replace_strict(names, own))

    @cached_property
    def build(self) -> str | None:
        """UCSC name of the build, recognized by the lengths of its contigs."""
        return recognize_build(self.lengths)

    def require_build(self, build: str) -> None:
        """Refuse a genome that is seen to be of another build than ``build``.

        Raises
        ------
        DataError
            It is of another build.
        """
        if self.build is not None and not same_build(self.build, build):
            raise DataError(
                self.path, f"this is {self.build}, not {build}", f"give the genome {build}"
            )

    def sequence(self, chrom: str, start: int, end: int, strand: str = "+") -> UInt8[ndarray, " n"]:
        """Codes of one window, which must lie on its contig; see :meth:`windows`."""
        window = _Asked.of(
            pa.array([chrom]), pa.array([start]), pa.array([end]), pa.array([strand])
        )
        return self._fetch(window, "error", "error").sequences[0]

    def windows(
        self,
        intervals: pl.DataFrame,
        *,
        shift: int | Int64[ndarray, " k"] = 0,
        edge: EdgePolicy = "error",
        missing: MissingPolicy = "error",
    ) -> Windows:
        """Codes of many windows.

        Parameters
        ----------
        intervals
            Columns ``chrom``, ``start``, ``end`` and, where it matters, ``strand``: ``-`` gives the
            reverse complement; ``+``, ``.`` and null the sequence as it is. Contigs may be called
            after another naming style than the file's (``1`` for ``chr1``, ``MT`` for ``chrM``).
        shift
            Bases by which to move the windows, towards the end of the contig whatever the strand.
        edge, missing
            What becomes of windows that cannot be had whole. One that lies beyond its contig
            altogether is refused under ``pad``, too.

        Raises
        ------
        WindowError
            At the first window that is refused.
        """
        # Nothing here is left to Polars: its threads do not survive the fork of a process.
        names = ["chrom", "start", "end", "strand"][: 4 if "strand" in intervals.columns else 3]
        asked = _Asked.of(*(intervals[name].to_arrow() for name in names), shift=shift)
        return self._fetch(asked, edge, missing)

    def _fetch(self, asked: "_Asked", edge: EdgePolicy, missing: MissingPolicy) -> Windows:
        contig = numbered(asked.chrom, self._names.number, null=-1)
        length = self._pieces.length[contig]
        # The part of each window that lies on its contig.
        start, end = np.clip(asked.start, 0, length), np.clip(asked.end, 0, length)
        offset = self._pieces.offset_of(contig, start, end)
        over = (asked.start < 0) | (asked.end > length)
        absent = (contig < 0) | ((offset < 0) & (start < end))
        unfit = ~absent & ((start >= end) if edge == "pad" else over)
        self._refuse(asked, contig, unfit & (edge != "drop"), absent & (missing == "error"))
        kept = ~absent & ~unfit
        if kept.all():
            kept = slice(None)
        return Windows(
            sequences=SequenceBatch.cut(
                self._codes,
                offset[kept],
                (offset + end - start)[kept],
                before=(start - asked.start)[kept] if over.any() else None,
                after=(asked.end - end)[kept] if over.any() else None,
            ).reverse_complement(where=asked.minus[kept]),
            rows=np.arange(contig.size)[kept],
            padded=int(over[kept].sum()),
            dropped=int(unfit.sum()),
            missing=int(absent.sum()),
            beyond=int(((contig >= 0) & (asked.start >= length)).sum()),
        )

    def _refuse(
        self,
        asked: "_Asked",
        contig: Int64[ndarray, " k"],
        unfit: Bool[ndarray, " k"],
        absent: Bool[ndarray, " k"],
    ) -> None:
        """Raise for the first window that is refused, whatever for."""
        wrong = asked.empty | asked.unstranded | unfit | absent
        if not wrong.any():
            return
        row = int(np.argmax(wrong))
        name = str(asked.chrom[row].as_py())
        if asked.empty[row]:
            reason = "it has no bases", "give 0-based start < end"
        elif asked.unstranded[row]:
            reason = "its strand is none of + - .", "correct it"
        elif contig[row] < 0:
            reason = (
                f"{self.path.name} has no contig {name}",
                near_misses(name, list(self.contigs)),
            )
        elif absent[row]:
            reason = (
                f"{self.path.name} holds only parts of {name}, and not this one",
                "give the whole genome, or leave missing windows out",
            )
        else:
            size = int(self._pieces.length[contig[row]])
            where = f"the end of {name} at {size:,}" if asked.end[row] > size else f"0 on {name}"
            reason = (
                f"it reaches over {where}",
                "check the build, or choose the edge policy pad or drop",
            )
        window = f"{name}:{asked.start[row]}-{asked.end[row]}"
        more = int(wrong.sum()) - 1
        others = f" ({more} more windows cannot be had)" if more else ""
        raise WindowError(row, f"window {row + 1}, {window}: {reason[0]}{others}", reason[1])


class _Asked(NamedTuple):
    """Windows as columns, moved by their shift."""

    chrom: ArrowColumn
    start: Int64[ndarray, " k"]
    end: Int64[ndarray, " k"]
    minus: Bool[ndarray, " k"]
    empty: Bool[ndarray, " k"]
    unstranded: Bool[ndarray, " k"]

    @classmethod
    def of(
        cls,
        chrom: ArrowColumn,
        start: ArrowColumn,
        end: ArrowColumn,
        strand: ArrowColumn | None = None,
        shift: int | Int64[ndarray, " k"] = 0,
    ) -> "_Asked":
        if strand is None:
            sign = np.zeros(len(chrom), dtype=np.int64)
        else:
            sign = numbered(strand, lambda name: _SIGNS.get(name, -1), null=0)
        first, last = (_whole_numbers(column) + shift for column in (start, end))
        nowhere = [
            column.is_null().to_numpy(zero_copy_only=False)
            for column in (chrom, start, end)
            if column.null_count
        ]
        return cls(
            chrom=chrom,
            start=first,
            end=last,
            minus=sign == 1,
            empty=np.logical_or.reduce([*nowhere, first >= last]),
            unstranded=sign < 0,
        )


def _whole_numbers(column: ArrowColumn) -> Int64[ndarray, " k"]:
    """A column of integers; what is missing is 0."""
    if column.type != pa.int64():
        column = column.cast(pa.int64())
    if column.null_count:
        column = column.fill_null(0)
    # By the buffer: pyarrow's own way to NumPy imports pandas where it is installed, for seconds.
    return np.frombuffer(column.buffers()[1], dtype=np.int64)[column.offset :][: len(column)]


_SIGNS = {"+": 0, ".": 0, "-": 1}


def _distinct(path: Path) -> Iterator[Contig]:
    """Contigs of a genome, of which no two may have one name."""
    names: set[str] = set()
    for row, contig in enumerate(stream_contigs(path), start=1):
        if contig.name in names:
            raise DataError(path, f"a second {contig.name}", "give every contig once", row=row)
        names.add(contig.name)
        yield contig


def stream_contigs(path: str | Path, policy: LetterPolicy = "unknown") -> Iterator[Contig]:
    """Contigs of a FASTA file, plain or gzipped, or a .2bit file: memory holds one at a time.

    Raises
    ------
    DataError
        The file is missing, no genome, cut short, or holds a character that ``policy`` does not
        admit; the row is the contig's place in the file.
    MissingExtraError
        The file is .2bit and py2bit is not installed.
    """
    path = Path(path)
    for row, (name, text) in enumerate(stream_letters(path), start=1):
        try:
            yield Contig(name, encode(text, policy))
        except LetterError as error:
            raise DataError(path, error.problem, error.remedy, row=row) from None


def stream_letters(path: Path) -> Iterator[tuple[str, str]]:
    """Names and letters of the contigs of a genome file, with repeats in lower case where they are.

    Raises
    ------
    DataError
        The file is missing, no genome, or cut short.
    MissingExtraError
        The file is .2bit and py2bit is not installed.
    """
    # htslib dies of a folder and does not tell a missing file from a damaged one.
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    with path.open("rb") as stream:
        packed = stream.read(4) in MAGIC
    found = False
    for named in _two_bit(path) if packed else stream_fasta(path):
        found = True
        yield named
    if not found:
        raise DataError(
            path, "there is no sequence in it", "give a FASTA or .2bit file (.fa, .fa.gz, .2bit)"
        )


def _two_bit(path: Path) -> Iterator[tuple[str, str]]:
    try:
        import py2bit
    except ImportError:
        raise MissingExtraError("py2bit", "twobit", "reading .2bit files") from None
    check_two_bit(path)
    try:
        genome: Any = py2bit.open(str(path), True)
        try:
            for name, length in genome.chroms().items():
                # py2bit refuses to give no bases.
                yield name, genome.sequence(name) if length else ""
        finally:
            genome.close()
    except RuntimeError as error:
        raise DataError(path, "damaged or cut short", "copy it again") from error
