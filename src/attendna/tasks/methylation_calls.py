"""Tables of methylation, one cytosine a row, in the forms that the common callers write.

bedMethyl (ENCODE, modkit and others), coverage files and reports of Bismark, bedGraph (MethylDackel
and others), tables of gemBS and of methylKit are told apart by their columns. Positions are 0-based
here, whatever they are in the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import MISSING
from attendna.core.errors import DataError
from attendna.genome.preflight import BadRowsError, Rule, judge
from attendna.genome.rows import Layout, first_row, read_rows, split_row

METHYL = "m"
"""The code of 5mC."""

OTHER_MODIFICATION = "rows of other modifications"
NO_READS = "rows without reads"
SHARES = "rows with a share where a percentage should be, multiplied by 100"

_CODES: Mapping[str, str] = {
    **{code: code for code in ("m", "h", "f", "c", "C", "a", "A", "21839")},
    **dict.fromkeys(("27551", "5mC"), "m"),
    **dict.fromkeys(("76792", "5hmC"), "h"),
    **dict.fromkeys(("76794", "5fC"), "f"),
    **dict.fromkeys(("76793", "5caC"), "c"),
    **dict.fromkeys(("28871", "6mA"), "a"),
    "4mC": "21839",
}
"""What modifications are called, in SAM and by their numbers in ChEBI: 5mC, 5hmC, 5fC, 5caC, any of
C, 6mA, any of A, 4mC."""

_NAMED: Mapping[str, str] = {
    "chr": "chrom",
    "base": "start",
    "start": "start",
    "end": "end",
    "strand": "strand",
    "coverage": "reads",
    "freqc": "percent",
    "numcs": "methylated",
    "numts": "unmethylated",
}
"""Columns of methylKit's tables, in lower case."""

_PLACE = ("chrom", "start", "end")
_COUNTS = ("methylated", "unmethylated")
_BEDMETHYL = (*_PLACE, "code", None, "strand", None, None, None, "reads", "percent")
_MODKIT = 18
_COUNTS_ALONE = b"methylation counts"
_NUMBERS = ("start", "end", "reads", *_COUNTS)


@dataclass(frozen=True)
class _Form:
    """What the columns of a file are."""

    fields: tuple[str | None, ...]
    separator: str | None
    header: bool = False
    base: int | None = 0
    """What the first position of a chromosome is called; none where ``end`` tells: it is ``start``
    where positions count from 1, and ``start + 1`` where they count from 0."""


@dataclass(frozen=True, eq=False)
class CallTable:
    """The calls of a file.

    ``frame`` has the columns ``chrom``, ``start``, ``strand`` (``+``, ``-`` or null), ``reads`` and
    ``percent``, no two rows of one cytosine.
    """

    frame: pl.DataFrame
    counted: bool = True
    """Whether the file says how many reads there are; each row has one here where it does not."""
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    """Rows that were left out or changed, by the reason."""


def read_calls(path: str | Path, modifications: tuple[str, ...] = (METHYL,)) -> CallTable:
    """Read the methylated share of the reads at every cytosine of a file.

    Where counts of reads are given, the percentage is theirs. Rows without a read are left out, for
    nothing is known of them. A percentage that no count of reads can have is taken as a share.

    Parameters
    ----------
    modifications
        Codes of bedMethyl's fourth column, as SAM or ChEBI have them: ``m`` or ``27551`` for 5mC.
        Of several the percentages are added; the reads are the same and count once. Files that name
        no modification, as those of bisulfite sequencing, hold one kind of call.

    Raises
    ------
    BadRowsError
        A row is bad, does not lie on one base, or is the second one of a cytosine.
    DataError
        The file is missing, empty, damaged, of none of these forms, or has no row of the
        modifications.
    """
    path = Path(path)
    text = plain_text(path, read_content(path))
    if b'"' in text:
        # R writes texts in quotes, and none of them holds a separator.
        text = text.replace(b'"', b"")
    begin, end = first_row(text)
    if _COUNTS_ALONE in text[:begin]:
        # MethylDackel writes what it was asked for into the line that sets a browser.
        raise DataError(
            path,
            "it holds numbers of reads, not percentages",
            "give MethylDackel's file without --counts",
        )
    form = _form_of(path, text[begin:end], text[slice(*first_row(text, end + 1))])
    if form.header:
        begin, end = first_row(text, end + 1)
    present = [name for name in form.fields if name]
    layout = Layout(
        fields=form.fields,
        separator=form.separator,
        whole=tuple(name for name in _NUMBERS if name in present),
        required=tuple(name for name in _PLACE if name in present),
    )
    lines = text.count(b"\n", 0, begin)
    rows, complaints = read_rows(path, text[begin:], layout, first_line=lines + 1)
    rows, found = judge(_with_percent(rows), _rules(rows, form))
    complaints = pl.concat([complaints, found]).sort("line")
    if complaints.height:
        raise BadRowsError(path, complaints)
    start = pl.col("start") - (_base_of(rows) if form.base is None else form.base)
    known = rows.with_columns(start=start).filter(
        (pl.col("reads") > 0) & pl.col("percent").is_not_null()
    )
    chosen = _chosen(path, known, form, modifications)
    calls = _one_a_site(path, chosen, several=len(modifications) > 1)
    scaled = calls if any(name in present for name in _COUNTS) else _percents(calls)
    left_out = {NO_READS: rows.height - known.height}
    if chosen.height < known.height:
        left_out[OTHER_MODIFICATION] = known.height - chosen.height
    if scaled is not calls:
        left_out[SHARES] = scaled.height
    frame = scaled.select("chrom", "start", "strand", "reads", "percent")
    return CallTable(frame, "reads" in present or "methylated" in present, left_out)


