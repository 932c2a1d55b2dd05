"""Alleles against the genome: does REF agree, and the one way to write each variant.

Shapes: ``n`` bases, ``k`` windows.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Bool
from numpy import ndarray

from attendna.core.errors import UserError
from attendna.genome.alphabet import N
from attendna.genome.contigs import ContigNames
from attendna.genome.reference import Reference
from attendna.genome.sequences import SequenceBatch

Status = Literal["match", "swapped", "mismatch", "unchecked"]
"""What the genome says of a variant: it has ``ref``; it has ``alt`` and not ``ref``; it has
neither, or ends before; it is not known there, or is N."""

MismatchPolicy = Literal["error", "drop", "keep", "swap"]
"""What becomes of variants whose ``ref`` is not the genome's: the file is refused; they are left
out; they stay; or the swapped ones have their alleles exchanged and the others are left out."""

_FLANKS = (128, 16, 4, 1)


@dataclass(frozen=True, eq=False)
class Checked:
    """Variants with a column ``status``, and how many there were of each before any was dropped."""

    frame: pl.DataFrame
    counts: dict[Status, int]


def check_reference(
    variants: pl.DataFrame, reference: Reference, *, mismatch: MismatchPolicy = "keep"
) -> Checked:
    """Compare the alleles of variants with the genome; contigs are then named as they are there.

    Raises
    ------
    UserError
        Some ``ref`` is not the genome's, and the policy is ``"error"``; names file and line.
    """
    variants = _renamed(variants, reference)
    has_ref, known = _agrees(variants, variants["ref"], reference)
    has_alt, _ = _agrees(variants, variants["alt"], reference)
    status = np.select([has_ref, ~known, has_alt], ["match", "unchecked", "swapped"], "mismatch")
    frame = variants.with_columns(status=pl.Series(status, dtype=pl.String))
    counts: dict[Status, int] = {
        name: int((status == name).sum()) for name in ("match", "swapped", "mismatch", "unchecked")
    }
    wrong = frame.filter(pl.col("status").is_in(["swapped", "mismatch"]))
    if mismatch == "error" and wrong.height:
        raise _disagreement(wrong, reference)
    if mismatch == "drop":
        frame = frame.filter(~pl.col("status").is_in(["swapped", "mismatch"]))
    if mismatch == "swap":
        swapped = pl.col("status") == "swapped"
        frame = frame.filter(pl.col("status") != "mismatch").with_columns(
            ref=pl.when(swapped).then("alt").otherwise("ref"),
            alt=pl.when(swapped).then("ref").otherwise("alt"),
        )
    return Checked(frame, counts)


def normalize(variants: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Write every variant in the one way of VCF: as few bases as can be, as far left as can be.

    A variant whose ``ref`` is not the genome's is shortened but not moved, and none is moved beyond
    what is known of the genome.

    Source: Tan, Abecasis and Kang, Bioinformatics 31 (2015), 2202.
    """
    variants = _renamed(variants, reference)
    is_long = (pl.col("ref").str.len_bytes() > 1) | (pl.col("alt").str.len_bytes() > 1)
    rows = variants.select(is_long.arg_true()).to_series()
    long = variants[rows]
    moves, _ = _agrees(long, long["ref"], reference)
    todo = [
        _Variant(chrom, start, ref, alt, moves=move)
        for (chrom, start, ref, alt), move in zip(
            long.select("chrom", "start", "ref", "alt").iter_rows(), moves.tolist(), strict=True
        )
    ]
    moving = todo
    while moving:
        moving = [variant for variant in moving if variant.move_left()]
        _give_flanks(moving, reference)
    start, ref, alt = (variants[name].to_list() for name in ("start", "ref", "alt"))
    for row, variant in zip(rows.to_list(), todo, strict=True):
        variant.trim_left()
        start[row], ref[row], alt[row] = variant.start, variant.ref, variant.alt
    return variants.with_columns(
        start=pl.Series(start, dtype=pl.Int64),
        ref=pl.Series(ref, dtype=pl.String),
        alt=pl.Series(alt, dtype=pl.String),
    )


