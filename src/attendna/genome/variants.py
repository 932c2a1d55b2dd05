"""Variants of VCF files and tables as one table; the only place where positions that count from 1
become 0-based.

VCF is read here and not by pysam, which refuses files without a ``#CHROM`` line, as people's lists
of SNPs often are, and stops at the first bad row instead of telling all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.errors import DataError
from attendna.core.formats import DELIMITERS, ending_of
from attendna.genome.preflight import BadRows, BadRowsError, Rule, judge
from attendna.genome.rows import Layout, first_row, read_rows, read_table, split_row

SCHEMA = {
    "chrom": pl.String,
    "start": pl.Int64,
    "ref": pl.String,
    "alt": pl.String,
    "id": pl.String,
    "line": pl.Int64,
}
"""Columns of every table of variants, one alternative allele a row. ``start`` is the 0-based place
of the first base of ``ref``, and ``line`` the line of the file. Alleles are upper case ACGTN."""

TABLE_NAMES: Mapping[str, tuple[str, ...]] = {
    "chrom": ("chrom", "#chrom", "chr", "#chr", "chromosome", "seqnames", "contig"),
    "pos": ("pos", "position", "variant_pos", "bp"),
    "start": ("start", "chromstart"),
    "ref": ("ref", "reference", "ref_allele", "reference_allele", "referenceallele"),
    "alt": ("alt", "alternate", "alt_allele", "alternate_allele", "alternateallele"),
    "id": ("variant_id", "variant", "id", "rsid", "snp"),
}
"""Column names, in lower case, that are understood in tables. ``pos`` counts from 1, ``start`` from
0 unless the reader is told otherwise."""

LEFT_OUT: Mapping[str, str] = {
    "none": r"^\.?$",
    "star": r"^(\*|<\*>|<NON_REF>)$",
    "symbolic": r"^<.+>$",
    "breakend": r"[\[\]]|^\..|.\.$",
}
"""Alternative alleles that are no sequence, and how they are written (VCF 4.3, section 1.6.1)."""

_VCF = ("chrom", "pos", "id", "ref", "alt", "QUAL", "FILTER", "INFO")
_WHOLE = ("pos", "start")
_TAKEN = {*SCHEMA, *TABLE_NAMES, "status"}
_LONGEST = 1 << 40
# chr1_14677_G_A_b38, 1:14677:G:A, chr1-14677-G-A
_SPELLED = r"^(?<chrom>.+)[_:-](?<pos>\d+)[_:-](?<ref>[A-Za-z]+)[_:-](?<alt>[A-Za-z]+)(?:_\w+)?$"


@dataclass(frozen=True, eq=False)
class Variants:
    """The good rows of a file, one for each alternative allele, and what became of the rest."""

    frame: pl.DataFrame
    complaints: pl.DataFrame
    left_out: Mapping[str, int]
    """How many alternative alleles are no sequence, by the kinds of :data:`LEFT_OUT`."""


def read_variants(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    one_based: bool = False,
    keep: Sequence[str] = (),
    bad: BadRows = "error",
) -> Variants:
    """Read a VCF file, or a table with named columns; each may be gzipped or bgzipped.

    Parameters
    ----------
    columns
        Names of a table's columns, keyed as in :data:`TABLE_NAMES`, where they are not the usual
        ones. A table needs ``chrom``, ``pos`` or ``start``, ``ref`` and ``alt``, or else only ids
        that spell the variants out, as ``chr1_14677_G_A_b38`` does, with a 1-based position.
    one_based
        The ``start`` of the table counts from 1.
    keep
        Further columns to keep, as text: names of the table's, or ``QUAL``, ``FILTER``, ``INFO``.

    Returns
    -------
    A table of :data:`SCHEMA` with the columns kept after it, and the rows left out.

    Raises
    ------
    BadRowsError
        A row is bad and ``bad`` is ``"error"``.
    DataError
        The file is missing, empty, no text, of an unknown kind, or lacks a column.
    """
    path = Path(path)
    if taken := [name for name in keep if name in _TAKEN]:
        raise DataError(path, f"{taken[0]} cannot be kept", "it is read anyway, or rename it")
    content = read_content(path)
    is_table = _is_table(path, content)
    text = plain_text(path, content)
    if is_table:
        frame, unread = _read_table(path, text, columns or {}, keep)
        base = 1 if one_based or "pos" in frame.columns else 0
        frame = frame.rename({"pos": "start"} if "pos" in frame.columns else {})
    else:
        frame, unread = _read_vcf(path, text, keep)
        base = 1
    frame, misplaced = _check_places(frame.with_columns(pl.col("start") - base), base)
    frame, left_out = _split_alleles(frame)
    frame, wrong = _check_alleles(frame)
    complaints = pl.concat([unread, misplaced, wrong]).unique("line", keep="first").sort("line")
    if bad == "error" and complaints.height:
        raise BadRowsError(path, complaints)
    frame = frame.join(complaints, on="line", how="anti", maintain_order="left")
    return Variants(frame.select(*SCHEMA, *keep), complaints, left_out)


def _is_table(path: Path, content: bytes) -> bool:
    if content.startswith(b"##fileformat=VCF"):
        return False
    ending = ending_of(path)
    if ending == ".vcf":
        return False
    if ending in DELIMITERS:
        return True
    if content.startswith(b"BCF"):
        raise DataError(
            path, "this is BCF", "convert it: bcftools view -O z FILE.bcf > FILE.vcf.gz"
        )
    raise DataError(
        path,
        "this is no format of variants that is known by its ending",
        "name it .vcf, .tsv or .csv (each may be followed by .gz)",
    )


def _read_vcf(path: Path, text: bytes, keep: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    begin, end = first_row(text)
    fields, separator = split_row(text[begin:end])
    width = max(len(fields), 5)
    unknown = [name for name in keep if name not in _VCF[5:]]
    if unknown or width < max((_VCF.index(name) + 1 for name in keep if name in _VCF), default=0):
        absent = ", ".join(unknown or keep)
        raise DataError(path, f"there is no column {absent} to keep", "keep QUAL, FILTER or INFO")
    read = [name if name in (*_VCF[:5], *keep) else None for name in _VCF]
    layout = Layout(
        fields=tuple((*read, *[None] * width)[:width]),
        separator=separator,
        whole=_WHOLE,
        required=("chrom", "pos", "ref"),
        # NA may be an allele: an unknown base and an A.
        missing=("", "."),
    )
    lines = text.count(b"\n", 0, begin)
    frame, complaints = read_rows(path, text[begin:], layout, first_line=lines + 1)
    return frame.rename({"pos": "start"}), complaints


def _read_table(
    path: Path, text: bytes, columns: Mapping[str, str], keep: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of a table, with ``pos`` or ``start``."""
    frame, complaints = read_table(
        path, text, TABLE_NAMES, columns, whole=_WHOLE, required=(), keep=keep
    )
    needed = {"chrom", "ref", "alt"}
    placed = needed <= set(frame.columns) and ("pos" in frame.columns or "start" in frame.columns)
    if not placed and "id" in frame.columns:
        spelled = pl.col("id").str.extract_groups(_SPELLED).struct
        frame = frame.drop("start", strict=False).with_columns(
            spelled.field(name) for name in ("chrom", "pos", "ref", "alt")
        )
        rule = Rule(
            pl.col("pos").is_null(),
            pl.format("the id '{}' spells out no variant", pl.col("id").fill_null("")),
            "write it as chr1_14677_G_A",
        )
        frame, misspelled = judge(frame, [rule])
        return frame.with_columns(pl.col("pos").cast(pl.Int64, strict=False)), pl.concat(
            [complaints, misspelled]
        )
    if not placed:
        raise DataError(
            path,
            "there are neither columns chrom, pos (or start), ref and alt, nor a column id",
            "name them by columns={'chrom': ..., 'pos': ..., 'ref': ..., 'alt': ...}",
        )
    frame = frame.drop("start" if "pos" in frame.columns else [], strict=False)
    ids = [] if "id" in frame.columns else [pl.lit(None, pl.String).alias("id")]
    return frame.with_columns(ids), complaints


