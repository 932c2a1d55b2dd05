"""The flat buffer and its batches, against one sequence at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.buffer import CodeBuffer, bucketed_batches

SEQUENCES = st.lists(st.text("ACGTN", max_size=30), min_size=1, max_size=8)


def random_lengths(count: int) -> torch.Tensor:
    return torch.randint(31, 573, (count,), generator=torch.Generator().manual_seed(1))


@given(SEQUENCES, st.integers(1, 16), st.data())
def test_gather_gives_the_sequences_of_the_rows(
    sequences: list[str], multiple: int, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, len(sequences) - 1), max_size=10))
    buffer = CodeBuffer(SequenceBatch.from_text(sequences), multiple=multiple)
    codes, lengths = buffer.gather(torch.tensor(rows, dtype=torch.int64))
    assert lengths.tolist() == [len(sequences[row]) for row in rows]
    assert codes.shape[1] % multiple == 0
    for row, line in zip(rows, codes.tolist(), strict=True):
        letters = "".join("ACGTN"[code] for code in line)
        assert letters == sequences[row].ljust(codes.shape[1], "N")


@pytest.mark.parametrize("sequences", [["ACGTA", "TTTTT", "NNNNN"], ["ACGTA", "TTT", ""]])
def test_equal_and_unequal_lengths_pad_to_the_multiple(sequences: list[str]) -> None:
    codes, lengths = CodeBuffer(SequenceBatch.from_text(sequences), multiple=4).gather(
        torch.tensor([2, 0])
    )
    assert codes.shape == (2, 8)
    assert lengths.tolist() == [len(sequences[2]), 5]
    assert codes[1].tolist() == [0, 1, 2, 3, 0, 4, 4, 4]


def test_a_batch_is_no_wider_than_its_longest_needs() -> None:
    buffer = CodeBuffer(SequenceBatch.from_text(["A" * 100, "C" * 9, "G" * 3]))
    assert buffer.gather(torch.tensor([1, 2]))[0].shape == (2, 16)
    assert buffer.gather(torch.tensor([0]))[0].shape == (1, 104)


def test_batches_do_not_share_memory_with_the_buffer() -> None:
    buffer = CodeBuffer(SequenceBatch.from_text(["ACGT", "TT"]))
    rows = torch.tensor([0, 1])
    buffer.gather(rows)[0].fill_(9)
    assert buffer.gather(rows)[0].max() == 4


def test_an_empty_split_has_no_batches() -> None:
    buffer = CodeBuffer(SequenceBatch.from_text([]))
    assert len(buffer) == 0
    assert bucketed_batches(buffer.lengths, 8) == []


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("count", [1, 7, 64, 1_000])
def test_every_row_is_in_one_batch(seed: int | None, count: int) -> None:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    batches = bucketed_batches(random_lengths(count), 16, generator, chunk=4)
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    sizes = sorted(batch.numel() for batch in batches)
    assert all(size == 16 for size in sizes[1:])


def test_without_a_generator_rows_are_sorted_and_always_the_same() -> None:
    lengths = random_lengths(1_000)
    order = torch.cat(bucketed_batches(lengths, 32))
    assert torch.equal(order, torch.argsort(lengths, stable=True))


def test_a_seed_decides_the_batches() -> None:
    lengths = random_lengths(2_000)

    def batches(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        return [batch.tolist() for batch in bucketed_batches(lengths, 32, generator)]

    assert batches(0) == batches(0)
    assert batches(0) != batches(1)


def test_buckets_waste_little_and_still_mix() -> None:
    lengths = random_lengths(20_000)
    batches = bucketed_batches(lengths, 64, torch.Generator().manual_seed(0))
    width = sum(int(lengths[batch].max()) * batch.numel() for batch in batches)
    assert int(lengths.sum()) / width > 0.95
    # Batches of long and of short sequences follow each other in no order.
    means = np.array([lengths[batch].double().mean() for batch in batches])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.25


def test_equal_lengths_are_plainly_shuffled() -> None:
    rows = torch.cat(
        bucketed_batches(torch.full((10_000,), 200), 50, torch.Generator().manual_seed(0))
    )
    assert abs(np.corrcoef(rows.numpy(), np.arange(10_000))[0, 1]) < 0.05
    # Neighbors in a batch are not neighbors in the file.
    assert (rows.diff().abs() == 1).float().mean() < 0.01
