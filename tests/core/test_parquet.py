"""Parquet files of ours: they say what they are, and damage is noticed wherever it is."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attendna.core import content
from attendna.core.errors import DataError, ResourceError
from attendna.core.parquet import kind_of, read_parquet, write_parquet

FRAME = pl.DataFrame(
    {
        "id": [f"s{row}" for row in range(500)],
        "value": np.random.default_rng(0).random(500, dtype=np.float32),
        "several": [[row, row + 1] for row in range(500)],
    }
)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_parquet(FRAME, path, "predictions")
    assert read_parquet(path, "").equals(FRAME)
    assert read_parquet(path, "", ("value",)).equals(FRAME.select("value"))
    assert pl.read_parquet(path).equals(FRAME)
    assert kind_of(path) == "predictions"
    with pytest.raises(DataError, match=r"rows\.parquet: the column other is missing; do so"):
        read_parquet(path, "do so", ("other",))


def test_a_kind_is_none_where_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    FRAME.write_parquet(path)
    assert kind_of(path) is None
    path.write_bytes(b"PAR1")
    assert kind_of(path) is None
    assert kind_of(tmp_path / "absent") is None


def test_every_byte_of_the_values_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_parquet(FRAME, path)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    changed = 0
    for place in range(4, len(whole) - footer - 8, 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            changed += not read_parquet(path, "").equals(FRAME)
        except DataError:
            continue
    assert changed == 0


def test_a_file_that_speaks_of_far_more_than_it_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(pl.DataFrame({"label": [0] * 100_000}), path)
    assert read_parquet(path, "again").height == 100_000
    monkeypatch.setattr(content, "UNPACKED_LEAST", 1)
    monkeypatch.setattr(content, "UNPACKED_TIMES", 2)
    with pytest.raises(ResourceError, match=r"a\.parquet: .* the limit of a packed file"):
        read_parquet(path, "again")


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    text = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    pq.write_table(pa.table({"id": text}), path)
    with pytest.raises(DataError, match="damaged, or not a whole Parquet file"):
        read_parquet(path, "again")


def test_no_other_file_writes_or_reads_parquet(repository: Path) -> None:
    source = repository / "src" / "attendna"
    direct = re.compile(r"\.write_parquet\(|pl\.(read|scan)_parquet\(|pq\.(read|write)_table\(")
    found = [
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if path.name != "parquet.py" and direct.search(path.read_text("utf-8"))
    ]
    assert found == []
