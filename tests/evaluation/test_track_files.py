from pathlib import Path

import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.evaluation.track_files import FILES, TRACKS_FILE, read_table


def test_a_table_is_read_is_absent_or_is_damaged(tmp_path: Path) -> None:
    assert read_table(tmp_path, TRACKS_FILE) is None
    pl.DataFrame({"value": [1.5]}).write_parquet(tmp_path / TRACKS_FILE)
    found = read_table(tmp_path, TRACKS_FILE)
    assert found is not None
    assert found["value"].to_list() == [1.5]
    (tmp_path / TRACKS_FILE).write_bytes(b"PAR1")
    with pytest.raises(DataError, match=f"{TRACKS_FILE}: damaged"):
        read_table(tmp_path, TRACKS_FILE)
    assert len(FILES) == 4