def _form_of(path: Path, row: bytes, following: bytes) -> _Form:
    """The form of a file by its first row, which may name the columns, and the one after it."""
    fields, separator = split_row(row)
    if separator is None and len(fields) == 1 and b"," in row:
        fields, separator = row.decode().split(","), ","
    if len(fields) == 10 and len(fields[9].split()) > 1:
        # Older versions of modkit separate nine columns by tabs, and the others by blanks.
        fields, separator = row.decode().split(), None
    names = [name.strip().lower() for name in fields]
    header = len(names) > 2 and not any(re.fullmatch(r"-?\d+", name) for name in names[1:3])
    if header and names[:2] == ["contig", "pos0"] and len(names) >= 9:
        gembs = ("chrom", "start", *[None] * 5, *_COUNTS)
        return _Form(_widened(gembs, len(names)), separator, header=True)
    if header and {"chr", "coverage"} < {*names} and {"freqc", "numcs"} & {*names}:
        width = len(following.decode().split(separator))
        # R may write names of rows, of which the header knows nothing.
        known = [None] * (width - len(names)) + [_NAMED.get(name) for name in names]
        counts = "methylated" in known
        kept = [None if counts and name == "reads" else name for name in known]
        return _Form(tuple(kept), separator, header=True, base=1 if "base" in names else None)
    if len(names) >= len(_BEDMETHYL):
        columns = _BEDMETHYL
        if len(names) == _MODKIT:
            columns = (*_BEDMETHYL[:-1], None, "methylated")
        return _Form(_widened(columns, len(names)), separator, header)
    if not header and len(names) == 7 and names[2] in ("+", "-"):
        report = ("chrom", "start", "strand", *_COUNTS, None, None)
        return _Form(report, separator, base=1)
    if not header and len(names) in (4, 6) and _is_number(fields[3].strip()):
        counts = ("stated", *_COUNTS) if len(names) == 6 else ("percent",)
        return _Form((*_PLACE, *counts), separator, base=None)
    raise DataError(
        path,
        f"a table of {len(fields)} columns, which no known caller of methylation writes",
        "give bedMethyl, bedGraph, a coverage file or report of Bismark, or a table of gemBS or "
        "methylKit",
    )


def _widened(columns: tuple[str | None, ...], width: int) -> tuple[str | None, ...]:
    return columns + (None,) * (width - len(columns))


def _is_number(text: str) -> bool:
    missing = text in MISSING and text not in ("", ".")
    return missing or re.fullmatch(r"\d+\.?\d*(e-?\d+)?", text) is not None


