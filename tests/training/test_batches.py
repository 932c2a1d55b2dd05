import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.labels import Labels
from attendna.tokens.buffer import CodeBuffer
from attendna.tokens.strand import reverse_complement
from attendna.training.batches import (
    TrainingBatches,
    flip_some,
    mask_bases,
    seed_of,
    shift,
)
from attendna.training.labels import LabelBuffer
from attendna.training.run import AugmentationConfig

N = 4


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def padded(*texts: str) -> tuple[torch.Tensor, torch.Tensor]:
    buffer = CodeBuffer(SequenceBatch.from_text(list(texts)))
    return buffer.gather(torch.arange(len(texts)))


def batches(seed: int = 0, rows: int = 23, **changes: object) -> TrainingBatches:
    draw = np.random.default_rng(5)
    texts = ["".join(draw.choice(list("ACGT"), draw.integers(5, 40))) for _ in range(rows)]
    settings = {
        "batch_size": 4,
        "both_strands": True,
        "augmentation": AugmentationConfig(shift=2, mask=0.1),
    } | changes
    labels = LabelBuffer(Labels(np.arange(rows, dtype=np.int8)))
    return TrainingBatches(
        CodeBuffer(SequenceBatch.from_text(texts)), labels, seed=seed, **settings
    )


def test_an_epoch_has_every_row_once_and_epochs_differ() -> None:
    made = batches()
    assert made.batches_an_epoch == 6
    orders = [torch.cat([made.rows(6 * epoch + i) for i in range(6)]) for epoch in range(3)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(23))
    assert not torch.equal(orders[0], orders[1])


def test_a_batch_is_a_function_of_the_seed_and_its_number() -> None:
    forward, backward = batches(), batches()
    first = [forward[number] for number in range(15)]
    second = [backward[number] for number in reversed(range(15))][::-1]
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.codes, other.codes)
        assert torch.equal(one.labels, other.labels)
    assert not all(
        torch.equal(one.labels, other.labels)
        for one, other in zip(first, (batches(seed=1)[i] for i in range(15)), strict=True)
    )


def test_labels_and_lengths_follow_their_rows() -> None:
    made = batches(both_strands=False, augmentation=AugmentationConfig())
    for number in range(6):
        rows = made.rows(number)
        batch = made[number]
        assert torch.equal(batch.labels, rows)
        codes, lengths = made.buffer.gather(rows)
        assert torch.equal(batch.codes, codes)
        assert torch.equal(batch.lengths, lengths)


def test_torch_s_own_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    batches()[3]
    assert torch.equal(before, torch.random.get_rng_state())


def test_about_half_of_the_sequences_are_flipped() -> None:
    codes, lengths = padded(*["ACGGT" + "A" * (i % 9) for i in range(400)])
    flipped = flip_some(codes, lengths, generator())
    opposite = reverse_complement(codes, lengths)
    as_given = (flipped == codes).all(1)
    turned = (flipped == opposite).all(1)
    assert (as_given | turned).all()
    assert 150 < int(turned.sum()) < 250


@given(st.integers(0, 1000), st.integers(1, 4))
def test_a_shift_is_what_moving_each_base_by_hand_gives(seed: int, reach: int) -> None:
    texts = ["ACGTACGTAC", "GGGGG", "TTTTTTTTTTTTTTTA"]
    codes, lengths = padded(*texts)
    moved = shift(codes, lengths, reach, generator(seed))
    for row, text in enumerate(texts):
        seen = "".join("ACGTN"[code] for code in moved[row].tolist())
        candidates = {
            "".join(
                text[i - move] if 0 <= i - move < len(text) and i < len(text) else "N"
                for i in range(codes.shape[1])
            )
            for move in range(-reach, reach + 1)
        }
        assert seen in candidates


def test_shifts_reach_both_ends_of_their_range() -> None:
    codes, lengths = padded(*["ACGT"] * 300)
    moved = shift(codes, lengths, 2, generator())[:, :4]
    assert {"".join("ACGTN"[c] for c in row) for row in moved.tolist()} == {
        "GTNN", "CGTN", "ACGT", "NACG", "NNAC",
    }  # fmt: skip


def test_masked_bases_become_n_at_the_given_rate() -> None:
    codes = torch.zeros((200, 200), dtype=torch.uint8)
    masked = mask_bases(codes, 0.15, generator())
    assert set(masked.unique().tolist()) == {0, N}
    assert float((masked == N).float().mean()) == pytest.approx(0.15, abs=0.01)


def test_seeds_of_neighbors_are_unrelated_and_fit_torch() -> None:
    seeds = [seed_of(s, purpose, n) for s in range(5) for purpose in range(4) for n in range(50)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of(1, 2, 3) == seed_of(1, 2, 3)
