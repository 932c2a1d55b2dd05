"""Genomes in every format: streamed, whole and broken, and cut into windows."""

import gzip
import multiprocessing
import pickle
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.genome.genome_files import FORMATS, two_bit, write_genome

from attendna.core.errors import DataError, MissingExtraError
from attendna.genome.alphabet import N, decode, encode, reverse_complement
from attendna.genome.reference import Reference, WindowError, open_reference, stream_contigs
from attendna.genome.sequences import SequenceBatch

FASTA = ">one first\nACGTN\nacgu\n>two\n\n>three\nRYK\n"


def contigs(path: Path) -> list[tuple[str, str]]:
    return [(contig.name, decode(contig.codes)) for contig in stream_contigs(path)]


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_contigs_come_in_order_with_names_and_codes(tmp_path: Path, name: str) -> None:
    content = FASTA.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert contigs(tmp_path / name) == [("one", "ACGTNACGT"), ("two", ""), ("three", "NNN")]


def test_letters_are_refused_by_policy_naming_the_record(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(FASTA)
    with pytest.raises(DataError, match=r"genome\.fa, row 3: .*'R' at position 1"):
        list(stream_contigs(path, "error"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no sequence in it"),
        (b"chrom\tstart\n", "no sequence in it"),
        (b"@read\nACGT\n+\nIIII\n", "row 1: this is FASTQ"),
        (b">x\nAC-GT\n", "row 1: .*'-' at position 3"),
        (b">\x9d\xff\nACGT\n", "damaged"),
    ],
)
def test_what_is_no_genome_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "genome.fa"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(stream_contigs(path))


def test_a_cut_gzip_is_refused(tmp_path: Path) -> None:
    letters = np.random.default_rng(0).choice(list("ACGT"), 200_000)
    whole = gzip.compress(f">x\n{''.join(letters)}\n".encode())
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="truncated or damaged"):
        list(stream_contigs(path))


def test_a_missing_file_and_a_folder_are_told_apart_from_damage(tmp_path: Path) -> None:
    for path in (tmp_path / "none.fa", tmp_path):
        with pytest.raises(DataError, match="no such file"):
            list(stream_contigs(path))


def test_the_yeast_genome_is_whole(shared: Path) -> None:
    sizes = {c.name: c.codes.size for c in stream_contigs(shared / "genome/sacCer3.fa.gz")}
    assert len(sizes) == 17
    assert sum(sizes.values()) == 12_157_105
    assert sizes["chrI"] == 230_218


def random_letters(size: int, seed: int) -> str:
    """Bases of both cases with a run of N."""
    letters = np.random.default_rng(seed).choice(list("ACGTacgt"), size)
    letters[size // 3 : size // 2] = "N"
    return "".join(letters)


GENOME = {
    "chr1": random_letters(257, 1),
    "chr2": random_letters(64, 2),
    "chrM": random_letters(31, 3),
    "scaffold_7": "ACGTN",
}


@pytest.fixture(scope="module", params=FORMATS)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    """The same small genome, read from each format through the cache."""
    folder = tmp_path_factory.mktemp("genome")
    return open_reference(write_genome(folder, GENOME, request.param), cache=folder / "cache")


def table(*windows: tuple[object, ...]) -> pl.DataFrame:
    names = ["chrom", "start", "end", "strand"]
    return pl.DataFrame(list(windows), schema=names[: len(windows[0])], orient="row")


def texts(reference: Reference, frame: pl.DataFrame, **options: object) -> list[str]:
    return reference.windows(frame, **options).sequences.to_text()  # type: ignore[arg-type]


def test_two_bit_streams_like_fasta(tmp_path: Path) -> None:
    path = write_genome(tmp_path, GENOME, "2bit")
    assert contigs(path) == [(name, text.upper()) for name, text in GENOME.items()]


@pytest.mark.parametrize("size", [3, 17, 60, 100])
def test_a_cut_two_bit_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "genome.2bit"
    path.write_bytes(two_bit(GENOME)[:size])
    with pytest.raises(DataError, match=r"genome\.2bit"):
        list(stream_contigs(path))


def test_a_missing_py2bit_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "py2bit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'attendna\[twobit\]'"):
        list(stream_contigs(write_genome(tmp_path, GENOME, "2bit")))