def _check_places(frame: pl.DataFrame, base: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    start = pl.col("start")
    rules = [
        Rule(pl.col("chrom").is_null(), pl.lit("the chrom is missing"), "fill it in"),
        Rule(start.is_null(), pl.lit("the position is missing"), "fill it in"),
        Rule(
            start < 0,
            pl.format("the position {} lies before the chromosome", start + base),
            "correct it" if base == 0 else "count from 1",
        ),
        Rule(
            start > _LONGEST,
            pl.format("the position {} lies beyond any chromosome", start + base),
            "correct the number",
        ),
        Rule(pl.col("ref").is_null(), pl.lit("the reference allele is missing"), "fill it in"),
    ]
    return judge(frame, rules)


def _split_alleles(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """One row an alternative allele that is a sequence, and how many are none."""
    frame = frame.with_columns(
        pl.col("ref").str.to_uppercase(), pl.col("alt").fill_null(".").str.split(",")
    ).explode("alt")
    counts = dict.fromkeys(LEFT_OUT, 0)
    if frame.select(pl.col("alt").str.contains(r"^[ACGTacgt]+$").all()).item():
        return frame.with_columns(pl.col("alt").str.to_uppercase()), counts
    kind = pl.coalesce(
        pl.when(pl.col("alt").str.contains(pattern)).then(pl.lit(name))
        for name, pattern in LEFT_OUT.items()
    )
    kinds = frame.select(kind.alias("kind")).to_series()
    counts |= dict(kinds.drop_nulls().value_counts().iter_rows())
    return frame.filter(kinds.is_null()).with_columns(pl.col("alt").str.to_uppercase()), counts


def _check_alleles(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    rules = [
        *(
            Rule(
                ~pl.col(name).str.contains(r"^[ACGTN]+$"),
                pl.format(f"the {name} allele '{{}}' is no sequence", name),
                "write bases; for an insertion or deletion the base before it, too, as VCF does",
            )
            for name in ("ref", "alt")
        ),
        Rule(
            pl.col("ref") == pl.col("alt"),
            pl.format("ref and alt are both '{}'", "ref"),
            "correct one or remove the row",
        ),
    ]
    # IUPAC's ambiguity letters are N, as they are in genomes.
    frame = frame.with_columns(pl.col("ref").str.replace_all("[RYSWKMBDHV]", "N"))
    return judge(frame, rules)
