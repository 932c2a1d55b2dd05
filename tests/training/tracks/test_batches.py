"""Batches of the heads in turn, read on either strand."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.track_tasks import BINS, WINDOW, signal, write_task

from attendna.prediction.track_records import Records, Window
from attendna.tasks.tracks import open_track_task
from attendna.training.tracks.batches import TrackBatches
from attendna.training.tracks.config import TrackAugmentationConfig

pytest.importorskip("zarr")

PLAIN = TrackAugmentationConfig(shift=0, reverse_complement=False)


def batches(folder: Path, augmentation: TrackAugmentationConfig, size: int = 1) -> TrackBatches:
    window = Window(WINDOW, 8, BINS)
    records = {
        head: Records(open_track_task(write_task(folder / head, seed).folder), "train", window)
        for seed, head in enumerate(("human", "mouse"))
    }
    return TrackBatches(records, batch_size=size, seed=0, augmentation=augmentation)


def test_heads_take_turns_and_every_record_comes(tmp_path: Path) -> None:
    made = batches(tmp_path, PLAIN)
    assert [made[number].head for number in range(4)] == ["human", "mouse", "human", "mouse"]
    seen = Counter(made[2 * turn].codes.numpy().tobytes() for turn in range(12))
    assert sorted(seen.values()) == [2] * 6
    first, again = made[7], made[7]
    assert torch.equal(first.codes, again.codes)


def test_the_other_strand_swaps_tracks_and_turns_bins(tmp_path: Path) -> None:
    made = batches(tmp_path, TrackAugmentationConfig(shift=0), size=2)
    plain = batches(tmp_path / "again", PLAIN, size=2)
    turned = 0
    for number in range(12):
        batch, straight = made[number], plain[number]
        for codes, targets, own in zip(batch.codes, batch.targets, straight.codes, strict=True):
            # The signal is G on one strand and C on the other: it follows from either strand.
            np.testing.assert_array_equal(targets.numpy(), signal(codes.numpy()))
            turned += not torch.equal(codes, own)
    assert 4 < turned < 20


def test_shifts_move_bases_and_leave_targets(tmp_path: Path) -> None:
    moved = batches(tmp_path, TrackAugmentationConfig(shift=3, reverse_complement=False))
    plain = batches(tmp_path / "again", PLAIN)
    moves = set()
    for number in range(24):
        one, other = moved[number].codes[0].numpy(), plain[number].codes[0].numpy()
        assert torch.equal(moved[number].targets, plain[number].targets)
        for move in range(-3, 4):
            part = slice(max(0, -move), WINDOW - max(0, move))
            if np.array_equal(one[part], other[part.start + move : part.stop + move]):
                moves.add(move)
                outside = np.delete(one, np.arange(WINDOW)[part])
                assert (outside == 4).all()
    assert len(moves) >= 5