def test_names_and_lengths_are_those_of_the_file(reference: Reference) -> None:
    assert reference.contigs == tuple(GENOME)
    assert reference.lengths == {name: len(text) for name, text in GENOME.items()}
    assert reference.build is None
    reference.require_build("hg38")


def test_the_digest_does_not_depend_on_the_format(tmp_path: Path) -> None:
    digests = {
        open_reference(write_genome(tmp_path, GENOME, kind), keep_in_memory=True).digest
        for kind in FORMATS
    }
    assert len(digests) == 1


windows = st.lists(
    st.tuples(
        st.sampled_from([*GENOME, "1", "2", "MT"]),
        st.integers(-40, 270),
        st.integers(1, 90),
        st.sampled_from(["+", "-", ".", None]),
    ),
    max_size=12,
)


def one_by_one(
    asked: list[tuple[str, int, int, str | None]], edge: str
) -> tuple[list[int], list[str]] | int:
    """Rows and letters as a slow and obvious reader gives them, or the first row it refuses."""
    known = GENOME | {"1": GENOME["chr1"], "2": GENOME["chr2"], "MT": GENOME["chrM"]}
    rows, found = [], []
    for row, (chrom, start, size, strand) in enumerate(asked):
        text = known[chrom].upper()
        inside = start >= 0 and start + size <= len(text)
        beyond = start >= len(text) or start + size <= 0
        if edge == "drop" and not inside:
            continue
        if (edge == "error" and not inside) or (edge == "pad" and beyond):
            return row
        letters = "".join(
            text[place] if 0 <= place < len(text) else "N" for place in range(start, start + size)
        )
        if strand == "-":
            letters = letters[::-1].translate(str.maketrans("ACGT", "TGCA"))
        rows.append(row)
        found.append(letters)
    return rows, found


@given(asked=windows, edge=st.sampled_from(["error", "drop", "pad"]))
def test_windows_are_those_of_a_reader_that_takes_one_base_at_a_time(
    reference: Reference, asked: list[tuple[str, int, int, str | None]], edge: str
) -> None:
    frame = pl.DataFrame(
        [(chrom, start, start + size, strand) for chrom, start, size, strand in asked],
        schema={"chrom": pl.String, "start": pl.Int64, "end": pl.Int64, "strand": pl.String},
        orient="row",
    )
    expected = one_by_one(asked, edge)
    if isinstance(expected, int):
        with pytest.raises(WindowError) as caught:
            reference.windows(frame, edge=edge)
        assert caught.value.row == expected
        return
    rows, letters = expected
    got = reference.windows(frame, edge=edge)
    assert got.rows.tolist() == rows
    assert got.sequences.to_text() == letters
    assert got.dropped == len(asked) - len(rows)
    assert got.missing == 0
    over = [
        start < 0
        or start + size > reference.lengths.get(chrom, {"1": 257, "2": 64, "MT": 31}.get(chrom, 0))
        for chrom, start, size, _ in asked
    ]
    assert got.padded == sum(over[row] for row in rows)


@given(asked=windows, shift=st.integers(-30, 30), edge=st.sampled_from(["error", "drop", "pad"]))
def test_the_reverse_strand_is_the_reverse_complement_of_the_forward(
    reference: Reference, asked: list[tuple[str, int, int, str | None]], shift: int, edge: str
) -> None:
    rows = [(chrom, start, start + size) for chrom, start, size, _ in asked] or [("chr1", 0, 5)]

    def outcome(strand: str) -> tuple[list[int], SequenceBatch] | int:
        try:
            frame = table(*rows).with_columns(strand=pl.lit(strand))
            got = reference.windows(frame, shift=shift, edge=edge)
        except WindowError as error:
            return error.row
        return got.rows.tolist(), got.sequences

    forward, reverse = outcome("+"), outcome("-")
    if isinstance(forward, int) or isinstance(reverse, int):
        assert forward == reverse
        return
    assert forward[0] == reverse[0]
    for one, other in zip(forward[1], reverse[1], strict=True):
        assert other.tolist() == reverse_complement(one).tolist()


