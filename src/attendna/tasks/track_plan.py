"""Which records there are, and which of them a worker takes at a time."""

from collections.abc import Iterator

import polars as pl

from attendna.tasks.track_copies import RecordUnit, WindowUnit
from attendna.tasks.track_records import RecordFolder
from attendna.tasks.track_writer import Slot


def record_rows(
    folder: RecordFolder, held: list[int], places: dict[str, pl.DataFrame] | None
) -> pl.DataFrame:
    """One row a record, in the order of the files: ``group, id, chrom, start, end``."""
    named = [
        (file.group, f"{file.name}:{number}")
        for file, count in zip(folder.files, held, strict=True)
        for number in range(1, count + 1)
    ]
    rows = pl.DataFrame(named, schema=["group", "id"], orient="row")
    if places is None:
        unknown = [("chrom", pl.String), ("start", pl.Int64), ("end", pl.Int64)]
        return rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in unknown)
    # Files are sorted by their group, and so are the places.
    return rows.hstack(pl.concat(places[group] for group in sorted(places)))


def _slots(rows: pl.DataFrame) -> tuple[Slot, ...]:
    return tuple(Slot(split, row) for split, row in rows.select("split", "row").iter_rows())


def record_units(folder: RecordFolder, held: list[int], rows: pl.DataFrame) -> Iterator[RecordUnit]:
    """The work of each file."""
    first = 0
    for file, count in zip(folder.files, held, strict=True):
        mine = rows[first : first + count]
        yield RecordUnit(file.path, _slots(mine), mine.select("chrom", "start", "end"))
        first += count


def window_units(rows: pl.DataFrame, size: int) -> Iterator[WindowUnit]:
    """The work of so many windows at a time."""
    for mine in rows.iter_slices(size):
        yield WindowUnit(_slots(mine), mine.select("chrom", "start", "end"))