@dataclass(slots=True)
class _Variant:
    """A variant on its way to the left."""

    chrom: str
    start: int
    ref: str
    alt: str
    moves: bool
    flank: str = ""
    """Known bases to the left of ``start``."""

    def move_left(self) -> bool:
        """Cut off or turn round what the alleles end in alike; whether more flank is needed."""
        while self.ref[-1] == self.alt[-1]:
            if len(self.ref) == 1 or len(self.alt) == 1:
                if not self.flank:
                    return self.moves and self.start > 0
                if self.flank[-1] == "N":
                    return False
                self.ref, self.alt = self.flank[-1] + self.ref, self.flank[-1] + self.alt
                self.flank, self.start = self.flank[:-1], self.start - 1
            self.ref, self.alt = self.ref[:-1], self.alt[:-1]
        return False

    def trim_left(self) -> None:
        """Cut off what the alleles begin with alike, but for one base."""
        shortest = min(len(self.ref), len(self.alt))
        alike = 0
        while alike < shortest - 1 and self.ref[alike] == self.alt[alike]:
            alike += 1
        self.ref, self.alt, self.start = self.ref[alike:], self.alt[alike:], self.start + alike


def _give_flanks(variants: list[_Variant], reference: Reference) -> None:
    """Fetch the bases to the left of variants; those without a known base there move no more."""
    left = variants
    for width in _FLANKS:
        hungry = [variant for variant in left if variant.start >= width]
        left = [variant for variant in left if variant.start < width]
        if not hungry:
            continue
        windows = pl.DataFrame(
            [(v.chrom, v.start - width, v.start) for v in hungry],
            schema={"chrom": pl.String, "start": pl.Int64, "end": pl.Int64},
            orient="row",
        )
        got = reference.windows(windows, edge="drop", missing="drop")
        for row, text in zip(got.rows.tolist(), got.sequences.to_text(), strict=True):
            hungry[row].flank = text
        left += [variant for variant in hungry if not variant.flank]
    for variant in left:
        variant.moves = False


def _renamed(variants: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Variants with contigs named as the genome names them, where it has them."""
    names = ContigNames(reference.contigs)
    used = variants["chrom"].unique().to_list()
    own = {name: reference.contigs[i] for name in used if (i := names.number(name)) >= 0}
    return variants.with_columns(pl.col("chrom").replace(own))


def _agrees(
    variants: pl.DataFrame, alleles: pl.Series, reference: Reference
) -> tuple[Bool[ndarray, " k"], Bool[ndarray, " k"]]:
    """Whether the genome has these alleles where the variants are, and whether it is known."""
    end = variants["start"] + alleles.str.len_bytes().cast(pl.Int64)
    windows = variants.select("chrom", "start", end=end)
    got = reference.windows(windows, edge="drop", missing="drop")
    expected = SequenceBatch.from_text(alleles.gather(got.rows), "unknown")
    same, known = np.zeros((2, variants.height), dtype=np.bool_)
    if got.rows.size:
        begins = expected.offsets[:-1]
        codes = got.sequences.codes
        is_known = ~np.logical_or.reduceat((codes == N) | (expected.codes == N), begins)
        known[got.rows] = is_known
        same[got.rows] = np.logical_and.reduceat(codes == expected.codes, begins) & is_known
    # Where a contig is whole, beyond its end nothing is unknown.
    length = variants["chrom"].replace_strict(
        dict(reference.lengths), default=None, return_dtype=pl.Int64
    )
    return same, known | (end > length).fill_null(value=False).to_numpy()


def _disagreement(wrong: pl.DataFrame, reference: Reference) -> UserError:
    chrom, start, ref, line = wrong.select("chrom", "start", "ref", "line").row(0)
    first = f"line {line}: {reference.path.name} has no {ref} at {chrom}:{start + 1}"
    more = f" ({wrong.height - 1} more variants disagree)" if wrong.height > 1 else ""
    return UserError(first + more, "use the genome the variants were called on, or leave them out")
