"""Reading k-mer vectors in every format, and refusing what is broken."""

import gzip
import itertools
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from attendna.core.errors import DataError
from attendna.genome.sequences import SequenceBatch
from attendna.tokens.dna2vec import KmerVectors, read_vectors
from attendna.tokens.kmer import KmerConfig

Vectors = Mapping[str, list[float]]


def mixed() -> dict[str, list[float]]:
    """Words of 1 to 3 bases in no order, and one that is no word of DNA."""
    words = ["".join(w) for k in (1, 2, 3) for w in itertools.product("ACGT", repeat=k)]
    generator = np.random.default_rng(0)
    vectors = {w: generator.normal(size=5).round(4).tolist() for w in generator.permutation(words)}
    return {"</s>": [0.0] * 5} | vectors


def text(vectors: Vectors) -> bytes:
    width = len(next(iter(vectors.values())))
    lines = [f"{word} {' '.join(map(str, v))}" for word, v in vectors.items()]
    return "\n".join([f"{len(vectors)} {width}", *lines, ""]).encode()


def binary(vectors: Vectors, newline: bytes = b"\n") -> bytes:
    width = len(next(iter(vectors.values())))
    rows = [
        word.encode() + b" " + struct.pack(f"<{width}f", *v) + newline
        for word, v in vectors.items()
    ]
    return f"{len(vectors)} {width}\n".encode() + b"".join(rows)


def binary_without_newlines(vectors: Vectors) -> bytes:
    return binary(vectors, newline=b"")


def text_of_the_original_program(vectors: Vectors) -> bytes:
    """It leaves a space at the end of every line."""
    first, *rest = text(vectors).split(b"\n")
    return b"\n".join([first, *(line + b" " if line else line for line in rest)])


def check(vectors: KmerVectors, expected: Vectors, k: int) -> None:
    width = len(next(iter(expected.values())))
    assert vectors.matrix.shape == (4**k + 1, width)
    assert vectors.matrix.dtype == np.float32
    words = ["".join(word) for word in itertools.product("ACGT", repeat=k)]
    rows = [expected.get(word, [0.0] * width) for word in words]
    assert np.allclose(vectors.matrix, [*rows, [0.0] * width], atol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "write", [text, text_of_the_original_program, binary, binary_without_newlines]
)
def test_word2vec_files_give_the_vectors_of_one_k(
    tmp_path: Path, write: Callable[[Vectors], bytes], zipped: bool, k: int
) -> None:
    content = write(mixed())
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(content) if zipped else content)
    vectors = read_vectors(path, k)
    check(vectors, mixed(), k)
    assert vectors.missing == ()


@pytest.mark.parametrize("write", [text, binary])
def test_missing_words_are_zeros_and_counted(
    tmp_path: Path, write: Callable[[Vectors], bytes]
) -> None:
    held = {word: v for word, v in mixed().items() if word not in ("AC", "TT")}
    path = tmp_path / "vectors"
    path.write_bytes(write(held))
    vectors = read_vectors(path, 2)
    check(vectors, held, 2)
    assert vectors.missing == ("AC", "TT")
    assert str(vectors) == "14 of 16 2-mers have a vector of 5 numbers"


