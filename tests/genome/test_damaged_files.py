"""Thousands of damaged files: each is refused in one line or read as a plain parser reads it.

``ATTENDNA_FUZZ`` sets how many files are made of every format.
"""

import csv
import gzip
import io
import os
import random
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attendna.core.delimited import MISSING
from attendna.core.errors import UserError
from attendna.genome.intervals import read_intervals
from attendna.genome.variants import read_variants

COUNT = int(os.environ.get("ATTENDNA_FUZZ", "120"))
LONGEST = 1 << 40
ODD_FIELDS = [
    *(
        "",
        ".",
        " ",
        "-1",
        "-0",
        "+7",
        "0",
        "1e5",
        "12.0",
        "12x",
        "0x1f",
        "1_000",
        "٣",
        "1,000",
        "NA",
    ),
    *("9" * 12, "9" * 18, "9223372036854775807", "9223372036854775808", "9" * 40, "-" + "9" * 25),
    *("nan", "NaN", "inf", "-Infinity", "1e400", "1e-400", ".5", "5.", "--5", "+-5", "5-", "*"),
    *("chr1", "chrUn", "+", "-", "A", "acgt", "R", "<DEL>", "A,T", "A,", ",", "#", '"', '"x"', "'"),
    *("x y", " 12", "12 ", "\u00a012", "é", "\x0b", "x\x1c", "track", "gene", "chrom"),
]


def spell(rows: list[list[str]], separator: str) -> str:
    return "".join(f"{separator.join(row)}\n" for row in rows)


def bed(dice: random.Random) -> tuple[str, list[list[str]], str]:
    width = dice.choice([3, 4, 6, 6, 12])
    rows = []
    for _ in range(dice.randint(1, 6)):
        start = dice.randint(0, 1_000)
        end = start + dice.randint(1, 500)
        row = [f"chr{dice.randint(1, 3)}", str(start), str(end), f"n{start}", str(dice.random())]
        row += [dice.choice("+-."), str(start), str(end), "0", "2", "1,2,", "0,5"]
        rows.append(row[:width])
    return "", rows, dice.choice(["\t", "\t", "\t", " "])


def narrow_peak(dice: random.Random) -> tuple[str, list[list[str]], str]:
    _, rows, _ = bed(dice)
    more = [["n", "7", ".", "2.5", "-1", "3.5", dice.choice(["-1", "0", "2", "999"])] for _ in rows]
    return "", [row[:3] + tail for row, tail in zip(rows, more, strict=True)], "\t"


def table(dice: random.Random) -> tuple[str, list[list[str]], str]:
    _, rows, _ = bed(dice)
    rows = [[str(n), *row[:3], dice.choice("+-")] for n, row in enumerate(rows)]
    return "", [["id", "region", "start", "end", "strand"], *rows], ","


def gtf(dice: random.Random) -> tuple[str, list[list[str]], str]:
    rows = []
    for number in range(dice.randint(1, 6)):
        start = dice.randint(1, 1_000)
        place = [str(start), str(start + dice.randint(0, 99)), ".", dice.choice("+-"), "."]
        feature = dice.choice(["gene", "gene", "exon"])
        rows.append(["chr1", "X", feature, *place, f'gene_id "G{number % 4}"; level 2;'])
    return "##format: gtf\n", rows, "\t"


def vcf(dice: random.Random) -> tuple[str, list[list[str]], str]:
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    alleles = ["A", "C", "GT", "acg", "TTTT", "N"]
    alts = [*alleles, "A,C", "<DEL>", "*", "G,*", ".", "A[chr2:5["]
    rows = [
        [
            *(f"chr{dice.randint(1, 2)}", str(dice.randint(1, 999)), dice.choice([".", "rs1"])),
            *(dice.choice(alleles), dice.choice(alts), ".", "PASS", "AF=1"),
        ]
        for _ in range(dice.randint(1, 6))
    ]
    return dice.choice(["", header]), rows, "\t"


def damage(dice: random.Random, header: str, rows: list[list[str]], separator: str) -> bytes:
    """Bytes of a file after one to three accidents."""
    for _ in range(dice.randint(0, 3)):
        row = dice.choice(rows)
        column = dice.randrange(len(row)) if row else 0
        accident = dice.randrange(7)
        if accident == 0 and len(row) > 1:
            other = dice.randrange(len(row))
            for each in rows if dice.random() < 0.5 else [row]:
                if max(column, other) < len(each):
                    each[column], each[other] = each[other], each[column]
        elif accident == 1:
            row.insert(column, dice.choice(ODD_FIELDS))
        elif accident == 2 and row:
            row.pop(column)
        elif accident == 3:
            rows.insert(
                dice.randrange(len(rows) + 1),
                dice.choice([[""], ["#x"], ["track x"], ["browser"], ["chrom", "start", "end"]]),
            )
        elif row:
            row[column] = dice.choice(ODD_FIELDS)
    return damage_bytes(dice, (header + spell(rows, separator)).encode())