def _with_percent(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with all columns that any form has, and the percentage as a number."""
    absent = {
        "end": pl.Int64,
        "strand": pl.String,
        "code": pl.String,
        "percent": pl.String,
        "stated": pl.String,
    }
    rows = rows.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in absent.items()
        if name not in rows.columns
    )
    methylated = pl.col("methylated")
    if "unmethylated" in rows.columns:
        rows = rows.with_columns(reads=methylated + pl.col("unmethylated"))
    if "reads" not in rows.columns:
        rows = rows.with_columns(reads=pl.lit(1, pl.Int64))
    written = pl.col("percent").str.strip_chars()
    number = written.cast(pl.Float64, strict=False)
    if "methylated" in rows.columns:
        number = 100 * methylated / pl.when(pl.col("reads") > 0).then(pl.col("reads"))
    strand = pl.col("strand").replace({"F": "+", "R": "-"})
    return rows.with_columns(
        strand=pl.when(strand.is_in(["+", "-"])).then(strand), percent=number, written=written
    )


def _rules(rows: pl.DataFrame, form: _Form) -> list[Rule]:
    """What is wrong with a row."""
    width = pl.col("end") - pl.col("start")
    first = int(rows["end"][0] - rows["start"][0]) if "end" in rows.columns and rows.height else 1
    # Two bases are a CpG, both strands together.
    allowed = (1, 2) if form.base == 0 else (0, 1, 2)
    expected = first if first in allowed else 1
    percent = pl.col("percent")
    stated = pl.col("stated").str.strip_chars().cast(pl.Float64, strict=False)
    return [
        Rule(
            pl.col("start") < _base_of(rows) if form.base is None else pl.col("start") < form.base,
            pl.lit("the position lies before the chromosome"),
            "correct the position",
        ),
        Rule(
            width != expected,
            pl.format(
                f"the end is the start + {{}}, where + {expected} is expected: one row a cytosine, "
                "and all positions counted from 0 or all from 1",
                width,
            ),
            "give a file that counts one way",
        ),
        Rule(
            pl.col("reads") < 0,
            pl.format("the number of reads {} is negative", "reads"),
            "correct the number",
        ),
        Rule(
            pl.col("written").is_not_null() & percent.is_null() & (pl.col("reads") > 0),
            pl.format("the percentage '{}' is no number", "written"),
            "write a number, or nan where it is not known",
        ),
        Rule(
            # Whole percentages are rounded; shares are known by their counts.
            ((stated - percent).abs() > 1) & ((100 * stated - percent).abs() > 1),
            pl.format("{} is not the share of {} in {} reads", "stated", "methylated", "reads")
            if "methylated" in rows.columns
            else pl.lit(""),
            "give methylated and unmethylated reads in the last two columns",
        ),
        Rule(
            (percent < 0) | (percent > 100) | percent.is_nan(),
            pl.format("{} is no percentage", "percent"),
            "give the methylated share of the reads from 0 to 100",
        ),
    ]


def _base_of(rows: pl.DataFrame) -> int:
    """What the first position is called, by the end of the first row."""
    return int(rows.height > 0 and rows["end"][0] == rows["start"][0])


def _chosen(
    path: Path, rows: pl.DataFrame, form: _Form, modifications: tuple[str, ...]
) -> pl.DataFrame:
    """Rows of the modifications; all where the file names none."""
    wanted = {_CODES.get(name, name) for name in modifications}
    # modkit adds the motif and the place in it: m,CG,0.
    spelled = pl.col("code").str.split(",").list.first()
    coded = rows.with_columns(code=spelled.replace(_CODES), motif=pl.col("code").str.contains(","))
    all_names = coded["code"].unique()
    names = all_names.drop_nulls().to_list()
    known = not all_names.has_nulls() and {*names} <= {*_CODES.values()}
    named = bool(names) and (known or len(form.fields) == _MODKIT)
    if not named and rows.height and wanted != {METHYL}:
        raise DataError(
            path,
            "its rows name no modification in column 4",
            "leave --modification out",
        )
    if not named:
        return rows.with_columns(motif=pl.lit(value=False))
    if gone := sorted(wanted - {*names}):
        raise DataError(
            path,
            f"no row is of the modification {gone[0]}, there are {', '.join(sorted(names))}",
            "choose by --modification (m is 5mC, h is 5hmC, C is any of a cytosine)",
        )
    return coded.filter(pl.col("code").is_in(wanted))


def _one_a_site(path: Path, rows: pl.DataFrame, *, several: bool) -> pl.DataFrame:
    """One row a cytosine: of several modifications the sum; the same one twice is refused.

    Where some rows have a strand and others do not, a place can have one row only.
    """
    unstranded = rows["strand"].null_count() if rows.height else 0
    site = ["chrom", "start", *([] if 0 < unstranded < rows.height else ["strand"])]
    if rows["motif"].any():
        # A cytosine is reported once for each motif that it lies in.
        rows = rows.unique([*site, "code", "reads", "percent"], keep="first", maintain_order=True)
    again = pl.struct(*site, "code") if several else pl.struct(site)
    one = pl.col("reads").n_unique().over(site) if several else pl.lit(1)
    place = [pl.col("chrom"), pl.col("start") + 1]
    rules = [
        Rule(
            again.is_duplicated() & ~again.is_first_distinct(),
            pl.format("a second row of {}:{}", *place),
            "keep one row a cytosine",
        ),
        Rule(
            one > 1,
            pl.format("the modifications of {}:{} have different numbers of reads", *place),
            "choose one by --modification",
        ),
    ]
    good, complaints = judge(rows, rules)
    if complaints.height:
        raise BadRowsError(path, complaints)
    if not several:
        return good
    return good.group_by(site, maintain_order=True).agg(
        pl.col("strand").first() if "strand" not in site else pl.len().alias("rows"),
        pl.col("reads").first(),
        # Rounded percentages may add up to a little more.
        pl.col("percent").sum().clip(upper_bound=100),
    )


def _percents(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls; multiplied by 100 if they are shares, for no count of reads is so few percent."""
    some = calls.filter(pl.col("percent") > 0)
    if not some.height or float(some.select(pl.col("percent").max()).item()) > 1:
        return calls
    methylated = pl.col("percent") * pl.col("reads") / 100
    less_than_one = int(some.select((methylated < 0.5).sum()).item())
    if 2 * less_than_one < some.height:
        return calls
    return calls.with_columns(pl.col("percent") * 100)
