"""Thousands of damaged bedMethyl files: refused in one line, or read as a plain parser does."""

import random
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


def plain(lines: list[str]) -> list[tuple]:
    """What a bedMethyl file holds, if every row of it is sound."""
    held = [line for line in lines if not is_no_row(line)]
    first = held[0].split("\t" if "\t" in held[0] else None) if held else []
    if len(first) < 11:
        raise Refused
    if not first[1].strip(" ").lstrip("-").isdecimal():
        # The first row names the columns.
        lines = lines[lines.index(held[0]) + 1 :]
        held = held[1:]
    found: list[tuple] = []
    rows = list(plain_rows(lines, 11, named=False))
    if not rows or len(rows) < len(held):
        raise Refused
    for fields in rows:
        start, reads, percent = whole(fields[1]), whole(fields[9]), fields[10]
        known = percent not in ("", ".") and is_number(percent)
        if fields[0] in ("", ".") or start is None or reads is None or not known:
            raise Refused
        if not 0 <= start <= LONGEST or reads < 0 or not 0 <= float(percent) <= 100:
            raise Refused
        strand = fields[5] if fields[5] in ("+", "-") else None
        found.append((fields[0], start, strand, reads, float(percent)))
    return [row for row in found if row[3] > 0]


def read(path: Path) -> list[tuple] | None:
    try:
        frame = read_calls(path)
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
