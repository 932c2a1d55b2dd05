"""Tables of tracks: what each was measured by, and how its signal became targets.

Source: ``targets.txt`` of calico/basenji and calico/borzoi.
"""

from pathlib import Path

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import parse_delimited
from attendna.core.errors import DataError

ASSAYS = ("DNase/ATAC", "histone ChIP", "TF ChIP", "CAGE", "RNA", "other")
"""Types of tracks, as results are told by."""

COLUMNS = {
    "index": pl.Int64,
    "identifier": pl.String,
    "description": pl.String,
    "assay": pl.String,
    "clip": pl.Float64,
    "clip_soft": pl.Float64,
    "scale": pl.Float64,
    "sum_stat": pl.String,
    "strand_pair": pl.Int64,
}
"""Columns of every table of tracks. ``strand_pair`` is the track of the other strand, itself where
a track has none; what a table does not tell is null."""

_NUMBERS = ("clip", "clip_soft", "scale", "strand_pair")
_HISTONE = r"(?i)^CHIP:H(1|2A|2B|3|4)(\D|$)|^CHIP:H3\.?3"


def read_targets(path: str | Path) -> pl.DataFrame:
    """Read ``targets.txt``: :data:`COLUMNS`, and ``file`` where the table has it.

    Raises
    ------
    DataError
        It is missing or no table, has no tracks, a number is none, or strands are not in pairs.
    """
    path = Path(path)
    table = parse_delimited(path, plain_text(path, read_content(path)), "\t")
    if "identifier" not in table.columns:
        raise DataError(path, "there is no column identifier", "give a table like targets.txt")
    if not table.height:
        raise DataError(path, "there are no tracks", "give every track a row")
    table = _with_numbers(path, table)
    unnamed = table["identifier"].is_null()
    if unnamed.any():
        raise DataError(
            path, "the identifier is missing", "fill it in", row=int(unnamed.arg_max() or 0) + 1
        )
    table = table.with_columns(
        pl.col(name) if name in table.columns else pl.lit(None, kind).alias(name)
        for name, kind in COLUMNS.items()
        if name not in ("index", "assay")
    ).with_columns(index=pl.int_range(pl.len()), assay=_assay())
    _check_pairs(path, table)
    return table.select(*COLUMNS, *(["file"] if "file" in table.columns else []))


def _with_numbers(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    for name in _NUMBERS:
        if name not in table.columns:
            continue
        text = table[name]
        number = text.cast(pl.Float64, strict=False).cast(COLUMNS[name], strict=False)
        wrong = (text.is_not_null() & number.is_null()) | ~number.cast(pl.Float64).is_finite()
        row = wrong.fill_null(value=False).arg_max() or 0
        if wrong.fill_null(value=False).any():
            raise DataError(path, f"{name} is {text[row]}", "give a number", row=row + 1)
        table = table.with_columns(number.alias(name))
    return table


def _assay() -> pl.Expr:
    """The type of a track by the beginning of its description."""
    told = pl.col("description").fill_null("").str.to_uppercase()
    return (
        pl.when(told.str.contains(r"^(DNASE|ATAC):"))
        .then(pl.lit("DNase/ATAC"))
        .when(told.str.contains(_HISTONE))
        .then(pl.lit("histone ChIP"))
        .when(told.str.starts_with("CHIP:"))
        .then(pl.lit("TF ChIP"))
        .when(told.str.starts_with("CAGE"))
        .then(pl.lit("CAGE"))
        .when(told.str.contains(r"^RNA\d*:"))
        .then(pl.lit("RNA"))
        .otherwise(pl.lit("other"))
    )


def _check_pairs(path: Path, table: pl.DataFrame) -> None:
    """The other strand's other strand is the track itself."""
    pairs = table["strand_pair"].to_list()
    if all(pair is None for pair in pairs):
        return
    for row, pair in enumerate(pairs):
        if pair is None or not 0 <= pair < len(pairs) or pairs[pair] != row:
            raise DataError(
                path,
                f"strand_pair is {pair}, and that track does not name this one",
                "number the tracks from 0 and give both the other's number",
                row=row + 1,
            )
