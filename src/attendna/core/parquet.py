"""Parquet files of ours: pages carry checksums, and a file may say what it is.

Row groups and compression are alike everywhere, so that files are read as fast as they can be.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from attendna.core.content import too_large, unpacked_limit
from attendna.core.errors import DataError

ROWS_A_GROUP = 1 << 18
"""Rows of a row group: many small ones are slow to read."""

_KIND = b"attendna"
_PRECISION = b"attendna.precision"


def parquet_writer(path: Path, schema: Any) -> pq.ParquetWriter:
    """A file to which tables of one schema are written part by part."""
    return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)


def write_parquet(
    frame: pl.DataFrame, path: Path, kind: str | None = None, precision: str | None = None
) -> None:
    """Write a table; ``kind`` is what :func:`kind_of` recognizes it by, and ``precision`` what a
    model computed it in, for :func:`precision_of`."""
    table: Any = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    told = {_KIND: kind, _PRECISION: precision}
    marks = {key: value.encode() for key, value in told.items() if value is not None}
    if marks:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **marks})
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table, row_group_size=ROWS_A_GROUP)


def read_arrow(
    path: Path,
    remedy: str,
    columns: Sequence[str] | None = None,
    *,
    content: bytes | None = None,
) -> Any:
    """An Arrow table; with ``columns``, only those.

    Parameters
    ----------
    content
        The bytes of the file, where they are known.

    Raises
    ------
    DataError
        A column is missing, or the file is damaged.
    ResourceError
        It holds far more than files of its size do.
    """
    source: Any = path if content is None else pa.BufferReader(content)
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            _refuse_large(path, file.metadata, len(content or b"") or path.stat().st_size)
            missing = set(columns or ()) - set(file.schema_arrow.names)
            if missing:
                raise DataError(path, f"the column {min(missing)} is missing", remedy)
            table: Any = file.read(columns=None if columns is None else list(columns))
            # Text that is no UTF-8 ends whoever reads it later.
            table.validate(full=True)
            return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(path, "damaged, or not a whole Parquet file", remedy) from error


def _refuse_large(path: Path, told: Any, size: int) -> None:
    groups = (told.row_group(number) for number in range(told.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if max(unpacked, told.num_rows * told.num_columns) > unpacked_limit(size):
        raise too_large(path, size, "write it as CSV")


def read_parquet(path: Path, remedy: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The same as a table of Polars; see :func:`read_arrow`."""
    return to_frame(path, read_arrow(path, remedy, columns), remedy)


def to_frame(path: Path, table: Any, remedy: str) -> pl.DataFrame:
    """An Arrow table that was read from ``path`` as one of Polars.

    Raises
    ------
    DataError
        It is damaged, as where the name of a column is none.
    """
    try:
        return cast("pl.DataFrame", pl.from_arrow(table))
    except (pl.exceptions.PanicException, pl.exceptions.PolarsError, ValueError) as error:
        raise DataError(path, "damaged, or not a whole Parquet file", remedy) from error


def kind_of(path: Path) -> str | None:
    """What a file says it is; none where it says nothing or is no Parquet file."""
    return _mark(path, _KIND)


def precision_of(path: Path) -> str | None:
    """What a model computed a file's numbers in; none where it says nothing."""
    return _mark(path, _PRECISION)


def _mark(path: Path, name: bytes) -> str | None:
    try:
        held = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    return held.get(name, b"").decode(errors="replace") or None