@pytest.mark.parametrize("size", [1, 2, 7, 8, 12, 13, 50])
@pytest.mark.parametrize("start", [0, 3, 100])
def test_reverse_windows_of_odd_and_even_length_cover_the_same_bases(
    reference: Reference, start: int, size: int
) -> None:
    expected = encode(GENOME["chr1"][start : start + size])
    assert reference.sequence("chr1", start, start + size).tolist() == expected.tolist()
    reverse = reference.sequence("chr1", start, start + size, "-")
    assert reverse.tolist() == reverse_complement(expected).tolist()


def test_shift_moves_windows_along_the_contig_whatever_the_strand(reference: Reference) -> None:
    frame = table(("chr1", 10, 20, "+"), ("chr1", 10, 20, "-"), ("chr2", 30, 40, "-"))
    moved = frame.with_columns(start=pl.col("start") + 5, end=pl.col("end") + 5)
    assert texts(reference, frame, shift=5) == texts(reference, moved)
    each = reference.windows(frame, shift=np.array([0, -10, 24]))
    assert each.sequences.to_text() == [
        texts(reference, frame)[0],
        *texts(reference, table(("chr1", 0, 10, "-"), ("chr2", 54, 64, "-"))),
    ]


def test_what_was_left_out_or_filled_is_counted(reference: Reference) -> None:
    frame = table(("chr2", -5, 5), ("chr2", 60, 70), ("chr2", 0, 64), ("chrQ", 0, 9))
    kept = reference.windows(frame, edge="pad", missing="drop")
    assert (kept.padded, kept.dropped, kept.missing) == (2, 0, 1)
    assert kept.rows.tolist() == [0, 1, 2]
    first, last, _ = kept.sequences
    assert first[:5].tolist() == last[4:].tolist()[:5] == [N] * 5
    fewer = reference.windows(frame, edge="drop", missing="drop")
    assert (fewer.padded, fewer.dropped, fewer.missing) == (0, 2, 1)
    assert fewer.rows.tolist() == [2]


def test_a_whole_contig_is_a_window(reference: Reference) -> None:
    for name, text in GENOME.items():
        assert decode(reference.sequence(name, 0, len(text))) == text.upper()


def test_windows_of_one_length_make_a_rectangle(reference: Reference) -> None:
    got = reference.windows(table(("chr1", 5, 15), ("chr2", 0, 10)))
    assert got.sequences.rectangle().shape == (2, 10)
    with pytest.raises(ValueError, match="lengths differ, from 9 to 10"):
        reference.windows(table(("chr1", 5, 15), ("chr2", 0, 9))).sequences.rectangle()


def test_no_windows_are_no_sequences(reference: Reference) -> None:
    empty = table(("chr1", 0, 1, "+")).clear()
    got = reference.windows(empty)
    assert (len(got.sequences), got.rows.size, got.missing) == (0, 0, 0)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (("chr1", 250, 260, "+"), "it reaches over the end of chr1 at 257"),
        (("chr1", -1, 5, "+"), "it reaches over 0 on chr1"),
        (("chr1", 300, 310, "+"), "it reaches over the end of chr1 at 257"),
        (("chr1", 5, 5, "+"), "it has no bases"),
        (("chr1", 9, 5, "+"), "it has no bases"),
        (("chr1", None, 5, "+"), "it has no bases"),
        ((None, 1, 5, "+"), "it has no bases"),
        (("chr1", 1, 5, "*"), "its strand is none of"),
        (("chr11", 1, 5, "+"), "has no contig chr11"),
        (("chr1", 2**62, 2**62 + 5, "+"), "it reaches over the end of chr1"),
    ],
)
def test_a_window_that_cannot_be_had_is_named(
    reference: Reference, window: tuple[object, ...], message: str
) -> None:
    frame = table(("chr1", 1, 5, "+"), window, ("chr1", 1, 5, "+"), window)
    with pytest.raises(WindowError) as caught:
        reference.windows(frame)
    assert caught.value.row == 1
    assert str(caught.value).startswith("window 2, ")
    assert message in str(caught.value)
    assert "(1 more windows cannot be had)" in str(caught.value)


def test_a_contig_that_is_nearly_there_is_named(reference: Reference) -> None:
    with pytest.raises(WindowError, match="has no contig chr22; did you mean chr2"):
        reference.sequence("chr22", 0, 5)


