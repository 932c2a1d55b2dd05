"""Ragged batches against lists of strings."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.core.errors import UserError
from attendna.genome.alphabet import N, encode
from attendna.genome.sequences import SequenceBatch, SequenceError

some_texts = st.lists(st.text("ACGTN", max_size=12), max_size=9)


def opposite(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


@given(some_texts)
def test_text_goes_in_and_comes_out(texts: list[str]) -> None:
    batch = SequenceBatch.from_text(texts)
    assert len(batch) == len(texts)
    assert batch.to_text() == texts
    assert batch.to_series().to_list() == texts
    assert batch.lengths.tolist() == [len(text) for text in texts]
    assert [row.tolist() for row in batch] == [encode(text).tolist() for text in texts]


@given(some_texts, st.integers(0, 3), st.integers(0, 3))
def test_columns_of_every_kind_are_read_alike(texts: list[str], start: int, stop: int) -> None:
    expected = texts[start : len(texts) - stop]
    series = pl.Series("sequence", texts, dtype=pl.String)
    columns = [
        tuple(expected),
        series.slice(start, len(expected)),
        pl.concat([series[:2], series[2:]], rechunk=False).slice(start, len(expected)),
        pa.array(texts, pa.string()).slice(start, len(expected)),
        pa.array(texts, pa.large_string()).slice(start, len(expected)),
        pa.array(texts, pa.string()).dictionary_encode().slice(start, len(expected)),
    ]
    for column in columns:
        assert SequenceBatch.from_text(column).to_text() == expected


@given(some_texts, st.data())
def test_take_gathers_rows_in_the_order_asked_for(texts: list[str], data: st.DataObject) -> None:
    batch = SequenceBatch.from_text(texts)
    rows = data.draw(
        st.lists(st.integers(0, len(texts) - 1), max_size=12) if texts else st.just([])
    )
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), bool
    )
    expected = [texts[row] for row in rows]
    assert batch.take(rows).to_text() == expected
    assert batch.take(np.array(rows, dtype=np.int32)).to_text() == expected
    assert batch.take(mask).to_text() == [
        text for text, kept in zip(texts, mask, strict=True) if kept
    ]


@pytest.mark.parametrize("row", [-4, -1, 3, 2**40])
def test_take_refuses_rows_that_are_not_there(row: int) -> None:
    with pytest.raises(IndexError):
        SequenceBatch.from_text(["AC", "G", "T"]).take([0, row])


def test_a_row_is_a_view_and_counts_from_either_end() -> None:
    batch = SequenceBatch.from_text(["AC", "", "GTT"])
    assert batch[-1].tolist() == batch[2].tolist() == [2, 3, 3]
    assert np.shares_memory(batch[0], batch.codes)
    for row in (3, -4):
        with pytest.raises(IndexError):
            batch[row]


@given(some_texts)
def test_padded_fills_up_with_unknown_bases(texts: list[str]) -> None:
    codes, lengths = SequenceBatch.from_text(texts).padded()
    longest = max(map(len, texts), default=0)
    assert codes.shape == (len(texts), longest)
    for row, length, text in zip(codes, lengths, texts, strict=True):
        assert row[:length].tolist() == encode(text).tolist()
        assert row[length:].tolist() == [N] * (longest - len(text))


@given(some_texts)
def test_padded_and_ragged_agree(texts: list[str]) -> None:
    batch = SequenceBatch.from_text(texts)
    codes, lengths = batch.padded()
    again = SequenceBatch.from_codes(
        row[:length] for row, length in zip(codes, lengths, strict=True)
    )
    assert again.codes.tolist() == batch.codes.tolist()
    assert again.offsets.tolist() == batch.offsets.tolist()


@given(some_texts)
def test_reverse_complement_turns_each_sequence_where_it_stands(texts: list[str]) -> None:
    batch = SequenceBatch.from_text(texts)
    assert batch.reverse_complement().to_text() == [opposite(text) for text in texts]
    assert batch.reverse_complement().reverse_complement().to_text() == texts
    assert batch.to_text() == texts


def test_what_is_returned_can_be_written_without_harm() -> None:
    batch = SequenceBatch.from_text(["ACG", "T"])
    for other in (batch.take([0, 1]), batch.reverse_complement()):
        other.codes[:] = N
    batch.padded()[0][:] = N
    assert batch.to_text() == ["ACG", "T"]


@pytest.mark.parametrize(
    ("texts", "row", "letter", "position"),
    [
        (["ACGT", "AC-T"], 1, "-", 2),
        (["", "ACGT", "", "éA"], 3, "é", 0),
        (["ACGT", "AΩCΩ", "A!"], 1, "Ω", 1),
        (["ACGT", "AC GT"], 1, " ", 2),
    ],
)
def test_a_bad_letter_is_named_with_its_sequence(
    texts: list[str], row: int, letter: str, position: int
) -> None:
    for column in (texts, pl.Series(texts), pa.array(["skipped", *texts])[1:]):
        with pytest.raises(SequenceError) as caught:
            SequenceBatch.from_text(column)
        error = caught.value
        assert (error.row, error.letter, error.position) == (row, letter, position)
        assert str(error).startswith(f"sequence {row + 1}: the character {letter!r}")


def test_the_policy_reaches_the_letters() -> None:
    assert SequenceBatch.from_text(["ARN"]).to_text() == ["ANN"]
    assert SequenceBatch.from_text(["ACN"], "error").to_text() == ["ACN"]
    with pytest.raises(SequenceError, match="sequence 2: the character 'R' at position 2"):
        SequenceBatch.from_text(["ACN", "ARN"], "error")


def test_a_missing_sequence_is_named() -> None:
    with pytest.raises(UserError, match="sequence 2 is missing, 2 in all"):
        SequenceBatch.from_text(pl.Series(["A", None, None]))


@pytest.mark.parametrize("offsets", [[0, 1], [1, 3], [0], []])
def test_offsets_that_do_not_cover_the_codes_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets run"):
        SequenceBatch(np.zeros(3, np.uint8), np.array(offsets, np.int64))


def test_real_sequences_survive_the_round_trip(shared) -> None:
    path = shared / "genomic_benchmarks" / "sequences" / "human_enhancers_cohn.test.csv.gz"
    texts = pl.read_csv(path)["seq"]
    batch = SequenceBatch.from_text(texts)
    assert set(batch.lengths.tolist()) == {500}
    assert batch.to_series().equals(texts.str.to_uppercase(), check_names=False)
    assert batch.padded()[0].base is not batch.codes
