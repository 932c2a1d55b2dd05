"""Tables of saturation mutagenesis: the effect of every variant of some elements.

Source: format of Kircher et al., Nature Communications 10 (2019), 3583.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError
from attendna.genome.contigs import same_build
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.rows import read_table

NAMES: Mapping[str, tuple[str, ...]] = {
    "chrom": ("chrom", "chromosome", "chr"),
    "pos": ("pos", "position"),
    "ref": ("ref", "reference"),
    "alt": ("alt", "alternate"),
    "effect": ("coefficient", "value", "effect", "log2fc"),
    "barcodes": ("barcodes", "tags"),
    "element": ("element",),
    "release": ("release",),
}
"""Column names, in lower case, that are understood. ``pos`` counts from 1; an ``alt`` of ``-`` is a
deletion of one base."""

_VARIANT = ("chrom", "pos", "ref", "alt")


def read_mutagenesis(path: str | Path, *, release: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read the variants that are given on one release of the genome.

    Returns
    -------
    Columns ``element, chrom, position`` (0-based), ``ref, alt, effect, barcodes, line``, and how
    many rows were left out, by what for. The element of a table without that column is its name.

    Raises
    ------
    DataError
        The file is missing, damaged or lacks a column, a row of it is bad, or none is of the
        release.
    """
    path = Path(path)
    frame, complaints = read_table(
        path,
        plain_text(path, read_content(path)),
        NAMES,
        {},
        whole=("barcodes",),
        real=("effect",),
        required=("effect",),
    )
    for name in _VARIANT:
        if name not in frame.columns:
            raise DataError(path, f"there is no {name} column", f"call it {name}")
    if complaints.height:
        raise BadRowsError(path, complaints)
    absent = {
        "element": pl.lit(path.name.partition(".")[0]),
        "release": pl.lit(release),
        "barcodes": pl.lit(None, pl.Int64),
    }
    frame = frame.with_columns(
        value.alias(name) for name, value in absent.items() if name not in frame.columns
    )
    releases = frame["release"].unique().drop_nulls().to_list()
    mine = [name for name in releases if same_build(name, release)]
    if not mine:
        raise DataError(
            path, f"no row is of {release}", f"choose --release {' or '.join(sorted(releases))}"
        )
    ours = frame.filter(pl.col("release").is_in(mine))
    placed = ours.drop_nulls(["chrom", "pos"])
    counts = {
        "rows": frame.height,
        "rows of other releases": frame.height - ours.height,
        "rows without a place": ours.height - placed.height,
    }
    return _checked(path, placed), counts


def _checked(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Typed rows, of which no two contradict each other."""
    frame = frame.with_columns(
        pl.col("ref").str.to_uppercase(),
        pl.col("alt").str.to_uppercase(),
        written=pl.col("pos"),
        position=pl.col("pos").cast(pl.Int64, strict=False) - 1,
    )
    site = ("element", "chrom", "position")
    frame = frame.with_columns(first_ref=pl.col("ref").first().over(site))
    rules = [
        *(
            Rule(pl.col(name).is_null(), pl.lit(f"the {name} is missing"), "fill it in")
            for name in ("element", "ref", "alt")
        ),
        Rule(
            pl.col("position").is_null() | (pl.col("position") < 0),
            pl.format("the position '{}' is no whole number from 1 on", "written"),
            "correct it",
        ),
        Rule(
            ~pl.col("ref").str.contains("^[ACGT]$"),
            pl.format("the reference '{}' is not one base", "ref"),
            "write A, C, G or T; are columns exchanged?",
        ),
        Rule(
            ~pl.col("alt").str.contains("^[ACGT-]$"),
            pl.format("the alternative '{}' is neither one base nor -", "alt"),
            "write A, C, G, T, or - for a deletion",
        ),
        Rule(pl.col("ref") == pl.col("alt"), pl.lit("ref and alt are the same"), "correct one"),
        Rule(
            pl.col("ref") != pl.col("first_ref"),
            pl.format(
                "its reference is {}, but a row before says {} of this place",
                "ref",
                "first_ref",
            ),
            "correct one; are the columns of ref and alt exchanged?",
        ),
        Rule(
            ~pl.struct(*site, "alt").is_first_distinct(),
            pl.lit("this variant stands there before"),
            "keep one of them",
        ),
        Rule(
            pl.col("chrom") != pl.col("chrom").first().over("element"),
            pl.format("the element {} is on two chromosomes", "element"),
            "correct one",
        ),
    ]
    good, complaints = judge(frame, rules)
    if complaints.height:
        raise BadRowsError(path, complaints)
    return good.select("element", "chrom", "position", "ref", "alt", "effect", "barcodes", "line")


def elements_of(variants: pl.DataFrame) -> pl.DataFrame:
    """Where each element was measured, and its sequence: N where no row spells it.

    Returns
    -------
    Columns ``element, chrom, start, end, sequence, unknown`` (how many N), in order of the names.
    """
    sites = variants.unique(["element", "position"]).sort("element", "position")
    ranges = sites.group_by("element", maintain_order=True).agg(
        pl.col("chrom").first(),
        start=pl.col("position").first(),
        end=pl.col("position").last() + 1,
    )
    every = ranges.select("element", position=pl.int_ranges("start", "end")).explode("position")
    spelled = (
        every.join(
            sites.select("element", "position", "ref"), on=["element", "position"], how="left"
        )
        .sort("element", "position")
        .group_by("element", maintain_order=True)
        .agg(sequence=pl.col("ref").fill_null("N").str.join(""), unknown=pl.col("ref").null_count())
    )
    return ranges.join(spelled, on="element", maintain_order="left")