def damage_bytes(dice: random.Random, content: bytes) -> bytes:
    place = dice.randrange(len(content))
    accident = dice.randrange(24)
    changes: dict[int, Callable[[], bytes]] = {
        0: lambda: content[:place],
        1: lambda: content.replace(b"\n", b"\r\n"),
        2: lambda: content.replace(b"\n", b"\r"),
        3: lambda: content.decode().encode(dice.choice(["utf-16", "utf-16-le", "utf-16-be"])),
        4: lambda: content[:place] + b"\0" + content[place:],
        5: lambda: content[:place] + bytes([dice.randrange(256)]) + content[place + 1 :],
        6: lambda: gzip.compress(content, mtime=0),
        7: lambda: gzip.compress(content, mtime=0)[: dice.randrange(1, 40)],
        8: lambda: flip(dice, gzip.compress(content, mtime=0)),
        9: lambda: b"\xef\xbb\xbf" + content,
        10: lambda: content.replace(b"\t", b"  "),
        11: lambda: content.rstrip(b"\n"),
        12: lambda: content.replace(b"\n", b"\n\n"),
        13: lambda: content[place:],
        14: lambda: content[:place] + content[place : place + 9] * 3 + content[place:],
        15: lambda: (
            gzip.compress(content, mtime=0)
            + dice.choice([b"", b"\0\0", b"more", gzip.compress(b"", mtime=0)])
        ),
    }
    return changes.get(accident, lambda: content)()


def flip(dice: random.Random, content: bytes) -> bytes:
    place = dice.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :]
    )


class Refused(Exception):
    """The plain parser finds that the file as a whole cannot be read."""


def plain_lines(content: bytes) -> list[str]:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error):
            raise Refused from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content:
        raise Refused
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused from None
    return re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))


def is_no_row(line: str) -> bool:
    return not line.strip() or re.match(r"#|(track|browser)(\s|$)", line) is not None


def whole(field: str) -> int | None:
    number = int(field) if re.fullmatch(r"[+-]?[0-9]+", field) else None
    return number if number is not None and -(1 << 63) <= number < 1 << 63 else None


def is_number(field: str) -> bool:
    if field in MISSING:
        return True
    return re.fullmatch(
        r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", field
    ) is not None and (abs(float(field)) != float("inf"))


def plain_rows(lines: list[str], needed: int, named: bool = True) -> Iterator[list[str]]:
    """Fields of rows that have as many columns as the first."""
    rows = [line for line in lines if not is_no_row(line)]
    while (
        named
        and rows
        and [word.lower() for word in rows[0].split()][:3] == ["chrom", "start", "end"]
    ):
        rows.pop(0)
    if not rows:
        raise Refused
    separated = "\t" in rows[0]
    split = [line.split("\t") if separated else re.findall(r"\S+", line) for line in rows]
    width = max(len(split[0]), needed)
    for fields in split:
        if len(fields) == width:
            yield [field.strip(" ") for field in fields]


def interval(chrom: str, start: str, end: str, strand: str, base: int = 0) -> tuple | None:
    first, last = whole(start), whole(end)
    if chrom in MISSING or first is None or last is None or strand not in ("+", "-", "*", *MISSING):
        return None
    if not base <= first < last + base or last > LONGEST:
        return None
    return chrom, first - base, last, strand if strand in ("+", "-") else "."


def plain_bed(lines: list[str], kind: str) -> list[tuple]:
    rows = list(plain_rows(lines, 10 if kind == "narrowPeak" else 3))
    first = next(line for line in lines if not is_no_row(line))
    return [got for fields in rows if (got := plain_bed_row(fields, kind, first)) is not None]


def plain_bed_row(fields: list[str], kind: str, first: str) -> tuple | None:
    got = interval(*fields[:3], fields[5] if len(fields) > 5 else "")
    if got is None or not all(map(is_number, fields[4:5])):
        return None
    if kind == "narrowPeak":
        offset = fields[9]
        if not is_number(fields[6]) or (offset not in MISSING and whole(offset) is None):
            return None
    elif len(fields) == 12:
        blocks = fields[9]
        counts = [None if f in MISSING else f.rstrip(",").count(",") + 1 for f in fields[10:]]
        if blocks not in MISSING and whole(blocks) is None:
            return None
        if blocks not in MISSING and any(n is not None and n != whole(blocks) for n in counts):
            return None
    return got


