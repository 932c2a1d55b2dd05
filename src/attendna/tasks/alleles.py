"""Sequences with another allele: the second sequence of paired tasks."""

from pathlib import Path

import polars as pl

from attendna.core.errors import DataError, UserError
from attendna.genome.alleles import Checked, MismatchPolicy, check_reference
from attendna.genome.reference import Reference


def exchanged(sequence: pl.Expr, at: pl.Expr, ref: pl.Expr, alt: pl.Expr) -> pl.Expr:
    """A sequence of which the bases ``ref``, from its base ``at`` on, are ``alt``.

    Parameters
    ----------
    at
        Counted from 0, on the strand of the sequence.
    alt
        Empty for a deletion, which makes the sequence shorter.
    """
    after = at + ref.str.len_bytes().cast(pl.Int64)
    return pl.concat_str(sequence.str.slice(0, at), alt, sequence.str.slice(after))


def check_file(
    path: Path, variants: pl.DataFrame, reference: Reference, mismatch: MismatchPolicy
) -> Checked:
    """Compare the variants of a file with the genome; see :func:`~.check_reference`.

    Raises
    ------
    DataError
        Some ``ref`` is not the genome's, and the policy is ``"error"``; names the file and line.
    """
    try:
        return check_reference(variants, reference, mismatch=mismatch)
    except UserError as error:
        remedy = "use the genome the variants were called on, or add --mismatch drop"
        raise DataError(path, error.problem, remedy) from None
