"""Files of people: every kind is read, and every fault is one line that names the place."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import DataError
from attendna.tasks.table import kind, looks_like_dna, read_table

ROWS = pl.DataFrame({"sequence": ["ACGTACGT", "GGGGCCCC"], "label": ["1", "0"]})


def test_every_kind_gives_the_same_table(tmp_path: Path) -> None:
    ROWS.write_csv(tmp_path / "a.csv")
    ROWS.write_csv(tmp_path / "a.tsv", separator="\t")
    ROWS.write_csv(tmp_path / "semicolon.csv", separator=";")
    ROWS.with_columns(pl.col("label").cast(pl.Int64)).write_parquet(tmp_path / "a.parquet")
    for path in list(tmp_path.iterdir()):
        packed = tmp_path / (path.name + ".gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert read_table(path).equals(ROWS)
        assert read_table(packed).equals(ROWS)


@pytest.mark.parametrize(
    "content",
    [
        b"sequence,label\r\nACGTACGT,1\r\nGGGGCCCC,0\r\n",
        b"sequence,label\rACGTACGT,1\rGGGGCCCC,0",
        b"\xef\xbb\xbfsequence,label\nACGTACGT,1\nGGGGCCCC,0\n\n\n",
        b'"sequence","label"\n"ACGTACGT","1"\n"GGGGCCCC","0"',
        b"# made by R\nsequence,label\nACGTACGT ,1\n GGGGCCCC,0",
        b"#sequence,label\nACGTACGT,1\nGGGGCCCC,0",
    ],
)
def test_line_ends_quotes_and_byte_order_marks_do_not_matter(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert read_table(tmp_path / "a.csv").equals(ROWS)


def test_fasta_records_may_be_folded(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">one first\nACGT\nAC GT\n\n>two\nGGGG\n>three\n")
    table = read_table(tmp_path / "a.fa")
    assert table.to_dict(as_series=False) == {
        "id": ["one", "two", "three"],
        "sequence": ["ACGTACGT", "GGGG", ""],
    }


BAD = {
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n \n", "the file is empty"),
    "header.csv": (b"sequence,label\n", "there is a header but no row"),
    "utf16.csv": ("sequence,label\nACGT,1\n".encode("utf-16"), "the text is UTF-16; save it as"),
    "nul.csv": (b"sequence,label\nACGT,1\nAC\0T,1\n", "line 3 holds a NUL byte"),
    "latin.csv": (b"sequence,label\nACGT,1\nACGT,h\xe9\n", "line 3 is not UTF-8 text"),
    "ragged.csv": (b"sequence,label\nACGT,1\nACGT,1,2\n", "row 2: 3 fields where the header has 2"),
    "bare.csv": (b"ACGTACGTACGT,1\nACGTACGTACGA,0\n", "the first line is a row, not column names"),
    "cut.csv.gz": (gzip.compress(b"sequence,label\nACGT,1\n" * 99)[:-20], "truncated or damaged"),
    "spoiled.csv.gz": (b"\x1f\x8b\x08\x00" + b"\xff" * 99, "truncated or damaged"),
    "a.fa": (b"ACGT\n", "the first line does not start with >"),
    "a.parquet": (b"PAR1 and nothing else PAR1", "not a whole Parquet file"),
    "a.xlsx": (b"PK", "the ending '.xlsx' is not known; name it .csv"),
    "noending": (b"ACGT", "the file has no ending"),
}


@pytest.mark.parametrize("name", BAD)
def test_faults_are_named(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    told = str(caught.value)
    assert message in told
    assert told.startswith(str(tmp_path / name))
    assert "\n" not in told


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "a.csv")
    for name in ("b.csv", "task", "task.fa"):
        (tmp_path / name).mkdir()
        with pytest.raises(DataError, match="this is a folder"):
            read_table(tmp_path / name)


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    ROWS.clear().write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="the table has no rows"):
        read_table(tmp_path / "a.parquet")


def test_nested_columns_are_left_out(tmp_path: Path) -> None:
    ROWS.with_columns(bins=pl.Series([[1], [2]])).write_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").equals(ROWS)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "fa", "parquet"])
def test_spoiled_files_never_give_a_traceback(tmp_path: Path, ending: str) -> None:
    generator = np.random.default_rng(0)
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        ROWS.write_parquet(path)
    else:
        text = b"id,sequence,label\n" + b"".join(b'r%d,"ACGTAC",1\n' % i for i in range(20))
        path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
        if ending == "fa":
            path.write_bytes(b">r1\nACGT\n>r2\nGGGG\n" * 5)
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        spoiled = bytearray(whole)
        for _ in range(generator.integers(1, 4)):
            spoiled[generator.integers(len(spoiled))] = generator.integers(256)
        path.write_bytes(spoiled[: generator.integers(len(spoiled) // 2, len(spoiled) + 1)])
        try:
            table = read_table(path)
        except DataError as error:
            refused += 1
            message = str(error)
            assert message.count("\n") == 0
        else:
            assert table.height
    assert refused


def test_kinds_and_letters() -> None:
    assert kind(Path("x.train.CSV.gz")) == ".csv"
    assert looks_like_dna(pl.Series(["ACGT", None, "nacgu"]))
    assert not looks_like_dna(pl.Series(["ACGT", "0"]))
    assert not looks_like_dna(pl.Series(["ACG"]))
    assert not looks_like_dna(pl.Series([None], dtype=pl.String))
