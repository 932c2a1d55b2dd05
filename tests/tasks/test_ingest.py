"""People's sequences become tasks: guesses are said, twins stay together, faults are named."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError, DataError, FolderError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.ingest import ImportOptions, import_fasta_pair, import_tables
from attendna.tasks.splits import group_by_sequence
from attendna.tasks.store import open_task

DEFAULT = ImportOptions()
BASES = np.array(list("ACGT"))


def sequences(count: int, length: int = 30, seed: int = 0) -> list[str]:
    letters = BASES[np.random.default_rng(seed).integers(4, size=(count, length))]
    return ["".join(row) for row in letters]


def table(count: int = 100, seed: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        {"seq": sequences(count, seed=seed), "state": ["open", "closed"] * (count // 2)}
    )


def test_one_table_is_split_by_sequence_with_classes_in_proportion(tmp_path: Path) -> None:
    frame = table(400)
    twins = frame.head(100).with_columns(
        seq=SequenceBatch.from_text(frame["seq"].head(100)).reverse_complement().to_series()
    )
    pl.concat([frame, twins]).write_csv(tmp_path / "mine.csv")
    imported = import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv"}, DEFAULT)
    task = open_task(tmp_path / "task")
    assert task == imported.task
    assert task.spec.classes == ("closed", "open")
    assert task.spec.rows["train"] == pytest.approx(400, abs=20)
    of_split = {}
    for split in task.splits:
        rows = task.read(split)
        assert rows.labels.mean() == pytest.approx(0.5, abs=0.05)
        of_split[split] = rows.sequences.to_text()
    together = [text for texts in of_split.values() for text in texts]
    groups = group_by_sequence(SequenceBatch.from_text(together))
    bounds = np.cumsum([len(texts) for texts in of_split.values()])[:-1]
    train, valid, test = map(set, np.split(groups, bounds))
    assert not train & valid
    assert not train & test
    assert not valid & test
    assert imported.warnings == ()


def test_what_was_guessed_is_said(tmp_path: Path) -> None:
    table().with_columns(weight=pl.lit("3")).write_csv(tmp_path / "mine.csv")
    options = ImportOptions(label_column="state")
    notes = import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv"}, options).notes
    assert notes[0] == "detected the column seq as the sequence, by names and values"
    assert "numbered the rows: there is no id column" in notes
    assert "left out the column weight" in notes
    assert "labels: closed -> 0, open -> 1; open is the positive class" in notes
    assert notes[-1].startswith("splits: train 0.8, valid 0.1, test 0.1, by sequence")


def test_a_sequence_column_is_found_by_its_letters(tmp_path: Path) -> None:
    table().rename({"seq": "inserted"}).write_csv(tmp_path / "mine.csv")
    imported = import_tables(str(tmp_path / "task"), {"train": str(tmp_path / "mine.csv")})
    assert "detected the column inserted as the sequence, state as the label" in imported.notes[0]


def test_the_same_seed_gives_the_same_task(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "mine.csv")
    files = {"train": tmp_path / "mine.csv"}
    hashes = [
        import_tables(tmp_path / name, files, ImportOptions(seed=seed)).task.split_hash()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_given_splits_stay_and_shared_sequences_are_told_and_kept(tmp_path: Path) -> None:
    train, test = table(40), table(20, seed=1)
    flipped = SequenceBatch.from_text(train["seq"].head(3)).reverse_complement().to_series()
    test = pl.concat([test, train.head(3).with_columns(seq=flipped)])
    frames = {"train": train, "valid": table(20, seed=2), "test": test}
    for split, frame in frames.items():
        frame.write_csv(tmp_path / f"{split}.csv")
    imported = import_tables(
        tmp_path / "task", {split: tmp_path / f"{split}.csv" for split in frames}, DEFAULT
    )
    assert imported.task.spec.rows == {"train": 40, "valid": 20, "test": 23}
    assert len(imported.warnings) == 1
    assert imported.warnings[0].startswith("3 of 23 test rows (13.0%) have a sequence that is also")
    assert imported.task.spec.notes == imported.warnings
    assert imported.task.read("test").ids[-1] == "test-23"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("train", "test"), {"train": 89, "valid": 11, "test": 20}),
        (("train", "valid"), {"train": 89, "valid": 20, "test": 11}),
        (("test",), {"test": 20}),
    ],
)
def test_missing_splits_come_out_of_train(
    tmp_path: Path, given: tuple[str, ...], expected: dict
) -> None:
    for split in given:
        rows = 100 if split == "train" else 20
        table(rows, seed=len(split)).write_csv(tmp_path / f"{split}.csv")
    files = {split: tmp_path / f"{split}.csv" for split in given}
    rows = import_tables(tmp_path / "task", files, DEFAULT).task.spec.rows  # type: ignore[arg-type]
    assert set(rows) == set(expected)
    assert sum(rows.values()) == sum(expected.values())
    for split, count in expected.items():
        assert rows[split] == pytest.approx(count, abs=1)


def test_a_fraction_of_zero_leaves_a_split_out(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "mine.csv")
    options = ImportOptions(test_fraction=0)
    task = import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv"}, options).task
    assert task.splits == ("train", "valid")


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (["0", "1"], None, (("0", "1"), [0, 1])),
        (["1.0", "-1.0"], None, (("-1", "1"), [1, 0])),
        (["10", "9"], None, (("9", "10"), [1, 0])),
        (["b", "a"], None, (("a", "b"), [1, 0])),
        (["b", "a"], ("b", "a"), (("b", "a"), [0, 1])),
        (["0", "1"], ("shut", "open"), (("shut", "open"), [0, 1])),
        (["0", "1"], ("1", "0"), (("1", "0"), [1, 0])),
        (["true", "false"], None, (("false", "true"), [1, 0])),
    ],
)
def test_labels_become_classes(
    tmp_path: Path, labels: list[str], classes: tuple[str, ...] | None, expected: tuple
) -> None:
    pl.DataFrame({"sequence": sequences(60), "label": labels * 30}).write_csv(tmp_path / "m.csv")
    options = ImportOptions(classes=classes, valid_fraction=0, test_fraction=0)
    task = import_tables(tmp_path / "task", {"train": tmp_path / "m.csv"}, options).task
    assert task.spec.classes == expected[0]
    assert task.read("train").labels[:2].tolist() == expected[1]


def test_ids_and_coordinates_are_kept(tmp_path: Path) -> None:
    frame = table(60).with_columns(
        name=pl.format("peak{}", pl.int_range(60)),
        chrom=pl.lit("chr1"),
        start=pl.int_range(60) * 100,
        end=pl.int_range(60) * 100 + 30,
        strand=pl.lit("-"),
    )
    frame.write_csv(tmp_path / "mine.tsv", separator="\t")
    options = ImportOptions(valid_fraction=0, test_fraction=0)
    task = import_tables(tmp_path / "task", {"train": tmp_path / "mine.tsv"}, options).task
    rows = task.read("train")
    assert rows.ids[:2] == ("peak0", "peak1")
    assert rows.frame["start"].to_list() == [i * 100 for i in range(60)]
    assert rows.frame.schema["end"] == pl.Int64
    numbered = ImportOptions(id_column="none", valid_fraction=0, test_fraction=0)
    task = import_tables(tmp_path / "other", {"train": tmp_path / "mine.tsv"}, numbered).task
    assert task.read("train").ids[:2] == ("row-1", "row-2")


def test_letters_outside_acgtn_are_read_as_declared(tmp_path: Path) -> None:
    frame = table(60)
    frame[0, "seq"] = "acguRYN" * 4
    frame.write_csv(tmp_path / "mine.csv")
    options = ImportOptions(valid_fraction=0, test_fraction=0)
    imported = import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv"}, options)
    assert imported.task.read("train").sequences.to_text()[0] == "ACGTNNN" * 4
    assert "read 8 IUPAC letters as N in 1 sequences of mine.csv" in imported.notes
    with pytest.raises(DataError, match=r"row 1: the character 'R' at position 5 is not a base"):
        import_tables(
            tmp_path / "other",
            {"train": tmp_path / "mine.csv"},
            options.replace(letters="error"),
        )


def write_fasta(path: Path, texts: list[str], prefix: str = "s") -> Path:
    content = "".join(f">{prefix}{i} text\n{text}\n" for i, text in enumerate(texts)).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_a_fasta_pair_is_a_binary_task(tmp_path: Path) -> None:
    positive = write_fasta(tmp_path / "pos.fa.gz", sequences(50), "p")
    negative = write_fasta(tmp_path / "neg.fasta", sequences(50, seed=1), "n")
    imported = import_fasta_pair(tmp_path / "task", negative, positive, DEFAULT)
    task = imported.task
    assert task.spec.classes == ("negative", "positive")
    assert task.spec.rows == {"train": 80, "valid": 10, "test": 10}
    rows = task.read("train")
    assert [id_[0] for id_ in rows.ids] == ["np"[label] for label in rows.labels]
    named = DEFAULT.replace(classes=("shut", "open"))
    other = import_fasta_pair(tmp_path / "other", negative, positive, named)
    assert other.task.spec.classes == ("shut", "open")


def test_fasta_files_with_the_same_names_can_be_numbered(tmp_path: Path) -> None:
    positive = write_fasta(tmp_path / "pos.fa", sequences(50))
    negative = write_fasta(tmp_path / "neg.fa", sequences(50, seed=1))
    with pytest.raises(DataError, match=r"'s0' is also row 1 of neg\.fa; .*--id-column none"):
        import_fasta_pair(tmp_path / "task", negative, positive, DEFAULT)
    numbered = DEFAULT.replace(id_column="none")
    task = import_fasta_pair(tmp_path / "task", negative, positive, numbered).task
    assert {id_.partition("-")[0] for id_ in task.read("train").ids} == {"negative", "positive"}


def rows(*lines: str) -> bytes:
    good = [f"r{i},{text},{i % 2}" for i, text in enumerate(sequences(40))]
    return "\n".join(["id,sequence,label", *good, *lines]).encode()


BAD_ROWS: dict[str, tuple[bytes, str, dict]] = {
    "empty file": (b"", "mine.csv: the file is empty; give a file with rows", {}),
    "missing column": (
        b"sequence,score,kind\nACGTACGT,1,2\n",
        "mine.csv: there is no label column among sequence, score, kind; name it with",
        {},
    ),
    "named column missing": (
        rows(),
        "there is no target column among id, sequence, label; name it with --label-column",
        {"label_column": "target"},
    ),
    "no sequences": (
        b"a,b\n1,2\n3,4\n",
        "there is no sequence column among a, b; name it with --sequence-column",
        {},
    ),
    "label outside the classes": (
        rows("x,ACGTACGT,2"),
        "row 41: the label '2' is none of 0, 1 (1 such rows); correct it",
        {"classes": ("0", "1")},
    ),
    "one class only": (
        b"sequence,label\nACGTACGT,1\nACGTACGA,1\n",
        "mine.csv: every row has the label 1; add rows of another class",
        {},
    ),
    "one class written": (
        b"sequence,label\nACGTACGT,1\nACGTACGA,1\n",
        "one class",
        {"classes": ("0", "1"), "valid_fraction": 0, "test_fraction": 0},
    ),
    "measurements": (
        b"sequence,label\nACGTACGT,0.25\nACGTACGA,1\n",
        "the label 0.25 is a number with a fraction, not a class",
        {},
    ),
    "too many classes": (
        b"sequence,label\n" + b"".join(b"ACGTACGT,c%d\n" % i for i in range(200)),
        "200 different labels, more than 127; name the right column",
        {},
    ),
    "empty sequence": (
        rows("x,,1"),
        "row 41: the sequence is missing (1 such rows); fill it in",
        {},
    ),
    "blank label": (rows("x,ACGT, "), "row 41: the label is missing", {}),
    "short row": (rows("x,ACGT"), "row 41: the label is missing", {}),
    "too short": (
        rows("x,ACGT,1"),
        "row 41: the sequence has 4 bases, fewer than 10 (1 such rows); remove the row",
        {"min_length": 10},
    ),
    "letters": (
        rows("x,ACGTRA,1"),
        "row 41: the character 'R' at position 5 is not a base",
        {"letters": "error"},
    ),
    "no letters of DNA": (rows("x,HELLO!,1"), "row 41: the character 'E'", {}),
    "gaps": (rows("x,AC-GT,1"), "row 41: the character '-' at position 3 is not a base", {}),
    "duplicate ids": (
        rows("r3,ACGTACGT,1"),
        "row 41: the id 'r3' is also row 4 of mine.csv; give every row an id of its own",
        {},
    ),
    "swapped": (
        b"sequence,label\n1,ACGTACGT\n0,ACGTTCGT\n",
        "the two look swapped; use --sequence-column label --label-column sequence",
        {},
    ),
    "swapped by option": (
        rows(),
        "the two look swapped; use --sequence-column sequence --label-column label",
        {"sequence_column": "label", "label_column": "sequence"},
    ),
    "ragged": (rows("x,ACGT,1,7"), "row 41: 4 fields where the header has 3", {}),
    "utf16": (rows().decode().encode("utf-16"), "the text is UTF-16", {}),
    "nul": (rows("x,AC\0GT,1"), "line 42 holds a NUL byte", {}),
    "same column twice": (
        rows(),
        "are both sequence; name two columns",
        {"sequence_column": "sequence", "label_column": "sequence"},
    ),
    "one class name": (rows(), "--classes only makes no classes", {"classes": ("only",)}),
    "a class name twice": (rows(), "give two or more different", {"classes": ("a", "a")}),
    "nothing to train on": (
        rows(),
        "leave nothing to train on",
        {"valid_fraction": 0.5, "test_fraction": 0.5},
    ),
    "too few rows": (
        b"sequence,label\nACGTACGT,1\nACGTACGA,0\n",
        "a class of 1 row is too small for a",
        {},
    ),
    "one sequence many times": (
        b"sequence,label\n" + b"ACGTACGA,0\nTCGTACGT,0\n" * 25 + b"ACGTACGC,1\nCCGTACGC,1\n" * 9,
        "a class of 50 rows, which are one sequence on either strand, is too small for a",
        {},
    ),
    "bad coordinates": (
        b"sequence,label,chrom,start,end\nACGTACGT,1,chr1,5,x9\nACGTACGA,0,chr1,5,9\n",
        "row 1: the end 'x9' is no number",
        {},
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path: Path, name: str) -> None:
    content, message, options = BAD_ROWS[name]
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(UserError) as caught:
        import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv"}, ImportOptions(**options))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(rows())[:-30])
    with pytest.raises(DataError, match="the gzip is truncated or damaged; copy or download"):
        import_tables(tmp_path / "task", {"train": tmp_path / "mine.csv.gz"}, DEFAULT)


def test_a_label_that_train_lacks_is_named(tmp_path: Path) -> None:
    table(60).write_csv(tmp_path / "train.csv")
    pl.DataFrame({"seq": sequences(2), "state": ["open", "ajar"]}).write_csv(tmp_path / "test.csv")
    files = {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"}
    with pytest.raises(DataError, match=r"test\.csv, row 2: the label 'ajar' is none of closed"):
        import_tables(tmp_path / "task", files, DEFAULT)  # type: ignore[arg-type]


def test_files_must_have_the_same_columns(tmp_path: Path) -> None:
    table(60).write_csv(tmp_path / "train.csv")
    table(20).rename({"seq": "dna"}).write_csv(tmp_path / "test.csv")
    files = {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"}
    with pytest.raises(DataError, match=r"test\.csv: there is no seq column among dna, state"):
        import_tables(tmp_path / "task", files, DEFAULT)  # type: ignore[arg-type]


def test_files_that_make_no_sense_together_are_refused(tmp_path: Path) -> None:
    table(60).write_csv(tmp_path / "a.csv")
    fasta = write_fasta(tmp_path / "a.fa", sequences(4))
    one = tmp_path / "a.csv"
    cases: list[tuple[dict, str]] = [
        ({}, "there is nothing to import"),
        ({"valid": one}, "--valid without --train"),
        ({"train": one, "test": one}, "is given as train and as test"),
        ({"train": fasta}, "a FASTA file has no labels; give one a class"),
    ]
    for files, message in cases:
        with pytest.raises(UserError, match=message):
            import_tables(tmp_path / "task", files, DEFAULT)
    with pytest.raises(DataError, match="this is not a FASTA file"):
        import_fasta_pair(tmp_path / "task", fasta, one, DEFAULT)
    three = DEFAULT.replace(classes=("a", "b", "c"))
    with pytest.raises(ConfigError, match="two FASTA files make two classes, not 3"):
        import_fasta_pair(tmp_path / "task", fasta, fasta, three)


def test_an_existing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    with pytest.raises(FolderError, match="exists"):
        import_tables(tmp_path / "task", {"train": tmp_path / "not there.csv"}, DEFAULT)
    with pytest.raises(FolderError, match="exists"):
        import_fasta_pair(tmp_path / "task", tmp_path / "a.fa", tmp_path / "b.fa", DEFAULT)


def test_real_files_of_other_people(shared: Path, tmp_path: Path) -> None:
    folder = shared / "lsgkm_nfe2"
    stem = "wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    task = import_fasta_pair(
        tmp_path / "nfe2", folder / f"{stem}.neg.tr.fa.gz", folder / f"{stem}.tr.fa.gz", DEFAULT
    ).task
    assert sum(task.spec.rows.values()) == 2 * 644
    files = {
        split: shared / "gue" / "prom" / "prom_300_tata" / f"{name}.csv.gz"
        for split, name in (("train", "train"), ("valid", "dev"), ("test", "test"))
    }
    imported = import_tables(tmp_path / "tata", files, DEFAULT)  # type: ignore[arg-type]
    assert imported.warnings[-1].startswith("6 of 613 test rows")


MISSING = ["NA", "NaN", "nan", "None", "null", "N/A", ".", "", " "]


@pytest.mark.parametrize("written", MISSING)
@pytest.mark.parametrize("column", ["id", "seq", "state"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_missing_value_names_its_row_or_is_left_out(
    tmp_path: Path, written: str, column: str, ending: str
) -> None:
    frame = table().with_columns(id=pl.format("r{}", pl.int_range(pl.len())))
    gap = pl.int_range(pl.len()).is_in([6, 40])
    frame = frame.with_columns(pl.when(gap).then(pl.lit(written)).otherwise(column).alias(column))
    path = tmp_path / f"mine.{ending}"
    if ending == "parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="\t" if ending == "tsv" else ",")
    what = {"id": "id", "seq": "sequence", "state": "label"}[column]
    options = ImportOptions(label_column="state")
    with pytest.raises(DataError, match=rf"row 7: the {what} is missing \(2 such rows\)"):
        import_tables(tmp_path / "task", {"train": path}, options)
    imported = import_tables(tmp_path / "task", {"train": path}, options.replace(drop_missing=True))
    assert sum(imported.task.spec.rows.values()) == 98
    assert imported.warnings == (f"left out 2 of 100 rows of {path.name}: the {what} is missing",)
    assert imported.task.spec.classes == ("closed", "open")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_pandas_floats_are_classes_with_gaps(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine.{ending}"
    labels = [0.0, 1.0, 0.0, 1.0, float("nan")] * 20
    frame = table().with_columns(state=pl.Series(labels))
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    with pytest.raises(DataError, match=r"row 5: the label is missing \(20 such rows\)"):
        import_tables(tmp_path / "task", {"train": path}, ImportOptions(label_column="state"))
    options = ImportOptions(label_column="state", drop_missing=True)
    task = import_tables(tmp_path / "task", {"train": path}, options).task
    assert task.spec.classes == ("0", "1")
    assert sum(task.spec.rows.values()) == 80
    ids = [name for split in task.splits for name in task.read(split).ids]
    assert "row-5" not in ids
    assert "row-100" not in ids
    assert "row-99" in ids


def test_rows_keep_their_number_when_others_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = ["AAAA,0", "CCCC,NA", "GGGG,1", "TT!T,0"]
    path.write_text("sequence,label\n" + "\n".join(rows))
    with pytest.raises(DataError, match="row 4: the character '!'"):
        import_tables(tmp_path / "task", {"train": path}, ImportOptions(drop_missing=True))
    path.write_text("id,sequence,label\na,AAAA,0\nb,CCCC,NA\nc,GGGG,1\na,TTTT,0\n")
    with pytest.raises(DataError, match="row 4: the id 'a' is also row 1"):
        import_tables(tmp_path / "task", {"train": path}, ImportOptions(drop_missing=True))
    path.write_text("sequence,label\nAAAA,NA\n")
    with pytest.raises(DataError, match="no row is left"):
        import_tables(tmp_path / "task", {"train": path}, ImportOptions(drop_missing=True))


@pytest.mark.parametrize("number", ["inf", "-inf", "1e+16", "1e300", "0.5"])
def test_measurements_are_no_classes(tmp_path: Path, number: str) -> None:
    path = tmp_path / "mine.csv"
    rows = ["0", number] * 20
    path.write_text(
        "sequence,label\n" + "\n".join(map(",".join, zip(sequences(40), rows, strict=True)))
    )
    with pytest.raises(DataError, match=r"row 2: the label .* not a class"):
        import_tables(tmp_path / "task", {"train": path}, DEFAULT)


def test_fasta_records_without_a_name_are_refused_or_numbered(tmp_path: Path) -> None:
    for name, seed in (("n.fas", 0), ("p.fa", 1)):
        (tmp_path / name).write_text("".join(f">\n{s}\n" for s in sequences(40, seed=seed)))
    files = (tmp_path / "n.fas", tmp_path / "p.fa")
    with pytest.raises(DataError, match=r"n\.fas, row 1: the id is missing .*--id-column none"):
        import_fasta_pair(tmp_path / "task", *files)
    task = import_fasta_pair(tmp_path / "task", *files, ImportOptions(id_column="none")).task
    assert sum(task.spec.rows.values()) == 80


def test_places_may_be_missing_as_pandas_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    frame = table(40).with_columns(chrom=pl.lit("chr1"), start=100.0, end=130.0)
    first = pl.int_range(pl.len()) == 0
    frame.with_columns(
        pl.when(~first).then(pl.col(name)).alias(name) for name in ("chrom", "start", "end")
    ).write_csv(path)
    options = ImportOptions(label_column="state")
    task = import_tables(tmp_path / "task", {"train": path}, options).task
    rows = pl.concat([task.read(split).frame for split in task.splits])
    assert rows["start"].null_count() == 1
    assert rows.drop_nulls().select("chrom", "start", "end").unique().rows() == [("chr1", 100, 130)]


def test_labels_that_differ_only_in_case_are_refused_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    labels = ["neg", "Pos", "neg", "pos"] * 25
    rows = map(",".join, zip(sequences(100), labels, strict=True))
    path.write_text("sequence,label\n" + "\n".join(rows))
    with pytest.raises(DataError, match="Pos and pos differ only in case"):
        import_tables(tmp_path / "task", {"train": path}, DEFAULT)
    named = ImportOptions(classes=("neg", "Pos", "pos"))
    assert import_tables(tmp_path / "task", {"train": path}, named).task.spec.classes[1] == "Pos"