def test_lower_case_words_are_words(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(text({word.lower(): v for word, v in mixed().items()}))
    check(read_vectors(path, 2), mixed(), 2)


@pytest.mark.parametrize("padding", ["none", "first", "last"])
@pytest.mark.parametrize("kind", ["float64", "float16", "int8"])
def test_a_matrix_may_have_a_row_of_zeros_at_either_end(
    tmp_path: Path, padding: str, kind: str
) -> None:
    rows = np.random.default_rng(0).integers(1, 9, (16, 3)).astype(kind)
    pads = {"none": (0, 0), "first": (1, 0), "last": (0, 1)}
    np.save(tmp_path / "m.npy", np.pad(rows, (pads[padding], (0, 0))))
    vectors = read_vectors(tmp_path / "m.npy", 2)
    assert np.array_equal(vectors.matrix[:-1], rows)
    assert not vectors.matrix[-1].any()


def save(path: Path, array: np.ndarray) -> bytes:
    np.save(path, array, allow_pickle=True)
    return path.with_suffix(".npy").read_bytes()


BROKEN = {
    "no header": (lambda p: b"AC 1 2\n", "first line is not"),
    "empty": (lambda p: b"", "the file is empty"),
    "too few words": (lambda p: text(mixed()).replace(b"85 5", b"99 5"), "85 words, but"),
    "cut text": (lambda p: text(mixed())[:-20], "row 85: [34] numbers, but the first line says 5"),
    "cut binary": (lambda p: binary(mixed())[:-9], "row 85: the file ends"),
    "no number": (lambda p: text({"AC": ["1", "x"], "AA": ["1", "2"]}), "row 1: a vector holds"),
    "too many numbers": (lambda p: b"1 2\nAC 1 2 3\n", "row 1: 3 numbers"),
    "not finite": (lambda p: b"1 2\nAC 1 nan\n", "row 1: a number is not finite"),
    "twice": (lambda p: b"2 1\nAC 1\nac 2\n", "row 2: the word AC stands there twice"),
    "other lengths": (lambda p: b"2 1\nACG 1\nA 2\n", "no 2-mers in it, but 1 1-mers, 1 3-mers"),
    "English": (lambda p: b"2 1\nthe 1\nand 2\n", "no 2-mers in it, but no k-mer"),
    "cut gzip": (lambda p: gzip.compress(text(mixed()))[:-30], "gzip"),
    "another k": (lambda p: save(p, np.ones((64, 3))), "64 rows, but there are 16 2-mers"),
    "no zeros": (lambda p: save(p, np.ones((17, 3))), "one more than"),
    "all zeros": (lambda p: save(p, np.zeros((17, 3))), "one more than"),
    "no matrix": (lambda p: save(p, np.ones(16)), "shape"),
    "letters": (lambda p: save(p, np.full((16, 2), "a")), "array of <U1"),
    "infinite": (lambda p: save(p, np.full((16, 2), np.inf)), "row 1: a number is not finite"),
    "pickle": (lambda p: save(p, np.full((16, 2), None)), "not a whole NumPy matrix"),
    "cut matrix": (lambda p: save(p, np.ones((16, 3)))[:-9], "not a whole NumPy matrix"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path: Path, fault: str) -> None:
    write, message = BROKEN[fault]
    path = tmp_path / "vectors"
    path.write_bytes(write(tmp_path / "saved"))
    with pytest.raises(DataError, match=message) as caught:
        read_vectors(path, 2)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_without_vectors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_vectors(tmp_path / "none", 2)
    with pytest.raises(DataError, match=r"neither vectors\.w2v nor vectors\.bin"):
        read_vectors(tmp_path, 2)


def test_rows_are_in_the_order_of_the_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(text(mixed()))
    codes, lengths = SequenceBatch.from_text(["GATTACAN"]).padded()
    tokens = KmerConfig(k=3).build()(torch.tensor(codes), torch.tensor(lengths))
    rows = read_vectors(path, 3).matrix[tokens.ids[0]]
    expected = [mixed()[word] for word in ("GAT", "ATT", "TTA", "TAC", "ACA")]
    assert np.allclose(rows, [*expected, [0.0] * 5])


def test_the_published_vectors_have_the_neighbors_their_authors_list(shared: Path) -> None:
    vectors = read_vectors(shared / "dna2vec/dna2vec_6mer_matrix.npy", 6)
    unit = vectors.matrix[:-1] / np.linalg.norm(vectors.matrix[:-1], axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1)
    words = ["".join(word) for word in itertools.product("ACGT", repeat=6)]
    listed = pl.read_csv(shared / "dna2vec/dna2vec_nearest_neighbor.csv.gz").filter(
        pl.col("k_len") == 6, pl.col("relation") == "nearest_neighbor"
    )
    assert listed.height == 1_000
    found = [words[cosine[words.index(word)].argmax()] for word in listed["kmer1"]]
    assert found == listed["kmer2"].to_list()