def test_columns_of_other_types_are_read_alike(reference: Reference) -> None:
    frame = table(("chr1", 3, 9, "-"), ("2", 1, 60, "+"))
    expected = texts(reference, frame)
    other = frame.with_columns(
        pl.col("chrom").cast(pl.Categorical),
        pl.col("start").cast(pl.Int32),
        pl.col("end").cast(pl.UInt32),
        pl.col("strand").cast(pl.Enum(["+", "-"])),
    )
    assert texts(reference, other) == expected
    assert texts(reference, frame.drop("strand"))[1] == expected[1]


def test_a_genome_in_parts_gives_what_it_has(tmp_path: Path) -> None:
    whole = GENOME["chr1"].upper()
    parts = {"chr1:20-80": whole[20:80], "chr1:61-140": whole[60:140], "chr2": GENOME["chr2"]}
    reference = open_reference(write_genome(tmp_path, parts, "fa"), keep_in_memory=True)
    assert reference.contigs == ("chr1", "chr2")
    assert reference.lengths == {"chr2": 64}
    frame = table(
        ("1", 20, 80), ("chr1", 70, 140), ("chr1", 10, 30), ("chr2", 0, 64), ("chr1", -3, 9)
    )
    got = reference.windows(frame[:4], missing="drop")
    assert got.missing == 1
    assert got.rows.tolist() == [0, 1, 3]
    assert got.sequences.to_text()[:2] == [whole[20:80], whole[70:140]]
    with pytest.raises(WindowError, match="holds only parts of chr1, and not this one"):
        reference.windows(frame[2:3])
    with pytest.raises(WindowError, match="holds only parts"):
        reference.windows(frame[4:], edge="pad")


def test_a_contig_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(">a\nAC\n>b\nG\n>a\nT\n")
    for options in ({"keep_in_memory": True}, {"cache": tmp_path / "cache"}):
        with pytest.raises(DataError, match="row 3: a second a; give every contig once"):
            open_reference(path, **options)


def test_a_genome_of_another_build_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yeast.fa"
    path.write_text(f">chrI\n{'A' * 230_218}\n")
    reference = open_reference(path, keep_in_memory=True)
    assert reference.build == "sacCer3"
    reference.require_build("R64-1-1")
    with pytest.raises(DataError, match="this is sacCer3, not hg38; give the genome hg38"):
        reference.require_build("hg38")


def _letters(reference: Reference) -> str:
    # Without Polars, whose threads do not survive a fork.
    return decode(reference.sequence("chr1", 3, 99, "-"))


def test_a_reference_serves_forked_processes(reference: Reference) -> None:
    expected = _letters(reference)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_letters, [reference] * 4).get(timeout=120) == [expected] * 4


def test_a_reference_that_is_sent_elsewhere_opens_the_genome_there(reference: Reference) -> None:
    sent = pickle.dumps(reference)
    assert len(sent) < 2_000
    assert _letters(pickle.loads(sent)) == _letters(reference)


def test_published_sequences_are_found_at_their_places(shared: Path, tmp_path: Path) -> None:
    genome = open_reference(shared / "genome/hg38_regions.fa.gz", cache=tmp_path)
    name = "human_enhancers_ensembl"
    rows = pl.read_csv(shared / f"genomic_benchmarks/from_regions/{name}.tsv.gz", separator="\t")
    assert rows.height == 633
    got = genome.windows(rows)
    assert got.sequences.to_series().equals(rows["sequence"].str.to_uppercase(), check_names=False)


def test_the_two_chr1_files_agree_and_yeast_is_recognized(shared: Path, tmp_path: Path) -> None:
    parts = open_reference(shared / "genome/hg38_regions.fa.gz", cache=tmp_path)
    whole = open_reference(shared / "genome/originals/hg38_chr1_first1Mb.fa.gz", cache=tmp_path)
    starts = np.random.default_rng(0).integers(0, 999_000, 500)
    frame = pl.DataFrame({"chrom": "1", "start": starts, "end": starts + 999, "strand": "-"})
    assert np.array_equal(
        parts.windows(frame).sequences.codes, whole.windows(frame).sequences.codes
    )
    yeast = open_reference(shared / "genome/sacCer3.fa.gz", cache=tmp_path)
    assert yeast.build == "sacCer3"
    assert sum(yeast.lengths.values()) == 12_157_105