def plain_table(lines: list[str]) -> list[tuple]:
    while lines and (not lines[0].strip() or lines[0].startswith("##")):
        lines = lines[1:]
    text = "\n".join(lines[1:]).rstrip("\n")
    names = [name.strip().lower() for name in next(csv.reader(lines[:1]), [])]
    names = ["region" if name == "chrom" else name for name in names]
    counts = [names.count(name) for name in ("region", "start", "end")]
    if counts != [1, 1, 1] or names.count("strand") > 1:
        raise Refused
    if '"' in text:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            raise Refused from None
    else:
        rows = [line.split(",") for line in text.split("\n") if not is_no_row(line)]
    rows = [fields for fields in rows if any(fields) and not fields[0].startswith("#")]
    if not rows:
        raise Refused
    found = []
    for fields in rows:
        if len(fields) == len(names):
            row = dict(zip(names, [field.strip(" ") for field in fields], strict=True))
            got = interval(row["region"], row["start"], row["end"], row.get("strand", ""))
            found += [got] if got else []
    return found


def plain_gtf(lines: list[str]) -> list[tuple]:
    rows = list(plain_rows(lines, 9))
    kept = [
        (*got, fields[2], fields[8])
        for fields in rows
        if (got := interval(fields[0], fields[3], fields[4], fields[6], 1)) and is_number(fields[5])
    ]
    lines_of_genes = [row for row in kept if row[4] == "gene"]
    genes: dict[tuple, list[tuple]] = {}
    for row, (chrom, start, end, strand, _, attributes) in enumerate(lines_of_genes or kept):
        names = re.findall(r'(?:^|;)\s*gene_id[ =]+"?([^";]+)', attributes)
        if names and strand != ".":
            # Every gene line is a place of its own; exons of a gene are one place.
            place = row if lines_of_genes else None
            genes.setdefault((chrom, names[0], strand, place), []).append((start, end))
    found: dict[tuple, tuple] = {}
    for (chrom, name, strand, _), places in genes.items():
        site = min(s for s, _ in places) if strand == "+" else max(e for _, e in places) - 1
        found.setdefault((chrom, name, strand, site), (chrom, site, site + 1, strand))
    return [*found.values()]


def plain_vcf(lines: list[str]) -> list[tuple]:
    found = []
    for chrom, pos, _, written, alt, *_ in plain_rows(lines, 5, named=False):
        place = whole(pos)
        bad = place is None or not 1 <= place <= LONGEST + 1 or {chrom, written} & {"", "."}
        ref = re.sub("[RYSWKMBDHV]", "N", written.upper())
        alts = [
            allele.upper()
            for allele in alt.split(",")
            if not re.search(r"^\.?$|^\*$|^<.+>$|[\[\]]|^\..|.\.$", allele)
        ]
        sound = [re.fullmatch("[ACGTN]+", allele) and allele != ref for allele in alts]
        if not bad and re.fullmatch("[ACGTN]+", ref) and all(sound):
            found += [(chrom, (place or 0) - 1, ref, allele) for allele in alts]
    return found


FORMATS: dict[str, tuple[Callable, Callable[[list[str]], list[tuple]]]] = {
    "bed": (bed, lambda lines: plain_bed(lines, "bed")),
    "narrowPeak": (narrow_peak, lambda lines: plain_bed(lines, "narrowPeak")),
    "csv": (table, plain_table),
    "gtf": (gtf, plain_gtf),
    "vcf": (vcf, plain_vcf),
}


def read(path: Path, kind: str) -> list[tuple] | None:
    try:
        if kind == "vcf":
            variants = read_variants(path, bad="drop").frame
            return variants.select("chrom", "start", "ref", "alt").rows()
        intervals = read_intervals(path, bad="drop").frame
        return intervals.select("chrom", "start", "end", "strand").rows()
    except UserError as error:
        told = str(error)
    assert "\n" not in told
    assert str(path) in told
    return None


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_refused_or_read_as_they_stand(tmp_path: Path, kind: str) -> None:
    make, parse = FORMATS[kind]
    refused = accepted = 0
    for seed in range(COUNT):
        dice = random.Random(f"{kind} {seed}")
        content = damage(dice, *make(dice))
        path = tmp_path / f"{dice.choice(['a', 'a.b'])}.{kind}{dice.choice(['', '.gz'])}"
        path.write_bytes(content)
        try:
            expected: list[tuple] | None = parse(plain_lines(content))
        except Refused:
            expected = None
        got = read(path, kind)
        assert got == expected, (seed, content)
        refused += got is None
        accepted += len(got or [])
        path.unlink()
    assert refused > COUNT / 50
    assert accepted > COUNT / 2
