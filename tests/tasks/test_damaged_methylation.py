"""Thousands of damaged bedMethyl files: refused in one line, or read as a plain parser does."""

import random
import re
from pathlib import Path

from tests.genome.test_damaged_files import (
    COUNT,
    LONGEST,
    Refused,
    damage,
    is_no_row,
    is_number,
    plain_lines,
    plain_rows,
    whole,
)

from attendna.core.delimited import MISSING
from attendna.core.errors import UserError
from attendna.tasks.methylation_calls import read_calls


def bed_methyl(dice: random.Random) -> tuple[str, list[list[str]], str]:
    rows: list[list[str]] = []
    for _ in range(dice.randint(1, 6)):
        start, reads = dice.randint(0, 1_000), dice.choice([0, 1, 7, 30])
        place = [f"chr{dice.randint(1, 3)}", str(start), str(start + 1), ".", str(reads)]
        shown = [dice.choice("+-"), str(start), str(start + 1), "0,255,0"]
        rows.append([*place, *shown, str(reads), dice.choice(["0", "100", "33.3", "7"])])
    return "", rows, "\t"


CODES = {"m", "h", "f", "c", "C", "a", "A", "5mC", "5hmC", "5fC", "5caC", "6mA", "4mC"}


def plain(lines: list[str]) -> list[tuple]:
    """What a bedMethyl file holds, if every row of it is sound."""
    lines = [line.replace('"', "") for line in lines]
    held = [line for line in lines if not is_no_row(line)]
    first = held[0].split("\t" if "\t" in held[0] else None) if held else []
    if len(first) < 11:
        raise Refused
    if not any(re.fullmatch(r"-?[0-9]+", field.strip(" ")) for field in first[1:3]):
        # The first row names the columns.
        lines = lines[lines.index(held[0]) + 1 :]
        held = held[1:]
    rows = list(plain_rows(lines, 11, named=False))
    if not rows or len(rows) < len(held):
        raise Refused
    first_start, first_end = whole(rows[0][1]), whole(rows[0][2])
    width = 1 if first_start is None or first_end is None else first_end - first_start
    found = [sound(fields, width) for fields in rows]
    known = [row for row in found if row[3] and row[4] is not None]
    codes = [fields[3] for fields, row in zip(rows, found, strict=True) if row in known]
    places = [row[: 2 if None in {row[2] for row in known} else 3] for row in known]
    if (codes and {*codes} <= CODES) or len({*places}) < len(places):
        raise Refused
    return known


def sound(fields: list[str], width: int) -> tuple:
    """The call of a row whose columns all make sense."""
    start, end, reads, percent = whole(fields[1]), whole(fields[2]), whole(fields[9]), fields[10]
    if fields[0] in ("", ".") or start is None or end is None:
        raise Refused
    if reads is None and fields[9] not in ("", "."):
        raise Refused
    if end - start != (width if width in (1, 2) else 1) or not 0 <= start <= LONGEST:
        raise Refused
    missing = percent in MISSING
    if (reads or 0) < 0 or not (missing or (is_number(percent) and 0 <= float(percent) <= 100)):
        raise Refused
    strand = fields[5] if fields[5] in ("+", "-") else None
    return fields[0], start, strand, reads, None if missing else float(percent)


def read(path: Path) -> list[tuple] | None:
    try:
        frame = read_calls(path).frame
    except UserError as error:
        told = str(error)
    else:
        return frame.select("chrom", "start", "strand", "reads", "percent").rows()
    assert "\n" not in told
    assert str(path) in told
    return None


def test_damaged_files_are_refused_or_read_as_they_stand(tmp_path: Path) -> None:
    refused = accepted = 0
    for seed in range(COUNT):
        dice = random.Random(f"bedMethyl {seed}")
        content = damage(dice, *bed_methyl(dice))
        path = tmp_path / f"a.bed{dice.choice(['', '.gz'])}"
        path.write_bytes(content)
        try:
            expected: list[tuple] | None = plain(plain_lines(content))
        except Refused:
            expected = None
        got = read(path)
        assert got == expected, (seed, content)
        refused += got is None
        accepted += len(got or [])
    assert refused > COUNT / 50
    assert accepted > COUNT / 2
